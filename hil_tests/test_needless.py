"""The rule by which the campaign of kills judges movements: what it lets pass and what it does not."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hil_tests.deaths import Mark, needless

from greenmast.plant.config import CONTACTORS

IDLE = {name: name != "genset" for name in CONTACTORS}


def marks(name: str, *rows: tuple[bool, bool, int]) -> list[Mark]:
    """From (is a death, closed, moves in its life) of the one contactor that does anything."""
    out = []
    for k, (is_death, closed, moves) in enumerate(rows):
        pins = {name: [IDLE[name], closed]} if closed != IDLE[name] else {}
        positions = IDLE | {name: closed}
        out.append(Mark(is_death, float(k), positions, dict.fromkeys(CONTACTORS, 0) | {name: moves}, pins))
    return out


START, DEATH = False, True
CLOSED, OPEN = True, False


@pytest.mark.parametrize(
    "rows",
    [
        # genset: falls open, returns
        [(START, CLOSED, 0), (DEATH, CLOSED, 0), (START, CLOSED, 2)],
        # falls open and is not needed any more; or returns first, then goes
        [(START, CLOSED, 0), (DEATH, CLOSED, 0), (START, OPEN, 1)],
        [(START, CLOSED, 0), (DEATH, CLOSED, 0), (START, OPEN, 3)],
        # closed by the change, falls, returns
        [(START, OPEN, 0), (DEATH, CLOSED, 1), (START, CLOSED, 3)],
        # two deaths, the second before anything had resumed
        [(START, CLOSED, 0), (DEATH, CLOSED, 0), (DEATH, OPEN, 1), (START, CLOSED, 2)],
        [(START, OPEN, 0), (DEATH, OPEN, 0), (START, OPEN, 0)],
    ],
)
def test_what_a_reset_costs_anyway_and_what_the_change_needs_is_let_pass(
    rows: Sequence[tuple[bool, bool, int]],
) -> None:
    wrong, moves = needless(marks("genset", *rows), IDLE)
    assert not wrong
    assert moves == rows[-1][2]


@pytest.mark.parametrize(
    "rows",
    [
        [(START, OPEN, 0), (DEATH, OPEN, 0), (START, OPEN, 2)],  # it stood open all the time
        [(START, CLOSED, 0), (DEATH, CLOSED, 0), (START, CLOSED, 4)],  # it came back twice
        [(START, OPEN, 0), (START, OPEN, 2)],  # without any death
        [(START, OPEN, 0), (DEATH, CLOSED, 3), (START, CLOSED, 5)],  # the change needed one
        [(START, CLOSED, 0), (DEATH, CLOSED, 0), (START, OPEN, 5)],
    ],
)
def test_one_movement_to_and_fro_more_is_told(rows: Sequence[tuple[bool, bool, int]]) -> None:
    wrong, _ = needless(marks("genset", *rows), IDLE)
    assert len(wrong) == 1
    assert "genset moved" in wrong[0]
