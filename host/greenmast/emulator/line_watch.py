"""What an observer on the line sees: the silence that a master leaves, and the last transmissions.

Owns the measurement of t3.5 and the trace. Must not know terminals, and changes nothing on the line.

The silence before a request is the time from the last character that the master had, or sent itself, until
its next request was taken from its terminal. A character counts from when it was handed over, which may be
later than it was due: a wire that wakes up late gives no silence away. A pause inside a request counts, too;
a character that nobody sent does not, for it may come when a master has just looked.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from greenmast.emulator.line_faults import MASTER, NOBODY, Character, Transmission

TRACED = 200
_TRACED_BYTES = 300  # of each
_ALLOWANCE_US = 2  # the master's clock counts whole microseconds at both ends of the silence


class Watch:
    """`us_ns`: a microsecond of the line's own time."""

    def __init__(self, baud: int, us_ns: float, now_ns: int) -> None:
        # t3.5 of "MODBUS over Serial Line V1.02" 2.5.1.1: fixed above 19200 baud.
        self._least_us = (38_500_000 / baud if baud <= 19_200 else 1_750.0) - _ALLOWANCE_US
        self._us_ns = us_ns
        self._begun_ns = now_ns
        self._had_ns: int | None = None
        self._gaps = self._violations = 0
        self._gap_min_us = -1
        self._frames: deque[_Frame] = deque(maxlen=TRACED)
        self._open: dict[int, _Frame] = {}

    def requested(self, now_ns: int) -> None:
        """The master has begun to send."""
        if self._had_ns is None:
            return
        gap_us = max(now_ns - self._had_ns, 0) / self._us_ns
        self._gaps += 1
        self._violations += gap_us < self._least_us
        self._gap_min_us = int(gap_us) if self._gap_min_us < 0 else min(int(gap_us), self._gap_min_us)

    def sent(self, end_ns: int) -> None:
        """The master's own character will have left at `end_ns`."""
        self._had_ns = end_ns

    def had(self, now_ns: int) -> None:
        """The master has been given a character."""
        self._had_ns = max(now_ns, self._had_ns or now_ns)

    def passed(self, char: Character, heard: int | None) -> None:
        """A character has passed; the others have received `heard`."""
        frame = self._open.get(char.sender)
        if frame is None or frame.of is not char.of:
            frame = self._open[char.sender] = _Frame(char.of)
            self._frames.append(frame)
        if len(frame.sent) < _TRACED_BYTES:
            frame.sent.append(char.sent)
            if heard is not None:
                frame.heard.append(heard)

    def counters(self) -> dict[str, int]:
        """`gaps` measured, the shortest (-1: none yet), how many were too short."""
        return {"gaps": self._gaps, "gap_min_us": self._gap_min_us, "gap_violations": self._violations}

    def trace(self) -> list[dict[str, Any]]:
        """The last transmissions, the oldest first: when, from whom, what was driven and what was heard."""
        return [
            {
                "at_us": round((frame.of.start_ns - self._begun_ns) / self._us_ns),
                "from": _name(frame.of.sender),
                "sent": frame.sent.hex(),
                "heard": frame.heard.hex(),
            }
            for frame in self._frames
        ]


class _Frame:
    def __init__(self, of: Transmission) -> None:
        self.of = of
        self.sent = bytearray()
        self.heard = bytearray()


def _name(sender: int) -> str:
    return {MASTER: "master", NOBODY: "noise"}.get(sender, f"slave {sender}")
