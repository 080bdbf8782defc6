"""A load that somebody has measured: from CSV to a profile that the plant's loads take.

Owns its column and what is plausible in it. Must not know tiers: they share the power as the site says.
"""

from __future__ import annotations

from datetime import datetime, timezone

from greenmast.plant.series import Series
from greenmast.simulate.findings import Findings, Limits, lines_of
from greenmast.simulate.rows import DAY_S, place, read_csv

COLUMNS: dict[str, Limits] = {"power_w": (0.0, 100_000.0, "it is watts on the DC side, never negative")}
LEAST_PEAK_W = 50.0


def read(path: str, start: datetime, days: int) -> Series:
    """Power that all tiers together ask for in a run of `days` from local time `start`, whose UTC offset
    holds throughout: W by seconds after local midnight of its first day, for `Plant(.., demand=..)`.

    Raises UserError, exit code 5 with line and remedy for a file that is not right.
    """
    offset = start.utcoffset()
    if offset is None:
        raise ValueError("start needs a UTC offset")
    rows = read_csv(path, lines_of(path), COLUMNS, timezone(offset))
    findings = Findings(path)
    if "power_w" not in rows.columns:
        raise findings.refuse(None, "no column power_w", "the header is time,power_w")
    peak_w = max(rows.columns["power_w"])
    if 0.0 < peak_w < LEAST_PEAK_W:
        raise findings.refuse(None, f"power_w is never above {peak_w:g}", "kW? multiply by 1000")
    midnight = datetime(start.year, start.month, start.day)
    begin_s = (start.replace(tzinfo=None) - midnight).total_seconds()
    placed = place(rows, midnight, begin_s, begin_s + days * DAY_S)
    return Series(placed.times_s, placed.of(rows.columns["power_w"]))
