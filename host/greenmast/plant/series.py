"""A quantity that somebody has measured: values at times, straight lines between them.

Owns the look-up. Must not know what is measured, nor where it comes from.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterable


class Series:
    """At least two points; the first value holds before them, the last one after.

    Quick for times that move on; any order gives the same values.
    """

    __slots__ = ("_index", "times_s", "values")

    def __init__(self, times_s: Iterable[float], values: Iterable[float]) -> None:
        """Raises ValueError unless the times ascend and there is a value for each of two or more."""
        self.times_s = array("d", times_s)
        self.values = array("d", values)
        self._index = 0
        times = self.times_s
        if len(times) < 2 or len(times) != len(self.values):
            raise ValueError(f"{len(times)} times and {len(self.values)} values make no series")
        if any(times[i] >= times[i + 1] for i in range(len(times) - 1)):
            raise ValueError("times must ascend")

    def at(self, time_s: float) -> float:
        """Value at `time_s`."""
        times = self.times_s
        index = self._index
        if not times[index] <= time_s < times[index + 1]:
            index = self._index = min(max(bisect_right(times, time_s) - 1, 0), len(times) - 2)
        begin_s = times[index]
        share = min(max((time_s - begin_s) / (times[index + 1] - begin_s), 0.0), 1.0)
        value = self.values[index]
        return value + (self.values[index + 1] - value) * share
