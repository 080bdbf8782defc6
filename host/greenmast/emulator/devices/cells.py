"""Cell voltages of a string from its extremes. Must not know any product."""

from __future__ import annotations


def spread(low_mv: float, high_mv: float, cells: int) -> list[float]:
    """`cells` voltages, evenly spaced, both extremes among them, in a fixed irregular order."""
    if cells == 1:
        return [(low_mv + high_mv) / 2.0]
    stride = next(prime for prime in (7, 5, 3, 11) if cells % prime)  # coprime, so every place is taken once
    return [low_mv + (high_mv - low_mv) * (stride * cell % cells) / (cells - 1) for cell in range(cells)]
