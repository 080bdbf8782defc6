"""The virtual board is as strict as an ESP32 where the unix port of MicroPython would be kinder."""

from __future__ import annotations

import asyncio
import os
import select
import socket
import subprocess
import termios
import time
import tty
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import pytest

from greenmast import wiring
from greenmast.emulator import board, runtime
from greenmast.flash import image

SHIM = Path(board.__file__).parent / "shim"


def run(program: str, folder: Path, fds: tuple[int, ...] = (), **environment: str) -> str:
    """What the program prints under MicroPython with the shim."""
    ours, theirs = socket.socketpair()
    theirs.setblocking(False)
    file = folder / "program.py"
    file.write_text(program)
    with ours, theirs:
        done = subprocess.run(
            [runtime.find(), str(file)],
            env={
                "MICROPYPATH": f"{SHIM}:.frozen",
                "GREENMAST_IO_FD": str(theirs.fileno()),
                **environment,
            },
            pass_fds=(theirs.fileno(), *fds),
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@contextmanager
def line() -> Iterator[tuple[int, str]]:
    """Our end of a serial line, and the path of the board's."""
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    os.set_blocking(ours, False)
    try:
        yield ours, os.ttyname(theirs)
    finally:
        os.close(ours)
        os.close(theirs)


def received(descriptor: int) -> bytes:
    data = b""
    while select.select([descriptor], [], [], 0.1)[0]:
        data += os.read(descriptor, 4096)
    return data


def test_time_counts_whole_seconds_from_2000(tmp_path: Path) -> None:
    said = run(
        "import epoch\n"
        "epoch.install(epoch)\n"
        "import time\n"
        "now = time.time()\n"
        "print(time.gmtime(0), isinstance(now, int), now, time.mktime(time.gmtime(now)) == now)\n",
        tmp_path,
    )
    first, _, rest = said.partition(") ")
    is_int, now, same = rest.split()
    assert first == "(2000, 1, 1, 0, 0, 0, 5, 1"
    assert (is_int, same) == ("True", "True")
    assert abs(int(now) + 946_684_800 - time.time()) < 30


@pytest.mark.parametrize(
    ("name", "refused", "accepted"),
    [
        ("kincony-kc868-a16", ((34, "OUT"), (6, "IN"), (24, "IN"), (40, "IN")), ((34, "IN"), (13, "OUT"))),
        ("waveshare-esp32-s3-eth-8di-8ro", ((35, "OUT"), (27, "IN"), (22, "IN")), ((4, "IN"), (46, "OUT"))),
    ],
)
def test_pins_that_the_chip_does_not_have_are_refused(
    name: str, refused: tuple[tuple[int, str], ...], accepted: tuple[tuple[int, str], ...], tmp_path: Path
) -> None:
    said = run(
        "from machine import Pin\n"
        f"for pin, mode in {refused + accepted}:\n"
        "    try:\n"
        "        Pin(pin, getattr(Pin, mode))\n"
        "        print(pin, 'accepted')\n"
        "    except ValueError:\n"
        "        print(pin, 'refused')\n",
        tmp_path,
        GREENMAST_PINS=board.pin_kinds(wiring.board(name)),
    )
    wanted = [f"{pin} refused" for pin, _ in refused] + [f"{pin} accepted" for pin, _ in accepted]
    assert said.split("\n")[:-1] == wanted


def test_a_pull_up_holds_an_open_input_high_where_the_pin_has_one(tmp_path: Path) -> None:
    said = run(
        "from machine import Pin\n"
        "print([Pin(pin, Pin.IN, Pin.PULL_UP).value() for pin in (33, 34)], Pin(32, Pin.IN).value())\n",
        tmp_path,
        GREENMAST_PINS=board.pin_kinds(wiring.board("kincony-kc868-a16")),
    )
    assert said == "[1, 0] 0\n"


@pytest.mark.parametrize(("options", "kept"), [("", 256), (", rxbuf=512", 512)])
def test_a_uart_loses_what_its_buffer_cannot_hold(options: str, kept: int, tmp_path: Path) -> None:
    with line() as (ours, path), ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: select.select([ours], [], [], 15) and os.write(ours, bytes(range(256)) * 3))
        said = run(
            "import time\n"
            "from machine import UART\n"
            f"uart = UART(1, 9600, timeout=0{options})\n"
            "uart.write(b'?')\n"
            "time.sleep_ms(300)\n"
            "print(uart.any())\n"
            "data = b''\n"
            "while uart.any():\n"
            "    data += uart.read()\n"
            f"print(len(data), data == (bytes(range(256)) * 3)[:{kept}])\n",
            tmp_path,
            GREENMAST_UART1=path,
        )
    assert said == f"{kept}\n{kept} True\n"


