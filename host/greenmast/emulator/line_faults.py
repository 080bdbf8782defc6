"""What may be wrong with an RS-485 line: the table of its faults, each with what it does to characters.

Owns what a fault does and its options. Must not know terminals, Modbus, or how a line schedules its
characters. Ends are numbered: 0 the master, from 1 the slaves. Options that name ends (`by`, `end`) take such
a number or "master", "slaves", "all". Rates are per million characters; everything random comes from the
line's seed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import ClassVar

MASTER = 0
NOBODY = -1  # sends what no end has sent
MILLION = 1_000_000
DROPPED, DAMAGED = "dropped", "damaged"
_AHEAD_NS = 4_000_000  # garbage without pause is made so long beforehand: no late wake-up leaves a hole

Option = int | str


@dataclass(slots=True, eq=False)
class Transmission:
    """Characters of one sender without a pause between them."""

    sender: int
    start_ns: int
    length: int = 0  # so far


@dataclass(slots=True, eq=False)
class Character:
    """`place` counts from 0 within the transmission `of`; `sent` was driven, `byte` is what became of it."""

    of: Transmission
    place: int
    sent: int
    byte: int
    start_ns: int
    end_ns: int
    collided: bool = False

    @property
    def sender(self) -> int:
        return self.of.sender

    @property
    def behind(self) -> int:
        """Characters of the same transmission that follow, as far as they have come."""
        return self.of.length - self.place - 1


class LineFault:
    """One fault at work. `options` are its names and defaults; a default's type is that of the option."""

    options: ClassVar[dict[str, Option]] = {}

    def __init__(self, random: Random, second_ns: int, char_ns: int, given: dict[str, Option]) -> None:
        """`second_ns`: a second of the line's own time. Raises ValueError for an option that does not fit."""
        self._random = random
        self._second_ns = second_ns
        self._char_ns = char_ns
        for name, value in given.items():
            if name not in self.options:
                raise ValueError(f"{name}: no such option, choose from {', '.join(self.options) or 'none'}")
            if name not in ("by", "end") and type(value) is not type(self.options[name]):
                raise ValueError(f"{name}: {value!r} is not like {self.options[name]!r}")
        self._options = self.options | given

    def passes(self, char: Character, byte: int) -> int | None:
        """The byte that arrives in place of `byte`, None for nothing."""
        return byte

    def reaches(self, char: Character, end: int) -> bool:
        """Whether a character gets to `end` at all."""
        return True

    def echoes(self, char: Character) -> bool:
        """Whether its own sender receives it, too."""
        return False

    def delay_ns(self) -> int:
        """How much later characters arrive."""
        return 0

    def sends(self, now_ns: int) -> Iterator[tuple[int, int]]:
        """Start and byte of characters that nobody sent."""
        return iter(())

    def next_ns(self) -> int | None:
        """When `sends` must be asked again."""
        return None

    def _number(self, name: str) -> int:
        return int(self._options[name])

    def _befalls(self, rate: str) -> bool:
        return self._random.randrange(MILLION) < self._number(rate)

    def _concerns(self, option: str, end: int) -> bool:
        which = self._options[option]
        if isinstance(which, int):
            return which == end
        return which == "all" or (which == "master") == (end == MASTER)


class Noise(LineFault):
    """Interference: one bit of a character is inverted, at a rate."""

    options: ClassVar = {"per_million": 2_000}

    def passes(self, char: Character, byte: int) -> int | None:
        return one_bit_off(byte, self._random) if self._befalls("per_million") else byte


class Stray(LineFault):
    """Glitches that receivers take for characters, mostly in the silence, at a mean rate a second."""

    options: ClassVar = {"per_second": 5}

    def __init__(self, random: Random, second_ns: int, char_ns: int, given: dict[str, Option]) -> None:
        super().__init__(random, second_ns, char_ns, given)
        self._next_ns: int | None = None

    def sends(self, now_ns: int) -> Iterator[tuple[int, int]]:
        mean_ns = self._second_ns / self._number("per_second")
        at_ns = now_ns + self._pause_ns(mean_ns) if self._next_ns is None else self._next_ns
        while at_ns <= now_ns:
            yield at_ns, self._random.randrange(256)
            at_ns += self._pause_ns(mean_ns)
        self._next_ns = at_ns

    def next_ns(self) -> int | None:
        return self._next_ns

    def _pause_ns(self, mean_ns: float) -> int:
        return self._char_ns + round(self._random.expovariate(1.0 / mean_ns))


class Babble(LineFault):
    """A node sends garbage without a pause: whatever another one sends meanwhile collides with it."""

    def __init__(self, random: Random, second_ns: int, char_ns: int, given: dict[str, Option]) -> None:
        super().__init__(random, second_ns, char_ns, given)
        self._free_ns: int | None = None

    def sends(self, now_ns: int) -> Iterator[tuple[int, int]]:
        if self._free_ns is None:
            self._free_ns = now_ns
        while self._free_ns < now_ns + _AHEAD_NS:
            yield self._free_ns, self._random.randrange(256)
            self._free_ns += self._char_ns

    def next_ns(self) -> int | None:
        return None if self._free_ns is None else self._free_ns - _AHEAD_NS // 2


