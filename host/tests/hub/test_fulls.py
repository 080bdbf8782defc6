"""Full reports are asked of boards whose values the store does not all know."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine

from greenmast.hub.fulls import AGAIN_MS, GRACE_MS, Fulls
from greenmast.hub.messages import GOOD, Freed, MalformedError, Notice, Record, parse
from greenmast.hub.store import open_database
from greenmast.hub.writer import Writer, Written

NOW_S = 1_800_000_000


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return open_database(f"sqlite:///{tmp_path}/hub.sqlite3")


def record(seq: int, *, full: bool = False, boot: int = 7, lost: int = 0) -> Record:
    told = {"dc.bus_mv": (50_000 + seq, GOOD)}
    return Record("x", "tele", boot, seq, NOW_S, True, full, NOW_S * 1000, told, lost=lost)


def online(boot: int, *, so: bool = True) -> Notice:
    return Notice("x", "state", {"online": so, "boot": boot}, True, NOW_S * 1000)


def write(writer: Writer, *items: Record | Freed | Notice) -> Written:
    return writer.write(items, 0)


def test_a_site_is_asked_after_a_moment_and_again_until_its_values_are_known() -> None:
    fulls = Fulls()
    fulls.complete("x", False, 0)
    fulls.complete("x", False, 1_000)
    assert fulls.due(GRACE_MS - 1) == []
    assert fulls.due(GRACE_MS) == ["x"]
    assert fulls.due(GRACE_MS + 1) == []
    assert fulls.due(GRACE_MS + AGAIN_MS) == ["x"]
    fulls.complete("x", True, GRACE_MS + AGAIN_MS)
    assert fulls.due(10 * AGAIN_MS) == []


def test_an_empty_store_knows_a_site_when_a_full_report_has_come(engine: Engine) -> None:
    writer = Writer(engine)
    assert write(writer, online(7)).complete == {"x": False}
    assert write(writer, record(501)).complete == {"x": False}
    assert write(writer, record(502, full=True)).complete == {"x": True}
    assert write(writer, record(503)).complete == {"x": True}
    assert write(Writer(engine), online(7), record(504)).complete == {"x": True}, "the next hub knows it too"
    assert write(writer, online(8)).complete == {"x": False}


def test_lost_records_make_the_values_before_them_uncertain(engine: Engine) -> None:
    writer = Writer(engine)
    assert write(writer, record(1, full=True), record(2)).complete == {"x": True}
    assert write(writer, record(5, lost=2)).complete == {"x": False}
    assert write(writer, record(6, full=True)).complete == {"x": True}


def test_nobody_is_asked_who_is_not_there(engine: Engine) -> None:
    assert write(Writer(engine), online(7, so=False)).complete == {"x": True}


def test_what_a_board_no_longer_has_is_given_up_at_once(engine: Engine) -> None:
    writer = Writer(engine)
    assert write(writer, record(501), record(502, full=True)).acks == {"x": {7: 0}}
    written = write(writer, Freed("x", 7, 500))
    assert (written.acks, written.given_up) == ({"x": {7: 502}}, 500)
    again = write(writer, Freed("x", 7, 400))
    assert (again.acks, again.given_up) == ({"x": {7: 502}}, 0)


def test_what_the_store_has_is_not_given_up(engine: Engine) -> None:
    writer = Writer(engine)
    write(writer, record(1), record(2))
    written = write(writer, Freed("x", 7, 2))
    assert (written.acks, written.given_up) == ({"x": {7: 2}}, 0)


def answer(payload: bytes) -> object:
    return parse("greenmast/1/x/rsp/hub", payload, retained=False, received_ms=0)


def test_answers_of_boards_old_and_new() -> None:
    good = b'{"id":1,"result":{"boot":7,"seq":520,"acked":[7,500]}}'
    assert answer(good) == [Freed("x", 7, 500)]
    assert answer(b'{"id":1,"error":{"code":"unknown","message":"no method tele.full here"}}') == []
    for bad in (b"", b"{}", good.replace(b"[7,500]", b"[7]"), good.replace(b"500", b"-1"), b"[]"):
        with pytest.raises(MalformedError):
            answer(bad)
