"""Durations and conditions."""

from __future__ import annotations

import pytest

from greenmast.scenario import terms
from greenmast.scenario.terms import TermError
from greenmast_protocol import points


class Known:
    """A view of given values."""

    def __init__(self, **values: int | None) -> None:
        self._values = {name.replace("__", "."): value for name, value in values.items()}

    def value(self, name: str) -> int | None:
        return self._values.get(name)


@pytest.mark.parametrize(
    ("given", "ms"),
    [
        ("90s", 90_000),
        ("10m", 600_000),
        ("10min", 600_000),
        ("3h", 10_800_000),
        ("1d", 86_400_000),
        ("1h30m", 5_400_000),
        ("1h 30m", 5_400_000),
        ("500ms", 500),
        ("1.5h", 5_400_000),
        ("40", 40_000),
        (90, 90_000),
        (0, 0),
        (0.5, 500),
    ],
)
def test_a_duration_is_a_number_of_seconds_or_parts_with_units(given: object, ms: int) -> None:
    assert terms.duration_ms(given) == ms


@pytest.mark.parametrize("given", ["", "3 hours", "10x", "m10", "-5s", -5, True, None, [], "1h30"])
def test_what_is_no_duration_is_refused(given: object) -> None:
    with pytest.raises(TermError, match="no duration"):
        terms.duration_ms(given)


@pytest.mark.parametrize(
    ("text", "value", "so"),
    [
        ("battery.soc_permille == 5", 5, True),
        ("battery.soc_permille != 5", 5, False),
        ("battery.soc_permille < 5", 4, True),
        ("battery.soc_permille <= 5", 6, False),
        ("battery.soc_permille>5", 6, True),
        ("battery.soc_permille >= 5", 5, True),
        ("battery.soc_permille > 1_000", 999, False),
    ],
)
def test_every_operator_compares_the_point_with_the_literal(text: str, value: int, so: bool) -> None:
    that, problems = terms.conjunction(text)
    assert not problems
    assert that.judge(Known(battery__soc_permille=value)) is so


@pytest.mark.parametrize(
    ("text", "literal"),
    [
        ("source.ac == none", 0),
        ("source.ac == 2", 2),
        ("genset.state == on_load", points.GENSET_STATES.index("on_load")),
        ("controller.mode == disaster", 2),
        ("reason.ac == grid_available", 24),
        ("battery.current_ma < -100", -100),
        ("site.door_open == true", 1),
        ("output.load1 == false", 0),
        ("alarm.smoke == true", 1),
        ('genset.state == "off"', 0),
    ],
)
def test_a_literal_is_an_integer_a_word_of_its_point_or_a_truth_value(text: str, literal: int) -> None:
    assert terms.condition(text).literal == literal


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("source.ac = none", "no condition"),
        ("source.ac", "no condition"),
        (5, "no condition"),
        ("sorce.ac == none", "did you mean: source.ac"),
        ("alarm.smok == 1", "did you mean: alarm.smoke"),
        ("genset.state == onload", "did you mean: on_load"),
        ("grid.voltage_mv == high", "not an integer"),
        ("grid.voltage_mv == true", "not an integer"),
    ],
)
def test_a_wrong_condition_is_refused_with_what_was_probably_meant(text: object, says: str) -> None:
    with pytest.raises(TermError, match=says):
        terms.condition(text)


def test_a_conjunction_is_true_when_all_its_parts_are() -> None:
    that, _ = terms.conjunction(["output.load1 == 1", "output.load2 == 1"])
    assert that.judge(Known(output__load1=1, output__load2=1)) is True
    assert that.judge(Known(output__load1=1, output__load2=0)) is False


def test_an_unknown_value_makes_a_conjunction_unknown_unless_another_part_is_false() -> None:
    that, _ = terms.conjunction(["output.load1 == 1", "output.load2 != 1"])
    assert that.judge(Known(output__load1=1)) is None
    assert that.judge(Known(output__load2=1)) is False


def test_what_was_seen_is_told_in_the_words_of_the_point() -> None:
    that, _ = terms.conjunction(["source.ac == grid", "battery.soc_permille > 1", "output.load1 == 1"])
    view = Known(source__ac=2, battery__soc_permille=420)
    assert that.saw(view) == "source.ac = genset, battery.soc_permille = 420, output.load1 = unknown"
