"""Master and tables of the firmware, under MicroPython, against a slave that nobody of the house has written.

libmodbus serves registers that were written by hand from the products' documents
(host/tests/emulator/images); what the board makes of them must be what they mean. So neither the emulated
devices nor the tables can hide a misreading behind the other.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from greenmast.bench import register_image
from greenmast.emulator import runtime
from greenmast.emulator.wire import Wire
from greenmast_fw.devices import binding
from greenmast_protocol import points

ROOT = Path(__file__).parents[1]
IMAGES = sorted((ROOT / "host/tests/emulator/images").glob("*.toml"))
BAUD = 115_200  # of the wire; a pseudo-terminal has none
LIMIT_S = 60.0

PROGRAM = """
import asyncio, json, sys, termios
from greenmast_fw.core.snapshot import Image
from greenmast_fw.devices import binding
from greenmast_fw.drivers.modbus_line import Line
from greenmast_fw.drivers.modbus_master import RtuMaster
from greenmast_fw.services.poll import BusPoller
from greenmast_protocol import instances, modbus_frame

async def main():
    asked = json.loads(sys.stdin.readline())
    uart = open(asked["path"], "r+b")
    termios.setraw(uart.fileno())
    attributes = termios.tcgetattr(uart.fileno())
    attributes[6][5] = attributes[6][6] = 0  # VTIME, VMIN: a read gives what is there, as a UART does
    termios.tcsetattr(uart.fileno(), termios.TCSANOW, attributes)
    device = (asked["role"], asked["profile"], asked["unit"])
    product = binding.load(asked["profile"])
    image = Image()
    inputs = [(i, channel, 0) for channel, i in enumerate(asked["inputs"])]
    master = RtuMaster(Line(uart, asked["baud"]))
    poller = BusPoller(master, binding.bind([device], inputs), image, 1000, 30)
    for _ in range(12):  # a chain of models is walked a question a scan
        await poller.scan()
    snapshot = image.snapshot()
    named = {image.name(i): snapshot.v[i] for i in range(image.count) if image.has_source(i)}
    print(json.dumps(named))

asyncio.run(main())
"""


def board_reads(image: register_image.Image, path: str, folder: Path) -> dict[str, Any]:
    """Every point that the board has from the slave at `path`."""
    (folder / "program.py").write_text(PROGRAM, encoding="utf-8")
    product = binding.load(image.profile)
    order = {
        "path": path,
        "baud": BAUD,
        "role": product.ROLE,
        "profile": image.profile,
        "unit": image.unit,
        "inputs": [points.index("site.door_open"), points.index("site.smoke")]
        if product.ROLE == "io"
        else [],
    }
    done = subprocess.run(
        [runtime.find(), "-X", "heapsize=4M", str(folder / "program.py")],
        input=json.dumps(order) + "\n",
        env={**os.environ, "MICROPYPATH": f"{ROOT / 'firmware'}:{ROOT / 'protocol'}:.frozen"},
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    named: dict[str, Any] = json.loads(done.stdout)
    return named


@pytest.mark.parametrize("file", IMAGES, ids=lambda file: file.stem)
def test_the_board_reads_from_libmodbus_what_the_documents_say(file: Path, tmp_path: Path) -> None:
    image = register_image.load(file)
    expected = {name: value for name, value in image.points.items() if points.find(name) >= 0}
    with Wire(BAUD) as wire:
        command = [sys.executable, "-m", "greenmast.bench.libmodbus", "serve", wire.slave_path, str(BAUD)]
        command += [str(image.unit), str(file)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as slave:
            assert slave.stdout is not None
            assert slave.stdout.readline().startswith("serving")
            seen = board_reads(image, wire.master_path, tmp_path)
            slave.communicate(timeout=10)
    supplied = set(expected) & set(seen)
    print(image.profile, {name: (seen[name], expected[name]) for name in sorted(supplied)})
    assert supplied or image.profile == "waveshare-relay-8ch"
    assert {name: seen[name] for name in supplied} == {name: expected[name] for name in supplied}
    assert all(value is not None for value in seen.values()), seen
