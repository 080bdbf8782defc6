"""Batches into the store: once each, all or nothing, and what may be acknowledged."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select
from sqlalchemy.exc import SQLAlchemyError

from greenmast.errors import UserError
from greenmast.hub.messages import GOOD, STALE, Notice, Record
from greenmast.hub.queries import Queries
from greenmast.hub.store import client_id, messages, open_database, samples
from greenmast.hub.writer import Writer

NOW_S = 1_800_000_000


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return open_database(f"sqlite:///{tmp_path}/hub.sqlite3")


def record(
    seq: int,
    values: dict[str, tuple[int | None, int]] | None = None,
    *,
    site: str = "x",
    boot: int = 1,
    at_s: int = NOW_S,
) -> Record:
    told = {"dc.bus_mv": (50_000 + seq, GOOD)} if values is None else values
    return Record(site, "tele", boot, seq, at_s, True, False, at_s * 1000, told)


def count(engine: Engine, table: object) -> int:
    with engine.connect() as connection:
        return int(connection.execute(select(func.count()).select_from(table)).scalar_one())  # type: ignore[arg-type]


def test_a_batch_written_twice_is_stored_once_and_acknowledged_twice(engine: Engine) -> None:
    writer = Writer(engine)
    batch = [record(1), record(2)]
    assert writer.write(batch, 0).acks == {"x": {1: 2}}
    again = writer.write(batch, 0)
    assert (again.records, again.rows, again.duplicates) == (0, 0, 2)
    assert again.acks == {"x": {1: 2}}
    assert (count(engine, messages), count(engine, samples)) == (2, 2)


def test_a_record_twice_in_one_batch_is_stored_once(engine: Engine) -> None:
    written = Writer(engine).write([record(1), record(1)], 0)
    assert (written.records, written.duplicates, count(engine, samples)) == (1, 1, 1)


def test_a_new_writer_goes_on_where_the_old_one_ended(engine: Engine) -> None:
    Writer(engine).write([record(1), record(2), record(4)], 0)
    assert Writer(engine).write([record(3)], 0).acks == {"x": {1: 4}}


def test_sites_and_boots_are_acknowledged_apart(engine: Engine) -> None:
    batch = [record(1), record(2, boot=2), record(1, site="y"), record(1, boot=2)]
    assert Writer(engine).write(batch, 0).acks == {"x": {1: 1, 2: 2}, "y": {1: 1}}


def test_after_a_failed_transaction_nothing_is_stored_or_remembered(engine: Engine) -> None:
    writer = Writer(engine)
    writer.write([record(1)], 0)
    samples.drop(engine)
    with pytest.raises(SQLAlchemyError):
        writer.write([record(2)], 0)
    samples.create(engine)
    assert count(engine, messages) == 1
    assert writer.write([record(3)], 0).acks == {"x": {1: 1}}
    assert writer.write([record(2)], 0).acks == {"x": {1: 3}}


def test_a_hole_is_given_up_only_after_the_patience(engine: Engine) -> None:
    writer = Writer(engine, patience_ms=900)
    now_ms = 0
    acks, given_up = [], 0
    for seq in (1, 3, 4, 5, 6, 7):
        written = writer.write([record(seq)], now_ms)
        acks.append(written.acks["x"][1])
        given_up += written.given_up
        now_ms += 300
    assert acks == [1, 1, 1, 1, 6, 7]
    assert given_up == 1


def test_a_late_record_does_not_overwrite_a_later_value(engine: Engine) -> None:
    writer = Writer(engine)
    writer.write([record(1), record(3)], 0)
    writer.write([record(2)], 0)
    site = Queries(engine).site("x", NOW_S)
    assert site is not None
    assert site.points["dc.bus_mv"].value == 50_003


def test_a_board_whose_boot_count_starts_anew_is_still_followed(engine: Engine) -> None:
    writer = Writer(engine)
    writer.write([record(50, boot=9)], 0)
    writer.write([record(1, boot=1)], 0)
    site = Queries(engine).site("x", NOW_S)
    assert site is not None
    assert (site.boot, site.points["dc.bus_mv"].value) == (1, 50_001)


def test_a_value_that_is_not_good_is_stored_with_its_quality(engine: Engine) -> None:
    Writer(engine).write([record(1, {"dc.bus_mv": (None, STALE)})], 0)
    site = Queries(engine).site("x", NOW_S)
    assert site is not None
    assert (site.points["dc.bus_mv"].value, site.points["dc.bus_mv"].quality) == (None, "stale")


def test_every_value_of_a_site_is_stale_after_its_will(engine: Engine) -> None:
    writer = Writer(engine)
    writer.write([record(1), Notice("x", "state", {"online": False}, False, NOW_S * 1000)], 0)
    site = Queries(engine).site("x", NOW_S)
    assert site is not None
    assert not site.fresh
    assert site.points["dc.bus_mv"].quality == "stale"
    assert site.good("dc.bus_mv") is None


def test_documents_of_a_site_are_kept_as_published(engine: Engine) -> None:
    batch = [
        Notice("x", "info", {"board": "virtual"}, True, NOW_S * 1000),
        Notice("x", "alarms", [{"name": "smoke"}], True, NOW_S * 1000),
    ]
    Writer(engine).write(batch, 0)
    site = Queries(engine).site("x", NOW_S)
    assert site is not None
    assert (site.info, site.alarms) == ({"board": "virtual"}, [{"name": "smoke"}])
    assert site.seen_s_ago is None  # retained copies are no contact


def test_the_client_name_belongs_to_the_database(tmp_path: Path) -> None:
    engines = [open_database(f"sqlite:///{tmp_path}/{name}.sqlite3") for name in ("a", "a", "b")]
    first, same, other = (client_id(engine) for engine in engines)
    assert first == same != other


@pytest.mark.parametrize("url", ["", "nonsense", "sqlite:////no/such/folder/x.db", "mysql://x/y", "foo://x"])
def test_a_bad_database_url_is_one_line_and_exit_2(url: str) -> None:
    with pytest.raises(UserError) as caught:
        open_database(url)
    assert caught.value.exit_code == 2
    assert "\n" not in caught.value.message


def test_a_record_says_which_numbers_will_never_come_even_when_it_comes_again(engine: Engine) -> None:
    writer = Writer(engine)
    behind = replace(record(7), lost=4)
    assert writer.write([record(1), behind], 0).acks == {"x": {1: 1}}
    written = writer.write([record(2), behind], 1)
    assert (written.acks, written.given_up, written.duplicates) == ({"x": {1: 7}}, 4, 1)
    assert Writer(engine).write([behind], 2).acks == {"x": {1: 7}}
