"""The virtual board: firmware as deployed under real MicroPython, in a process that is the chip.

Owns the process, its flash file, its pins, its watchdog and its console. Knows no plant: pins are numbers. A
reset, asked for by the firmware, by the watchdog or by a test, is SIGKILL and a new process on the same
flash. While the process is down all outputs are without current, as on a real board.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import functools
import os
import resource
import signal
import socket
import sys
import termios
import time
import tty
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from greenmast import wiring
from greenmast.emulator import runtime
from greenmast.emulator.expanders import I2cBus
from greenmast.flash import build, image
from greenmast_protocol import config

POWER_ON, HARD_RESET, WATCHDOG_RESET = 1, 2, 3
# The memory gates, in units of `-X heapsize=NwK` (words/4, K). A board without external RAM, whose code runs
# in place from a ROM partition: about 134 KB on a 32-bit board.
WK_B = 2048
HEAP_B = 96 * WK_B
# One whose code is loaded into the heap: it needs external RAM, and has far more of it than this.
HEAP_LOADED_B = 160 * WK_B
_SHIM = Path(__file__).parent / "shim"
_BOOT = "boot.py"
_RESTART_S = 0.3
_CONSOLE_CHUNK = 4096
_CONSOLE_RING = 259  # bytes of input that a chip keeps for firmware that is busy; what comes then is lost


class VirtualBoard:
    """One board: what `table` says, behind the shim. `rom`: image of its ROM partition, if it has one; the
    heap does not hold that. `partitions`: files of raw flash by label. `uarts`: paths of pseudo-terminals by
    UART number; `inputs`: levels by pin at power-on. Pins are numbered as in `greenmast_protocol.config`:
    100 + n is bit n of the I2C expanders.

    `on_pin(pin, level)` is called for every output the firmware moves, and with level 0 for its GPIOs on a
    reset; the chips on its I2C bus (`i2c`) keep their outputs then. `on_log(line)` gets what the console
    prints, messages included. `console` is the path for `--port`.
    """

    def __init__(
        self,
        flash: Path,
        uarts: Mapping[int, str],
        inputs: Mapping[int, int],
        *,
        table: wiring.Board | None = None,
        speed: int = 1,
        heap_b: int = HEAP_B,
        rom: Path | None = None,
        partitions: Mapping[str, Path] | None = None,
        on_pin: Callable[[int, int], None] = lambda pin, level: None,
        on_log: Callable[[str], None] = lambda line: None,
    ) -> None:
        self._flash = flash
        self._uarts = dict(uarts)
        self._inputs: dict[int, int] = {}
        self._table = table or wiring.board(wiring.VIRTUAL)
        self._speed = speed
        # What a chip has in its own flash must not take heap here: the shim is a ROM image, too.
        self._shim = flash.with_name("shim.img")
        self._shim.write_bytes(_shim_image())
        self._rom = rom
        self._heap_b = heap_b + sum(path.stat().st_size for path in (self._shim, rom) if path)
        self._partitions = dict(partitions or {})
        self._on_pin = on_pin
        self._on_log = on_log
        self._program = runtime.find()
        self._process: asyncio.subprocess.Process | None = None
        self._channel: socket.socket | None = None
        self._outputs: dict[int, int] = {}
        self._fed = 0.0
        self._watchdog_s = 0.0
        self._cause = POWER_ON
        self._refusing = False
        self._tasks: list[asyncio.Task[None]] = []
        self._log_rest = b""
        self._heard_rest = b""
        self.i2c = I2cBus(self._table)
        for pin, level in inputs.items():
            self.set_input(pin, level)
        self.resets: list[int] = []  # causes, in order, power-on included
        # For those who watch: the process has ended, the outputs have not fallen yet, the flash is at rest.
        self.on_death: Callable[[], None] = lambda: None
        self._master, self._slave = os.openpty()
        tty.setraw(self._slave)
        os.set_blocking(self._master, False)
        self.console = os.ttyname(self._slave)

    @property
    def pid(self) -> int | None:
        """Process id of the running firmware."""
        return self._process.pid if self._process else None

    @property
    def running(self) -> bool:
        """The firmware's process is there, be it hung."""
        return self._channel is not None and self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        """Power on."""
        self._tasks = [asyncio.create_task(self._keep_running()), asyncio.create_task(self._guard())]

    async def stop(self) -> None:
        """Power off."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._kill()
        if self._process:
            await self._process.wait()
        self._close_channel()
        for descriptor in (self._master, self._slave):
            os.close(descriptor)

    def reset(self, cause: int = HARD_RESET) -> None:
        """SIGKILL now; the board starts again by itself."""
        self._cause = cause
        self._kill()

    def refuse_writes(self, so: bool) -> None:
        """Whether every write to the flash fails, files and raw partitions alike; it can still be read."""
        self._refusing = so
        self._limit_writes()

    def set_input(self, pin: int, level: int) -> None:
        """Change the level of an input pin."""
        if self._inputs.get(pin) == level:
            return
        self._inputs[pin] = level
        if pin >= config.EXPANDER:
            self.i2c.set_input(pin, level)
        else:
            self._tell(f"V {pin} {level}\n")

    def _limit_writes(self) -> None:
        if self.running and self.pid is not None:
            most_b = 0 if self._refusing else resource.RLIM_INFINITY
            with contextlib.suppress(ProcessLookupError):
                resource.prlimit(self.pid, resource.RLIMIT_FSIZE, (most_b, resource.RLIM_INFINITY))

    def _kill(self) -> None:
        if self._process and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGKILL)

    async def _keep_running(self) -> None:
        while True:
            await self._boot()
            assert self._process
            await self._process.wait()
            self._dead()
            await asyncio.sleep(_RESTART_S)

    async def _boot(self) -> None:
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        theirs.setblocking(False)
        self._channel = ours
        for pin, level in self._inputs.items():  # there before the firmware looks
            if pin < config.EXPANDER:
                self._tell(f"V {pin} {level}\n")
        self.resets.append(self._cause)
        # The firmware's console end. Its reads give what is there instead of waiting for more.
        stdin_master, stdin_slave = os.openpty()
        _raw_without_waiting(stdin_slave)
        os.set_blocking(stdin_master, False)
        with theirs:
            self._process = await asyncio.create_subprocess_exec(
                self._program,
                "-X",
                f"heapsize={self._heap_b}",
                str(_SHIM / _BOOT),
                env=self._environment(theirs.fileno()),
                pass_fds=(theirs.fileno(),),
                stdin=stdin_slave,
                stdout=stdin_slave,
                stderr=stdin_slave,
                start_new_session=True,
                restore_signals=False,  # a write that the flash refuses is an error, not a signal
            )
        self._limit_writes()
        self._waiting = stdin_slave  # kept to see how much the firmware has not read yet
        self._cause = HARD_RESET  # of the next boot, unless somebody knows better
        self._fed = time.monotonic()
        loop = asyncio.get_running_loop()
        self._stdin = stdin_master
        loop.add_reader(ours, self._hear, ours)
        loop.add_reader(stdin_master, self._print, stdin_master)
        loop.add_reader(self._master, self._type)

    def _dead(self) -> None:
        """The process has ended: no coil has current, nobody listens."""
        self.on_death()
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._master)
        loop.remove_reader(self._stdin)
        self._print(self._stdin)
        os.close(self._stdin)
        os.close(self._waiting)
        self._close_channel()
        self._watchdog_s = 0.0
        for pin in self._outputs:
            self._on_pin(pin, 0)
        self._outputs.clear()

    def _close_channel(self) -> None:
        if self._channel:
            asyncio.get_running_loop().remove_reader(self._channel)
            self._channel.close()
            self._channel = None

    def _environment(self, channel: int) -> dict[str, str]:
        return {
            "PATH": os.environ.get("PATH", ""),
            "GREENMAST_IO_FD": str(channel),
            "GREENMAST_FLASH": str(self._flash),
            "GREENMAST_SHIM": str(self._shim),
            "GREENMAST_ROM": str(self._rom or ""),
            "GREENMAST_PARTITIONS": ":".join(f"{label}={path}" for label, path in self._partitions.items()),
            "GREENMAST_SPEED": str(self._speed),
            "GREENMAST_RESET_CAUSE": str(self._cause),
            "GREENMAST_PINS": pin_kinds(self._table),
            **{f"GREENMAST_DE{n}": str(de) for n, _, _, de in self._table.UARTS if de is not None},
            **{f"GREENMAST_UART{number}": path for number, path in self._uarts.items()},
        }

    async def _guard(self) -> None:
        """The hardware watchdog."""
        while True:
            await asyncio.sleep(0.05)
            if self._watchdog_s and time.monotonic() - self._fed > self._watchdog_s:
                self._watchdog_s = 0.0
                self.reset(WATCHDOG_RESET)

    def _tell(self, line: str) -> None:
        if self._channel:
            with contextlib.suppress(BlockingIOError, BrokenPipeError, ConnectionResetError):
                self._channel.send(line.encode())

    def _hear(self, channel: socket.socket) -> None:
        try:
            data = channel.recv(65536)
        except (BlockingIOError, ConnectionResetError):
            return
        *lines, self._heard_rest = (self._heard_rest + data).split(b"\n")
        for line in lines:
            self._obey(line.decode().split())

    def _obey(self, words: Sequence[str]) -> None:
        match words:
            case ["P", pin, level]:
                self._outputs[int(pin)] = int(level)
                self._on_pin(int(pin), int(level))
            case ["I", address, data, count]:
                read = self.i2c.exchange(
                    int(address), b"" if data == "-" else bytes.fromhex(data), int(count)
                )
                self._tell("I !\n" if read is None else f"I {read.hex()}\n")
                for changed, to in self.i2c.changes():
                    self._on_pin(changed, to)
            case ["F"]:
                self._fed = time.monotonic()
            case ["W", timeout_ms]:
                self._fed = time.monotonic()
                self._watchdog_s = int(timeout_ms) / 1000 / self._speed
            case ["R"]:
                self.reset(HARD_RESET)

    def _print(self, descriptor: int) -> None:
        """Console output:

        to whoever has the port open, and to the log. With nobody there it is lost, as on USB.
        """
        try:
            data = os.read(descriptor, _CONSOLE_CHUNK)
        except (BlockingIOError, OSError):
            return
        with contextlib.suppress(BlockingIOError):
            os.write(self._master, data)
        *lines, self._log_rest = (self._log_rest + data).split(b"\n")
        for line in lines:
            self._on_log(line.decode(errors="replace").rstrip("\r"))

    def _type(self) -> None:
        """Console input. The chip keeps a few bytes; what comes while those are full is lost."""
        with contextlib.suppress(BlockingIOError, OSError):
            data = os.read(self._master, 256)
            unread = int.from_bytes(fcntl.ioctl(self._waiting, termios.FIONREAD, bytes(4)), sys.byteorder)
            os.write(self._stdin, data[: max(0, _CONSOLE_RING - unread)])


@functools.cache
def _shim_image() -> bytes:
    """What stands for `machine` and `time`, compiled."""
    names = [file for file in sorted(_SHIM.glob("*.py")) if file.name != _BOOT]
    return image.rom(build.compiled({file.name: file.read_text(encoding="utf-8") for file in names}))


def pin_kinds(table: wiring.Board) -> str:
    """A character for each GPIO, for the shim: `-` none, `i` input only, `b` both."""
    chip = wiring.CHIPS[table.CHIP]
    there = chip.pins - chip.flash - chip.ram[table.RAM]
    kinds = ("-" if pin not in there else "i" if pin in chip.inputs else "b" for pin in range(100))
    return "".join(kinds)


def _raw_without_waiting(descriptor: int) -> None:
    tty.setraw(descriptor)
    attributes = termios.tcgetattr(descriptor)
    attributes[6][termios.VMIN] = attributes[6][termios.VTIME] = 0
    termios.tcsetattr(descriptor, termios.TCSANOW, attributes)