class Stuck(LineFault):
    """A driver does not let go and holds the line: no character of anybody arrives as it was sent."""

    def passes(self, char: Character, byte: int) -> int | None:
        return byte ^ self._random.randrange(1, 256)


class Cut(LineFault):
    """The cable of an end is cut: it hears nobody and nobody hears it. By default that of every end."""

    options: ClassVar = {"end": "all"}

    def reaches(self, char: Character, end: int) -> bool:
        return not (self._concerns("end", end) or self._concerns("end", char.sender))


class Echo(LineFault):
    """The receiver of an end stays on while its driver drives: it hears itself."""

    options: ClassVar = {"end": "master"}

    def echoes(self, char: Character) -> bool:
        return char.sender != NOBODY and self._concerns("end", char.sender)


class Delay(LineFault):
    """Propagation: repeaters or radio modems on the way; every character arrives later by `us`."""

    options: ClassVar = {"us": 5_000}

    def delay_ns(self) -> int:
        return round(self._number("us") * self._second_ns / MILLION)


class LateDe(LineFault):
    """The driver is enabled late: the first characters of a transmission are lost, or damaged."""

    options: ClassVar = {"by": "slaves", "characters": 1, "how": DROPPED}

    def passes(self, char: Character, byte: int) -> int | None:
        if char.place >= self._number("characters") or not self._concerns("by", char.sender):
            return byte
        return None if self._options["how"] == DROPPED else one_bit_off(byte, self._random)


class EarlyRelease(LineFault):
    """The driver is released too early: the last characters of a transmission are lost."""

    options: ClassVar = {"by": "slaves", "characters": 1}

    def passes(self, char: Character, byte: int) -> int | None:
        if char.behind >= self._number("characters") or not self._concerns("by", char.sender):
            return byte
        return None


class Collision(LineFault):
    """A second node has the same address and answers at the same time: its characters lie over the others."""

    options: ClassVar = {"by": "slaves"}

    def passes(self, char: Character, byte: int) -> int | None:
        if not self._concerns("by", char.sender):
            return byte
        char.collided = True
        return overlaid(byte, self._random.randrange(256), self._random.randrange(-8, 9), self._random)


class Parity(LineFault):
    """A bit is inverted, so the parity is wrong, at a rate. `receiver`: what its UART does with it.

    "damaged" hands it on, as the ESP32 does while UART_ERR_WR_MASK is 0, its value after reset. "dropped" is
    that bit set, which an ESP32-S3 has been seen to disregard, and the way of other UARTs' drivers.
    """

    options: ClassVar = {"per_million": 2_000, "receiver": DAMAGED}

    def passes(self, char: Character, byte: int) -> int | None:
        if not self._befalls("per_million"):
            return byte
        return None if self._options["receiver"] == DROPPED else one_bit_off(byte, self._random)


class Framing(LineFault):
    """The start bit is taken from a wrong edge, so no stop bit is where it must be, at a rate. `receiver`: as
    of `parity`.
    """

    options: ClassVar = {"per_million": 2_000, "receiver": DAMAGED}

    def passes(self, char: Character, byte: int) -> int | None:
        if not self._befalls("per_million"):
            return byte
        if self._options["receiver"] == DROPPED:
            return None
        late = byte >> 1  # begun a bit too late; the stop bit that follows is high
        return late | 0x80 if late | 0x80 != byte else late


FAULTS: dict[str, type[LineFault]] = {
    "noise": Noise,
    "stray": Stray,
    "babble": Babble,
    "stuck": Stuck,
    "cut": Cut,
    "echo": Echo,
    "delay": Delay,
    "late_de": LateDe,
    "early_release": EarlyRelease,
    "collision": Collision,
    "parity": Parity,
    "framing": Framing,
}


def one_bit_off(byte: int, random: Random) -> int:
    return byte ^ 1 << random.randrange(8)


def overlaid(byte: int, other: int, shift: int, random: Random) -> int:
    """What is received of `byte` when `other` is driven over it, begun `shift` bits later.

    A low level wins: so it is where a driver pulls down what the other's resistors hold up. Two full drivers
    against each other give no defined level; so a byte that the other would leave as it is loses a bit, too.
    """
    frame = other << 1 | 1 << 9  # start bit low, eight data bits, stop bit high
    result = byte
    for bit in range(8):
        place = bit + 1 - shift
        if 0 <= place < 10 and not frame >> place & 1:
            result &= ~(1 << bit)
    return result if result != byte else one_bit_off(byte, random)
