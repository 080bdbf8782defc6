"""I2C chips of the boards, as registers and pins: what is written to them, read from them, and at their pins.

Sources: TI TCA9554 data sheet SCPS233 (registers, power-on state: all inputs), NXP/TI PCF8574 data sheet
SCPS068 (quasi-bidirectional: a 1 is a weak high that a contact pulls down; power-on: all high), NXP PCF85063A
data sheet (registers, oscillator-stop flag after power-on). Knows no board: where a chip sits and what its
pins mean is the board's table.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime


class Chip:
    """One chip. `present`: it answers; without its supply or its wire it does not."""

    def __init__(self) -> None:
        self.present = True

    def write(self, data: bytes) -> None:
        """Bytes of one write, those that choose a register included."""
        raise NotImplementedError

    def read(self, count: int) -> bytes:
        """What the next `count` bytes of a read are."""
        raise NotImplementedError


class Expander(Chip):
    """Eight pins. `outside`: what else drives a pin (None: nothing)."""

    def __init__(self) -> None:
        super().__init__()
        self._outside: list[int | None] = [None] * 8

    def outside(self, bit: int, level: int | None) -> None:
        """Somebody drives pin `bit` from outside."""
        self._outside[bit] = level

    def driven(self, bit: int) -> int | None:
        """The level that the chip drives at pin `bit`, None where it drives none."""
        raise NotImplementedError

    def power_cycle(self) -> None:
        """Its supply was gone for a moment."""
        raise NotImplementedError

    def _port(self) -> int:
        """Levels at the pins; all have a pull-up."""
        port = 0
        for bit in range(8):
            driven, outside = self.driven(bit), self._outside[bit]
            level = driven if driven is not None else 1 if outside is None else outside
            port |= level << bit
        return port


class Tca9554(Expander):
    """Four registers: input, output, polarity, configuration (1: the pin is an input)."""

    def __init__(self) -> None:
        super().__init__()
        self.power_cycle()

    def power_cycle(self) -> None:
        self._pointer = 0
        self.registers = [0, 0xFF, 0x00, 0xFF]

    def driven(self, bit: int) -> int | None:
        return None if self.registers[3] >> bit & 1 else self.registers[1] >> bit & 1

    def write(self, data: bytes) -> None:
        if not data:
            return
        self._pointer = data[0] & 3
        for value in data[1:]:
            if self._pointer:  # the input register cannot be written
                self.registers[self._pointer] = value

    def read(self, count: int) -> bytes:
        if self._pointer == 0:
            value = self._port() ^ self.registers[2] & self.registers[3]
        else:
            value = self.registers[self._pointer]
        return bytes([value] * count)


class Pcf8574(Expander):
    """No registers: a write is the port, a read are its pins."""

    def __init__(self) -> None:
        super().__init__()
        self.power_cycle()

    def power_cycle(self) -> None:
        self.latch = 0xFF

    def driven(self, bit: int) -> int | None:
        """Low is driven; high only when nobody pulls it down."""
        if not self.latch >> bit & 1:
            return 0
        return None if self._outside[bit] == 0 else 1

    def write(self, data: bytes) -> None:
        if data:
            self.latch = data[-1]

    def read(self, count: int) -> bytes:
        return bytes([self._port()] * count)


class Pcf85063a(Chip):
    """A clock: seconds to years in BCD from register 4 on; the stop flag is set until seconds are written."""

    _REGISTERS = 0x12
    _SECONDS = 4

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        super().__init__()
        self._now = now
        self._pointer = 0
        self._stopped = True
        self._others = bytearray(self._REGISTERS)
        self._set_s = 0.0  # how far it is ahead of `now`

    def write(self, data: bytes) -> None:
        if not data:
            return
        self._pointer = data[0] % self._REGISTERS
        clock = bytearray(self._clock())
        touched = False
        for value in data[1:]:
            at = self._pointer - self._SECONDS
            if 0 <= at < len(clock):
                clock[at] = value
                touched = True
            else:
                self._others[self._pointer] = value
            self._pointer = (self._pointer + 1) % self._REGISTERS
        if touched:
            self._set(clock)

    def read(self, count: int) -> bytes:
        out = bytearray()
        clock = self._clock()
        for _ in range(count):
            at = self._pointer - self._SECONDS
            out.append(clock[at] if 0 <= at < len(clock) else self._others[self._pointer])
            self._pointer = (self._pointer + 1) % self._REGISTERS
        return bytes(out)

    def _clock(self) -> bytes:
        t = datetime.fromtimestamp(self._now().timestamp() + self._set_s, UTC)
        second, minute, hour, day, month, year = (
            n // 10 << 4 | n % 10 for n in (t.second, t.minute, t.hour, t.day, t.month, t.year % 100)
        )
        weekday = (t.weekday() + 1) % 7
        return bytes([second | self._stopped << 7, minute, hour, day, weekday, month, year])

    def _set(self, clock: bytes | bytearray) -> None:
        second, minute, hour, day, _, month, year = ((b >> 4) * 10 + (b & 15) for b in clock)
        self._stopped = bool(clock[0] & 0x80)
        wanted = datetime(2000 + year, month, day, hour, minute, second % 80, tzinfo=UTC)
        self._set_s = wanted.timestamp() - self._now().timestamp()


EXPANDERS: dict[str, type[Expander]] = {"tca9554": Tca9554, "pcf8574": Pcf8574}
