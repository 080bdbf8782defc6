"""Hours of the day, as (first minute, minute after the last): over midnight too; none when both are equal.

Minutes are local time since any midnight (see `Snapshot`); without a trusted clock there are none.
"""

_DAY_MIN = 1_440


def within(minute: "int | None", hours: "tuple[int, int]") -> bool:
    """Whether `minute` lies in `hours`."""
    if minute is None or hours[0] == hours[1]:
        return False
    of_day = minute % _DAY_MIN
    if hours[0] < hours[1]:
        return hours[0] <= of_day < hours[1]
    return of_day >= hours[0] or of_day < hours[1]


def until_s(minute: int, of_day: int) -> int:
    """Seconds from `minute` to the next time that the day's minute is `of_day`; a whole day if it is now."""
    return ((of_day - minute - 1) % _DAY_MIN + 1) * 60
