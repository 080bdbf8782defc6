"""A time zone's rules as a board can use them: a list of numbers, see `greenmast_fw.drivers.wall`.

A fixed span of years, so that one site file always compiles to the same configuration.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

FIRST_YEAR, LAST_YEAR = 2025, 2038
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MINUTE = timedelta(minutes=1)


def compiled(name: object) -> list[int]:
    """Minutes ahead of UTC, then (minute since 2000 UTC, minutes ahead from it on) in rising order.

    UTC for a name that is none: who checks the site file says so.
    """
    try:
        return list(_rules(str(name)))
    except (ZoneInfoNotFoundError, ValueError):
        return [0]


@cache
def _rules(name: str) -> tuple[int, ...]:
    zone = ZoneInfo(name)
    now, end = datetime(FIRST_YEAR, 1, 1, tzinfo=UTC), datetime(LAST_YEAR, 12, 31, tzinfo=UTC)
    rules = [_ahead(now, zone)]
    while now < end:
        then = now + timedelta(days=1)
        if _ahead(then, zone) != rules[-1]:
            low, high = now, then
            while high - low > _MINUTE:
                middle = low + (high - low) // 2 // _MINUTE * _MINUTE
                low, high = (low, middle) if _ahead(middle, zone) != rules[-1] else (middle, high)
            rules += [(high - _EPOCH) // _MINUTE, _ahead(high, zone)]
        now = then
    return tuple(rules)


def _ahead(moment: datetime, zone: ZoneInfo) -> int:
    offset = moment.astimezone(zone).utcoffset()
    return offset // _MINUTE if offset else 0
