"""An RS-485 line in time: who drives it when, what collides, what arrives where.

Owns the schedule of characters. Each leaves a character time after the one before it, or after it came, and
reaches every other end. Must not know terminals: time is what its caller says, so that it can be tried
without any. What is wrong with the line is in `line_faults`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from random import Random
from typing import Any

from greenmast.emulator.line_faults import (
    FAULTS,
    MASTER,
    NOBODY,
    Character,
    LineFault,
    Option,
    Transmission,
    overlaid,
)
from greenmast.emulator.line_watch import Watch

BACKLOG_MAX = 1 << 20  # of an end that nobody reads; a real receiver forgets much sooner


class Line:
    """`ends`: the master and the slaves. `arrived`: by end, what its terminal has still to be given."""

    def __init__(
        self, ends: int, baud: int, *, bits: int = 11, speed: float = 1.0, seed: int = 1, now_ns: int = 0
    ) -> None:
        self.char_ns = round(bits * 1e9 / (baud * speed))
        self.arrived = [bytearray() for _ in range(ends)]
        self.watch = Watch(baud, 1e3 / speed, now_ns)
        self._bits = bits
        self._second_ns = round(1e9 / speed)
        self._seed = seed
        self._random = Random(seed)
        self._faults: dict[str, LineFault] = {}
        self._pending: list[Character] = []  # in the order of time
        self._free_ns = dict.fromkeys((*range(ends), NOBODY), 0)
        self._sending = {end: Transmission(end, 0) for end in self._free_ns}  # the last one of each
        self._counts = dict.fromkeys(("to_slave", "to_master", "collisions", "damaged", "lost", "overrun"), 0)

    def fault(self, name: str, options: Mapping[str, Option], now_ns: int) -> None:
        """Begin a fault; one that is there begins anew, with these options. Raises ValueError."""
        if name not in FAULTS:
            raise ValueError(f"{name}: no such fault, choose from {', '.join(FAULTS)}")
        fault = FAULTS[name](Random(f"{self._seed}:{name}"), self._second_ns, self.char_ns, dict(options))
        self.clear(name, now_ns)
        self._faults[name] = fault

    def clear(self, name: str, now_ns: int) -> None:
        """End a fault; nothing when it is not there. What nobody sent and has not begun is not sent."""
        if self._faults.pop(name, None):
            self._pending = [c for c in self._pending if c.sender != NOBODY or c.start_ns <= now_ns]

    def take(self, end: int, data: Iterable[int], now_ns: int) -> None:
        """`end` has begun to send `data`, or goes on with it."""
        if end == MASTER and now_ns > self._free_ns[end]:
            self.watch.requested(now_ns)
        for byte in data:
            self._drive(end, byte, max(now_ns, self._free_ns[end]))
        if end == MASTER:
            self.watch.sent(self._free_ns[end])

    def due_ns(self) -> int | None:
        """When `release` has something to do, None for not before something is taken."""
        times = [time for fault in self._faults.values() if (time := fault.next_ns()) is not None]
        if self._pending:
            times.append(self._pending[0].end_ns + self._delay_ns())
        return min(times) if times else None

    def release(self, now_ns: int) -> None:
        """Let all arrive that is due."""
        for fault in self._faults.values():
            for start_ns, byte in fault.sends(now_ns):
                self._drive(NOBODY, byte, start_ns)
        delay_ns = self._delay_ns()
        due = 0
        for char in self._pending:
            if char.end_ns + delay_ns > now_ns:
                break
            due += 1
            self._arrive(char, now_ns)
        del self._pending[:due]

    def counters(self) -> dict[str, int]:
        waiting = len(self._pending) + sum(map(len, self.arrived))
        return {**self._counts, "waiting": waiting, **self.watch.counters()}

    def trace(self) -> list[dict[str, Any]]:
        return self.watch.trace()

    def _drive(self, sender: int, byte: int, start_ns: int) -> None:
        if start_ns > self._free_ns[sender] or not self._sending[sender].length:
            self._sending[sender] = Transmission(sender, start_ns)
        of = self._sending[sender]
        end_ns = self._free_ns[sender] = start_ns + self.char_ns
        char = Character(of, of.length, byte, byte, start_ns, end_ns)
        of.length += 1
        pending = self._pending
        at = len(pending)
        while at and pending[at - 1].start_ns > start_ns:
            at -= 1
        before, after = at - 1, at
        while before >= 0 and pending[before].end_ns > start_ns:
            self._overlap(char, pending[before])
            before -= 1
        while after < len(pending) and pending[after].start_ns < end_ns:
            self._overlap(char, pending[after])
            after += 1
        pending.insert(at, char)

    def _overlap(self, char: Character, other: Character) -> None:
        if char.sender == other.sender:
            return
        shift = round((other.start_ns - char.start_ns) * self._bits / self.char_ns)
        for hit, over, bits in ((char, other, shift), (other, char, -shift)):
            hit.byte = overlaid(hit.byte, over.sent, bits, self._random)
            hit.collided = True

    def _arrive(self, char: Character, now_ns: int) -> None:
        heard: int | None = char.byte
        for fault in self._faults.values():
            if heard is not None:
                heard = fault.passes(char, heard)
        ends = [] if heard is None else [end for end in range(len(self.arrived)) if self._reaches(char, end)]
        counts = self._counts
        counts["collisions"] += char.collided
        if not ends or heard is None:
            counts["lost"] += 1
            self.watch.passed(char, None)
            return
        counts["damaged"] += heard != char.sent
        self.watch.passed(char, heard)
        for end in ends:
            if len(self.arrived[end]) >= BACKLOG_MAX:
                counts["overrun"] += 1
                continue
            self.arrived[end].append(heard)
            counts["to_slave" if end else "to_master"] += 1
            if end == MASTER and char.sender not in (MASTER, NOBODY):
                self.watch.had(now_ns)

    def _reaches(self, char: Character, end: int) -> bool:
        faults = self._faults.values()
        if end == char.sender:
            return any(fault.echoes(char) for fault in faults)
        return all(fault.reaches(char, end) for fault in faults)

    def _delay_ns(self) -> int:
        return sum(fault.delay_ns() for fault in self._faults.values())
