"""Contactors with travel time, auxiliary contacts and the ways they fail.

Owns coil, main contacts and auxiliary contact. Must not know what a contactor connects.
"""

from __future__ import annotations

from collections.abc import Callable

NEVER_S = float("inf")


class Contactor:
    """One contactor: the main contacts reach the commanded position `travel_s` after the coil changes.

    `closed` is the main contacts, `feedback` the auxiliary contact (follows the main contacts).
    Faults, settable at any time: `welded` (does not open), `wont_close`, `feedback_stuck` (keeps its value),
    `chatter` (the auxiliary contact is found in the other position at every look).
    """

    __slots__ = (
        "_changed", "_chatter", "_feedback_stuck", "_welded", "_wont_close",
        "closed", "due_s", "energised", "feedback", "idle_closed", "operations", "travel_s",
    )  # fmt: skip

    def __init__(self, idle_closed: bool, travel_s: float, changed: Callable[[Contactor], None]) -> None:
        self.idle_closed = idle_closed
        self.travel_s = travel_s
        self.energised = False
        self.closed = idle_closed
        self.feedback = idle_closed
        self.operations = 0
        self.due_s = NEVER_S
        self._changed = changed
        self._welded = False
        self._wont_close = False
        self._feedback_stuck = False
        self._chatter = False

    def look(self) -> bool:
        """Read the auxiliary contact, True = closed."""
        if self._chatter:
            self.feedback = not self.feedback
        return self.feedback

    @property
    def wanted(self) -> bool:
        """Position the main contacts are driven to, faults included."""
        closed = self.energised != self.idle_closed
        if self.closed:
            return closed or self._welded
        return closed and not self._wont_close

    def settle(self) -> None:
        """Arrive: the main contacts take the wanted position."""
        self.due_s = NEVER_S
        if self.closed != self.wanted:
            self.closed = not self.closed
            self.operations += 1
        if not self._feedback_stuck:
            self.feedback = self.closed

    @property
    def welded(self) -> bool:
        return self._welded

    @welded.setter
    def welded(self, welded: bool) -> None:
        self._welded = welded
        self._changed(self)

    @property
    def wont_close(self) -> bool:
        return self._wont_close

    @wont_close.setter
    def wont_close(self, wont_close: bool) -> None:
        self._wont_close = wont_close
        self._changed(self)

    @property
    def feedback_stuck(self) -> bool:
        return self._feedback_stuck

    @feedback_stuck.setter
    def feedback_stuck(self, stuck: bool) -> None:
        self._feedback_stuck = stuck
        if not stuck:
            self.feedback = self.closed

    @property
    def chatter(self) -> bool:
        return self._chatter

    @chatter.setter
    def chatter(self, chatter: bool) -> None:
        self._chatter = chatter
        if not chatter and not self._feedback_stuck:
            self.feedback = self.closed


class ContactorBank:
    """All contactors of a cabinet and the instant at which the next one arrives (`due_s`)."""

    __slots__ = ("contactors", "due_s", "now_s")

    def __init__(self, idle_closed: dict[str, bool], travel_s: dict[str, float]) -> None:
        self.now_s = 0.0
        self.due_s = NEVER_S
        self.contactors = {
            name: Contactor(idle, travel_s[name], self._reschedule) for name, idle in idle_closed.items()
        }

    def coil(self, name: str, energised: bool) -> None:
        """Energise or release a coil now. Raises KeyError for an unknown name."""
        contactor = self.contactors[name]
        if contactor.energised != energised:
            contactor.energised = energised
            self._reschedule(contactor)

    def advance(self, now_s: float) -> None:
        """Let every contactor due by `now_s` arrive."""
        self.now_s = now_s
        if now_s < self.due_s:
            return
        for contactor in self.contactors.values():
            if contactor.due_s <= now_s:
                contactor.settle()
        self.due_s = min(contactor.due_s for contactor in self.contactors.values())

    def _reschedule(self, contactor: Contactor) -> None:
        if contactor.closed == contactor.wanted:
            contactor.due_s = NEVER_S
        elif contactor.due_s == NEVER_S:
            contactor.due_s = self.now_s + contactor.travel_s
        self.due_s = min(each.due_s for each in self.contactors.values())
