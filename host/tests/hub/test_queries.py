"""Reading back: ages, history in steps, and no value where nothing is known."""

from __future__ import annotations

from pathlib import Path

import pytest

from greenmast.hub.messages import GOOD, INVALID, Record
from greenmast.hub.queries import Bucket, Queries
from greenmast.hub.store import open_database
from greenmast.hub.writer import Writer

T0 = 1_800_000_000
POINT = "dc.bus_mv"


class Store:
    """A site "x" that reports at the given times."""

    def __init__(self, folder: Path) -> None:
        engine = open_database(f"sqlite:///{folder}/hub.sqlite3")
        self.queries = Queries(engine, stale_after_s=60)
        self._writer = Writer(engine)
        self._seq = 0

    def tell(self, at_s: int, value: int | None = None, quality: int = GOOD, *, received_s: int = 0) -> None:
        """A report at T0 + `at_s`; without a value only a sign of life."""
        self._seq += 1
        values = {} if value is None and quality == GOOD else {POINT: (value, quality)}
        received_ms = (T0 + (received_s or at_s)) * 1000
        self._writer.write(
            [Record("x", "tele", 1, self._seq, T0 + at_s, True, False, received_ms, values)], 0
        )

    def skip(self) -> None:
        """A report that never arrives."""
        self._seq += 1

    def history(self, from_s: int, to_s: int, step_s: int) -> list[tuple[int | None, int | None, int | None]]:
        buckets = self.queries.history("x", POINT, T0 + from_s, T0 + to_s, step_s)
        assert buckets is not None
        assert [b.at for b in buckets] == list(range(T0 + from_s, T0 + to_s, step_s))
        return [(b.low, b.mean, b.high) for b in buckets]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def test_a_value_that_did_not_change_stays_fresh_while_reports_come(store: Store) -> None:
    store.tell(0, 51_000)
    store.tell(100)
    view = store.queries.site("x", T0 + 103)
    assert view is not None
    assert (view.points[POINT].age_s, view.points[POINT].quality) == (3, "good")


def test_a_value_from_before_a_hole_grows_old_although_reports_come(store: Store) -> None:
    store.tell(0, 51_000)
    store.skip()
    store.tell(100)
    view = store.queries.site("x", T0 + 103)
    assert view is not None
    assert view.fresh
    assert (view.points[POINT].age_s, view.points[POINT].quality) == (103, "stale")


def test_a_silent_board_makes_its_values_stale(store: Store) -> None:
    store.tell(0, 51_000)
    for now_s, quality, fresh in ((60, "good", True), (61, "stale", False)):
        view = store.queries.site("x", T0 + now_s)
        assert view is not None
        assert (view.points[POINT].quality, view.fresh) == (quality, fresh)


def test_a_backlog_is_not_fresh_on_arrival(store: Store) -> None:
    store.tell(0, 51_000, received_s=5000)
    view = store.queries.site("x", T0 + 5001)
    assert view is not None
    assert (view.points[POINT].quality, view.points[POINT].age_s, view.fresh) == ("stale", 5001, False)


def test_history_gives_extremes_and_mean_of_each_step(store: Store) -> None:
    for at_s, value in ((0, 10), (5, 20), (9, 33), (10, 40)):
        store.tell(at_s, value)
    assert store.history(0, 20, 10) == [(10, 21, 33), (40, 40, 40)]


def test_a_step_without_a_sample_holds_the_last_value_while_reports_come(store: Store) -> None:
    store.tell(0, 10)
    store.tell(10)
    store.tell(20)
    assert store.history(0, 30, 10) == [(10, 10, 10)] * 3


def test_history_knows_nothing_while_the_board_was_silent(store: Store) -> None:
    store.tell(0, 10)
    store.tell(300, 20)
    assert store.history(0, 310, 10)[5:8] == [(10, 10, 10), (10, 10, 10), (None, None, None)]
    assert store.history(0, 310, 10)[29:] == [(None, None, None), (20, 20, 20)]


def test_history_starts_with_the_value_held_before_it(store: Store) -> None:
    store.tell(0, 10)
    store.tell(30)
    assert store.history(40, 60, 10) == [(10, 10, 10)] * 2


def test_a_value_that_turned_bad_is_not_held(store: Store) -> None:
    store.tell(0, 10)
    store.tell(10, None, INVALID)
    store.tell(20)
    assert store.history(0, 30, 10) == [(10, 10, 10), (None, None, None), (None, None, None)]


def test_the_first_report_of_a_span_is_found(store: Store) -> None:
    store.tell(0, 10)
    store.tell(30, 11)
    assert store.queries.first_report_s("x", T0) == T0
    assert store.queries.first_report_s("x", T0 + 1) == T0 + 30
    assert store.queries.first_report_s("x", T0 + 31) is None
    assert store.queries.first_report_s("y", T0) is None


def test_unknown_names_and_impossible_spans(store: Store) -> None:
    store.tell(0, 10)
    queries = store.queries
    assert queries.site("y", T0) is None
    assert queries.history("y", POINT, T0, T0 + 10, 1) is None
    assert queries.history("x", "no.such", T0, T0 + 2, 1) == [
        Bucket(T0, None, None, None),
        Bucket(T0 + 1, None, None, None),
    ]
    for span in ((T0, T0, 1), (T0, T0 + 10, 0), (T0, T0 + 10_000, 1)):
        with pytest.raises(ValueError, match="step"):
            queries.history("x", POINT, *span)
