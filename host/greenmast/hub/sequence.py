"""The acknowledgement rule: which records of one boot the board may free. Pure; knows no clock, database or
broker.

The board keeps every record until the hub's `ack {"boot","seq"}`, which frees all records of that boot up to
`seq`. So:
1. `seq` is the end of the unbroken run of durable records that starts at record 1. Nothing is acknowledged
   that is not committed.
2. A hole is not proof of a loss at the board. A broker that dies, or one that has no session for the hub yet,
   swallows records which it acknowledged on its own account; the board still holds them. So records behind a
   hole are stored but not acknowledged, and the old `ack` is published again for every batch: the board sees
   no progress and resends from `seq` + 1.
3. Records that the board has itself dropped (its outbox was full) never come: the record behind them says
   how many, and they are given up at once: counted, and the acknowledgement moves on over them. So is any
   other hole that has stayed for `patience_ms` while the board went on sending. The patience must exceed the
   time after which a board resends. Silence hardly counts: one pause ages a hole by a third at most.
4. Duplicates change nothing but are answered with the current `ack`, since the board may have missed it.
A record that arrives after its hole was given up is still stored.
"""

from __future__ import annotations

_NO_HOLE = -1


class Sequence:
    """Durable record numbers of one boot. Numbers start at 1; a record 0 is harmless."""

    __slots__ = ("_ahead", "ack", "first", "hole_ms")

    def __init__(self, ack: int = 0, first: int = 1, ahead: set[int] | None = None) -> None:
        self.ack = ack
        self.first = first  # of the unbroken run that ends at `ack`
        self._ahead: set[int] = ahead or set()
        self.hole_ms = _NO_HOLE

    def add(self, seq: int) -> None:
        """Record `seq` has become durable."""
        if seq > self.ack:
            self._ahead.add(seq)
            self._close_up()

    def has_hole(self) -> bool:
        """Whether durable records wait behind a missing one."""
        return bool(self._ahead)

    def age_hole(self, elapsed_ms: int, patience_ms: int) -> int:
        """Something of this boot came, `elapsed_ms` after the last. How many records are given up now."""
        if not self._ahead:
            return 0
        if self.hole_ms < 0:
            self.hole_ms = 0
            return 0
        self.hole_ms += min(elapsed_ms, patience_ms // 3 + 1)
        if self.hole_ms < patience_ms:
            return 0
        start = min(self._ahead)
        given_up = start - self.ack - 1
        self.ack = start - 1
        self.first = start
        self._close_up()
        return given_up

    def give_up(self, first: int, last: int) -> int:
        """Numbers `first` .. `last` will never come. How many are given up now.

        None while one before them is missing: it may yet come, and then this is said again.
        """
        if not first - 1 <= self.ack < last:
            return 0
        durable = {number for number in self._ahead if number <= last}
        given_up = last - self.ack - len(durable)
        self._ahead -= durable
        self.ack = last
        self.first = last + 1
        self.hole_ms = _NO_HOLE
        self._close_up()
        return given_up

    def run_first(self) -> int:
        """First number of the unbroken run that ends at the highest durable number."""
        if not self._ahead:
            return self.first
        seq = max(self._ahead)
        while seq - 1 in self._ahead:
            seq -= 1
        return seq

    def _close_up(self) -> None:
        while self.ack + 1 in self._ahead:
            self.ack += 1
            self._ahead.remove(self.ack)
            self.hole_ms = _NO_HOLE  # progress: whatever hole follows has a patience of its own
