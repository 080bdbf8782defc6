"""How old a value is and whether it may pass for fresh. Pure; the only place where the hub decides this.

Boards report by exception: a value that is not in a report is still within its dead band. So a report
confirms every value that was told before it in an unbroken run of records; a value told before a missing
record is only as young as its own report. A time of confirmation is the earlier of the hub's receipt and the
board's clock where that is trusted, so that a backlog sent after an outage is as old as it is. A value that
the board calls good is shown as stale when it was not confirmed for `stale_after_s`, or when the broker has
published the board's will.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Report:
    """Where a value was told last, or the site's last report. Times in Unix s."""

    boot: int
    seq: int
    ts: int
    trusted: bool
    received_s: int

    @property
    def at_s(self) -> int:
        """The earlier of receipt and trusted board clock."""
        return min(self.ts, self.received_s) if self.trusted else self.received_s


def confirmed_s(told: Report, last: Report | None, run_first: int) -> int:
    """Unix s at which the value told in `told` was last confirmed, by the unbroken run up to `last`."""
    if last is None or told.boot != last.boot or not run_first <= told.seq <= last.seq:
        return told.at_s
    return max(told.at_s, last.at_s)


def shown_quality(told_quality: str, age_s: int, *, offline: bool, stale_after_s: int) -> str:
    """The quality that a screen may show for a value that the board told with `told_quality`."""
    if told_quality == "good" and (offline or age_s > stale_after_s):
        return "stale"
    return told_quality