def test_a_uart_that_would_wait_or_has_no_room_is_refused(tmp_path: Path) -> None:
    with line() as (_, path):
        said = run(
            "from machine import UART\n"
            "for options in ({'timeout': 10}, {'rxbuf': 100}):\n"
            "    try:\n"
            "        UART(1, 9600, **options)\n"
            "    except ValueError as error:\n"
            "        print(error)\n",
            tmp_path,
            GREENMAST_UART1=path,
        )
    assert "timeout must be 0" in said
    assert "rxbuf must exceed" in said


@pytest.mark.parametrize(
    ("before", "after", "arrives"),
    [
        ("de(1)", "while not uart.txdone(): pass\nde(0)", b"0123456789"),
        ("de(1)", "de(0)", b"012345678"),  # the last character was still on its way
        ("", "while not uart.txdone(): pass", b""),  # the transceiver listens
        ("de(1)\nde(0)", "de(1)\nwhile not uart.txdone(): pass\nde(0)", b""),  # too late
    ],
)
def test_only_what_the_driver_is_enabled_for_reaches_the_line(
    before: str, after: str, arrives: bytes, tmp_path: Path
) -> None:
    with line() as (ours, path):
        run(
            "from machine import UART, Pin\n"
            "uart = UART(1, 9600, timeout=0)\n"
            "de = Pin(32, Pin.OUT, value=0).value\n"
            f"{before}\nuart.write(b'0123456789')\n{after}\n",
            tmp_path,
            GREENMAST_UART1=path,
            GREENMAST_DE1="32",
        )
        assert received(ours) == arrives


def _flash(folder: Path, program: str) -> Path:
    path = folder / "flash.img"
    path.write_bytes(image.littlefs({"main.py": program.encode()}, {}))
    return path


async def _until(condition: object, within_s: float = 15.0) -> None:
    end = time.monotonic() + within_s
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < end, "waited in vain"
        await asyncio.sleep(0.02)


async def test_the_console_loses_what_a_busy_firmware_does_not_read(tmp_path: Path) -> None:
    program = (
        "import sys, select, time\n"
        "print('busy')\n"
        "time.sleep(1)\n"
        "poll = select.poll()\n"
        "poll.register(sys.stdin, select.POLLIN)\n"
        "data = b''\n"
        "while poll.poll(300):\n"
        "    data += sys.stdin.buffer.read(1)\n"
        "print('kept', len(data), data == bytes([48 + i % 10 for i in range(len(data))]))\n"
        "time.sleep(60)\n"
    )
    lines: list[str] = []
    virtual = board.VirtualBoard(_flash(tmp_path, program), {}, {}, on_log=lines.append)
    await virtual.start()
    try:
        await _until(lambda: "busy" in lines)
        descriptor = os.open(virtual.console, os.O_RDWR | os.O_NOCTTY)
        for first in range(0, 1_000, 100):
            os.write(descriptor, bytes(48 + i % 10 for i in range(first, first + 100)))
            await asyncio.sleep(0.02)
        await _until(lambda: any(line.startswith("kept") for line in lines))
        termios.tcflush(descriptor, termios.TCIFLUSH)
        os.close(descriptor)
    finally:
        await virtual.stop()
    _, count, in_order = next(line for line in lines if line.startswith("kept")).split()
    assert int(count) == 259
    assert in_order == "True"


async def test_relays_on_an_expander_stay_over_a_reset_and_fall_when_the_chip_forgets(tmp_path: Path) -> None:
    program = (
        "import machine, time\n"
        "bus = machine.I2C(0, scl=machine.Pin(41), sda=machine.Pin(42), freq=100000, timeout=5000)\n"
        "print('chips', bus.scan())\n"
        "if machine.reset_cause() == 1:\n"
        "    bus.writeto_mem(0x20, 1, b'\\x05')\n"
        "    bus.writeto_mem(0x20, 3, b'\\x00')\n"
        "try:\n"
        "    bus.writeto(0x21, b'\\x00')\n"
        "except OSError:\n"
        "    print('nobody at 0x21')\n"
        "back = bytearray(1)\n"
        "bus.readfrom_mem_into(0x20, 0, back)\n"
        "print('port', back[0])\n"
        "time.sleep(60)\n"
    )
    lines: list[str] = []
    moved: list[tuple[int, int]] = []
    virtual = board.VirtualBoard(
        _flash(tmp_path, program),
        {},
        {},
        table=wiring.board("waveshare-esp32-s3-eth-8di-8ro"),
        on_log=lines.append,
        on_pin=lambda pin, level: moved.append((pin, level)),
    )
    await virtual.start()
    try:
        await _until(lambda: lines.count("port 5") == 1)
        assert lines == ["chips [32, 81]", "nobody at 0x21", "port 5"]
        assert moved == [(100, 1), (102, 1)], "and no other relay, not for a moment"
        virtual.reset()
        await _until(lambda: lines.count("port 5") == 2)
        assert moved == [(100, 1), (102, 1)], "the chip has its own supply"
        chip = virtual.i2c.chips[0x20]
        assert hasattr(chip, "power_cycle")
        chip.power_cycle()
        assert list(virtual.i2c.changes()) == [(100, 0), (102, 0)]
    finally:
        await virtual.stop()
