"""Random signals that are functions of (seed, name, time) and of nothing else.

Random access in time is what makes the plant independent of the step size and of what was asked before.
Must keep nothing that could be seen.
"""

from __future__ import annotations

from hashlib import blake2b
from statistics import NormalDist

_MASK = (1 << 64) - 1
_NORMAL = NormalDist()


def stream(seed: int, name: str) -> int:
    """64-bit key of the signal `name` under `seed`."""
    return int.from_bytes(blake2b(f"{seed}:{name}".encode(), digest_size=8).digest(), "little")


def unit(key: int, index: int) -> float:
    """Uniform in [0, 1) for each (key, index): the finaliser of SplitMix64."""
    z = (key + index * 0x9E3779B97F4A7C15) & _MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return ((z ^ (z >> 31)) >> 11) * 2.0**-53


def normal(key: int, index: int) -> float:
    """Standard normal for each (key, index)."""
    return _NORMAL.inv_cdf(unit(key, index) or 2.0**-53)


def smooth(key: int, time_s: float, period_s: float) -> float:
    """Continuous signal in [-1, 1] with mean 0: uniform nodes every `period_s`, straight lines between."""
    position = time_s / period_s
    index = int(position // 1)
    low = unit(key, index)
    return 2.0 * (low + (unit(key, index + 1) - low) * (position - index)) - 1.0


class Smooth:
    """The signal `smooth` of one key and period; quick for times that move on."""

    __slots__ = ("_high", "_index", "_key", "_low", "_period_s")

    def __init__(self, key: int, period_s: float) -> None:
        self._key = key
        self._period_s = period_s
        self._index = 0
        self._low = unit(key, 0)
        self._high = unit(key, 1)

    def at(self, time_s: float) -> float:
        """As `smooth`, to the last bit."""
        position = time_s / self._period_s
        index = int(position // 1)
        if index != self._index:
            self._index = index
            self._low = unit(self._key, index)
            self._high = unit(self._key, index + 1)
        return 2.0 * (self._low + (self._high - self._low) * (position - index)) - 1.0
