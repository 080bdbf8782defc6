"""When a check holds and when it has failed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from greenmast.scenario.judge import Failure, Judge

STORY = Callable[[int], int | None]


class Bit:
    value_now: int | None = 0

    def value(self, name: str) -> int | None:
        return self.value_now


@pytest.fixture
def judge(load) -> Callable[[str, STORY], list[Failure]]:
    """Failures of a check on a bit that is `story(seconds)` at every scan of ten minutes and its hold."""

    def run(check: str, story: STORY) -> list[Failure]:
        scenario = load(check + "\nthat = 'site.smoke == 1'\n")
        judge = Judge(scenario, lambda: ("how it was",))
        bit = Bit()
        for second in range(scenario.end_ms // 1_000 + 1):
            now = story(second)
            bit.value_now = None if now is None else int(now)
            judge.look(second * 1_000, bit)
        judge.end(scenario.end_ms)
        return judge.failures

    return run


def test_an_expectation_is_met_by_one_true_moment_in_its_span(judge) -> None:
    assert judge("[[expect]]\nafter = 60\nby = 120", lambda s: s == 120) == []
    assert judge("[[expect]]\nafter = 60\nby = 120", lambda s: s == 60) == []


def test_an_expectation_fails_when_the_true_moment_lies_outside(judge) -> None:
    for moment in (59, 121):
        (failure,) = judge("[[expect]]\nafter = 60\nby = 120", lambda s, at=moment: s == at)
        assert failure.at_s == 120
        assert failure.saw == "site.smoke = 0"
        assert failure.what == "[[expect]] 1 site.smoke == 1 in 0:01:00 .. 0:02:00"
        assert failure.context == ("how it was",)


def test_hold_counts_from_a_moment_in_the_span_and_may_end_after_it(judge) -> None:
    check = "[[expect]]\nafter = 60\nby = 120\nhold = 100"
    assert judge(check, lambda s: 120 <= s <= 220) == []
    assert judge(check, lambda s: 61 <= s <= 70 or 100 <= s <= 200) == []
    assert judge(check, lambda s: s <= 160) == []


def test_an_expectation_that_does_not_hold_long_enough_fails_when_it_ends(judge) -> None:
    (failure,) = judge("[[expect]]\nafter = 60\nby = 120\nhold = 100", lambda s: 110 <= s < 209)
    assert failure.at_s == 209
    assert failure.saw == "site.smoke = 0, after it had held for 0:01:39 from 0:01:50"


def test_always_fails_at_its_first_false_moment(judge) -> None:
    (failure,) = judge("[[always]]", lambda s: s not in (77, 99))
    assert (failure.at_s, failure.saw) == (77, "site.smoke = 0")
    assert judge("[[always]]\nafter = 78\nby = 98", lambda s: s not in (77, 99)) == []


def test_never_fails_at_its_first_true_moment(judge) -> None:
    (failure,) = judge("[[never]]", lambda s: s in (77, 99))
    assert (failure.at_s, failure.saw) == (77, "site.smoke = 1")
    assert judge("[[never]]\nafter = 78\nby = 98", lambda s: s in (77, 99)) == []


@pytest.mark.parametrize("kind", ["always", "never"])
def test_an_unknown_moment_breaks_neither_always_nor_never(judge, kind: str) -> None:
    good = int(kind == "always")
    assert judge(f"[[{kind}]]", lambda s: good if s % 2 else None) == []


@pytest.mark.parametrize("kind", ["always", "never"])
def test_what_was_never_known_has_not_been_kept(judge, kind: str) -> None:
    (failure,) = judge(f"[[{kind}]]", lambda s: None)
    assert failure.saw == "never known: site.smoke = unknown"


def test_an_unknown_moment_meets_no_expectation_and_breaks_a_hold(judge) -> None:
    assert len(judge("[[expect]]\nby = 60", lambda s: None)) == 1
    assert len(judge("[[expect]]\nby = 60\nhold = 60", lambda s: None if s == 55 else int(s < 90))) == 1
