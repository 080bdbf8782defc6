"""A stale value never passes for a fresh one."""

from __future__ import annotations

from greenmast.hub.freshness import Report, confirmed_s, shown_quality


def _report(
    seq: int, at: int, *, boot: int = 1, trusted: bool = True, received_s: int | None = None
) -> Report:
    return Report(boot, seq, at, trusted, at if received_s is None else received_s)


def test_a_later_report_of_the_same_run_confirms_a_value() -> None:
    assert confirmed_s(_report(5, 100), _report(9, 160), run_first=1) == 160


def test_a_report_behind_a_hole_does_not_confirm_what_was_told_before_it() -> None:
    assert confirmed_s(_report(5, 100), _report(9, 160), run_first=8) == 100


def test_a_report_of_another_boot_does_not_confirm() -> None:
    assert confirmed_s(_report(5, 100, boot=1), _report(9, 160, boot=2), run_first=1) == 100


def test_a_backlog_is_as_old_as_the_board_says() -> None:
    backlog = _report(5, 100, received_s=4000)
    assert confirmed_s(backlog, backlog, run_first=1) == 100


def test_an_untrusted_clock_counts_for_nothing() -> None:
    report = _report(5, 7, trusted=False, received_s=4000)
    assert confirmed_s(report, report, run_first=1) == 4000


def test_a_clock_ahead_makes_no_value_younger_than_its_receipt() -> None:
    report = _report(5, 9000, received_s=4000)
    assert confirmed_s(report, report, run_first=1) == 4000


def test_good_turns_stale_with_age_and_with_the_will_and_nothing_turns_good() -> None:
    assert shown_quality("good", 10, offline=False, stale_after_s=10) == "good"
    assert shown_quality("good", 11, offline=False, stale_after_s=10) == "stale"
    assert shown_quality("good", 0, offline=True, stale_after_s=10) == "stale"
    assert shown_quality("invalid", 0, offline=False, stale_after_s=10) == "invalid"
    assert shown_quality("stale", 0, offline=False, stale_after_s=10) == "stale"
