"""The acknowledgement rule."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenmast.hub.sequence import Sequence


def test_an_unbroken_run_is_acknowledged_to_its_end() -> None:
    sequence = Sequence()
    for seq in range(1, 6):
        sequence.add(seq)
    assert sequence.ack == 5
    assert not sequence.has_hole()


def test_nothing_behind_a_hole_is_acknowledged() -> None:
    sequence = Sequence()
    for seq in (1, 2, 4, 5):
        sequence.add(seq)
    assert sequence.ack == 2
    assert sequence.run_first() == 4


def test_a_filled_hole_releases_everything_behind_it() -> None:
    sequence = Sequence()
    for seq in (1, 2, 4, 5, 3):
        sequence.add(seq)
    assert sequence.ack == 5
    assert sequence.run_first() == 1


def test_a_hole_that_stays_while_the_board_goes_on_is_given_up() -> None:
    sequence = Sequence()
    for seq in (1, 5):
        sequence.add(seq)
    given_up = [sequence.age_hole(300, 1000) for _ in range(5)]
    assert given_up == [0, 0, 0, 0, 3]
    assert sequence.ack == 5
    assert sequence.run_first() == 5


def test_one_long_silence_does_not_use_up_the_patience() -> None:
    sequence = Sequence()
    for seq in (1, 3):
        sequence.add(seq)
    assert [sequence.age_hole(10**9, 1000) for _ in range(3)] == [0, 0, 0]
    assert sequence.ack == 1


def test_progress_gives_the_next_hole_a_patience_of_its_own() -> None:
    sequence = Sequence()
    for seq in (1, 3, 5):
        sequence.add(seq)
    assert sequence.age_hole(300, 1000) == 0
    assert sequence.age_hole(300, 1000) == 0
    sequence.add(2)
    assert sequence.ack == 3
    assert sequence.age_hole(300, 1000) == 0
    assert sequence.age_hole(300, 1000) == 0
    assert sequence.ack == 3


def test_a_record_after_its_hole_was_given_up_does_not_move_the_acknowledgement_back() -> None:
    sequence = Sequence(ack=9, first=5)
    sequence.add(3)
    assert (sequence.ack, sequence.first) == (9, 5)


@given(st.sets(st.integers(1, 60)), st.randoms(use_true_random=False))
def test_in_any_order_the_acknowledgement_is_the_end_of_the_run_from_1(
    numbers: set[int], shuffler: random.Random
) -> None:
    order = sorted(numbers)
    shuffler.shuffle(order)
    sequence = Sequence()
    for seq in order:
        sequence.add(seq)
        sequence.add(seq)  # duplicates change nothing
    expected = 0
    while expected + 1 in numbers:
        expected += 1
    assert sequence.ack == expected
    assert sequence.has_hole() == (max(numbers, default=0) > expected)


@pytest.mark.parametrize("seed", range(5))
def test_a_board_that_drops_records_still_gets_everything_else_acknowledged(seed: int) -> None:
    rng = random.Random(seed)
    sent = [seq for seq in range(1, 400) if rng.random() > 0.05]
    sequence = Sequence()
    for seq in sent:
        sequence.add(seq)
        sequence.age_hole(200, 1000)
    for _ in range(60 * 10):
        sequence.age_hole(200, 1000)
    assert sequence.ack == sent[-1], f"seed {seed}"


def test_what_the_board_says_will_never_come_is_given_up_at_once() -> None:
    sequence = Sequence()
    sequence.add(1)
    assert sequence.give_up(2, 9) == 8
    sequence.add(10)
    assert sequence.ack == 10
    assert sequence.run_first() == 10, "values told before are only as young as their own reports"
    assert sequence.give_up(2, 9) == 0, "said again"


def test_a_hole_before_what_will_never_come_is_still_waited_for() -> None:
    sequence = Sequence()
    sequence.add(1)
    assert sequence.give_up(4, 5) == 0
    sequence.add(6)
    assert sequence.ack == 1
    for seq in (2, 3):
        sequence.add(seq)
    assert sequence.give_up(4, 5) == 2
    assert sequence.ack == 6


def test_giving_up_millions_costs_nothing_and_counts_none_that_are_there() -> None:
    sequence = Sequence()
    for seq in (3, 5):
        sequence.add(seq)
    assert sequence.give_up(1, 0x7FFFFFFE) == 0x7FFFFFFE - 2
    assert sequence.ack == 0x7FFFFFFE
