"""The serial link against the console as deployed: compiled, under the real MicroPython, on a small heap."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest

from greenmast.link import reading
from greenmast.link.base import RefusedError
from greenmast.link.serial import SerialLink
from greenmast_protocol import points

ROOT = Path(__file__).resolve().parents[3]
HEAP = "76wK"
BOARD = """
import asyncio
from greenmast_fw.drivers import stdio
from greenmast_fw.services.console import Console
from greenmast_fw.services.rpc import Rpc
from greenmast_protocol import points

class Board:
    def __init__(self):
        self.values = [points.POINTS[i][2] for i in range(points.COUNT)]
        self.codes = bytearray(points.COUNT)
    def hello(self):
        return {"site": "small", "boot": 1}
    def name(self, i):
        return points.name(i)
    def age_ms(self, i):
        return 12345
    def explain(self):
        return [("genset", "off", 0, (), (), ())]
    def alarms(self):
        return []
    def config(self):
        return [b"{}"]
    def command(self, params):
        return "min_run", "min_run", {}

async def main():
    served = Console(Rpc(Board()), stdio.Stdin(), stdio.writer(), asyncio.sleep_ms)
    served.log("ready")
    await served.run()

asyncio.run(main())
"""


def program(name: str) -> str:
    found = shutil.which(name) or shutil.which(name, path=str(Path(sys.executable).parent))
    assert found, f"{name} is missing"
    return found


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the packages that the console needs, as .mpy."""
    folder = tmp_path_factory.mktemp("mpy")
    sources = [*(ROOT / "protocol" / "greenmast_protocol").glob("*.py")]
    services = ROOT / "firmware" / "greenmast_fw" / "services"
    sources += [
        services / f"{name}.py" for name in ("__init__", "rpc", "version", "words", "console", "overlay")
    ]
    drivers = services.parent / "drivers"
    sources += [services.parent / "__init__.py"]
    sources += [drivers / f"{name}.py" for name in ("__init__", "clock", "stdio")]
    for source in sources:
        out = folder / source.relative_to(ROOT).with_suffix(".mpy").relative_to(
            source.relative_to(ROOT).parts[0]
        )
        out.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run([program("mpy-cross"), "-O2", str(source), "-o", str(out)], check=True, timeout=60)
    (folder / "board.py").write_text(BOARD)
    return folder


@pytest.fixture
def link(compiled: Path) -> Iterator[SerialLink]:
    far, near = os.openpty()
    tty.setraw(near)
    with SerialLink(os.ttyname(near)) as opened:
        os.close(near)
        process = subprocess.Popen(
            [program("micropython"), "-X", f"heapsize={HEAP}", str(compiled / "board.py")],
            env={**os.environ, "MICROPYPATH": f"{compiled}:.frozen"},
            stdin=far,
            stdout=far,
            stderr=subprocess.PIPE,
        )
        os.close(far)
        yield opened
        process.kill()
        _, errors = process.communicate(timeout=10)
        assert errors == b""


def test_every_method_is_answered_a_hundred_times_without_a_memory_error(link: SerialLink) -> None:
    assert link.hello()["site"] == "small"
    for _ in range(100):
        assert set(reading.get(link).values) == set(points.NAMES)
        assert link.call("explain")["rows"]
        with pytest.raises(RefusedError, match="min_run"):
            link.call("command", {"name": "genset.stop"})
        with pytest.raises(RefusedError, match="needs a key"):
            link.call("update.commit")
    assert (link.decoder.bad_crc, link.decoder.broken, link.decoder.overlong) == (0, 0, 0)


def test_values_are_told_until_the_stream_is_closed(link: SerialLink) -> None:
    readings = reading.stream(link, None, 0.2)
    for _ in range(5):
        now = next(readings)
        assert now is not None
        assert len(now.values) == points.COUNT
    readings.close()
    while link.notice(0.1) is not None:
        pass
    assert link.notice(1.0) is None


def test_garbage_costs_nothing_but_itself(link: SerialLink) -> None:
    """Noise, control characters, a 64 KB line, half frames, typing: the next request is answered."""
    seed = 20
    noise = random.Random(seed).randbytes(4_000)
    for garbage in (
        b"\x00" * 500,
        b"\xff" * 500,
        b"\x03\x04\x1b[A\x01\x02\x05\r",
        b"{" * 65_536,
        b"{" * 200 + b"}" * 200 + b"\n",
        b'{"id":1,"method":"hel',
        b'{"id":1,"method":"command","params":{"name":"genset.start"}}\n',
        b"help\r\nstatus\r\nget battery.*\r\nnonsense\r\n",
        noise,
    ):
        for i in range(0, len(garbage), 1000):
            link._port.write(garbage[i : i + 1000])
        assert link.hello()["site"] == "small", (garbage[:40], seed)
