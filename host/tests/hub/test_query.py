"""`hub query`: sites, newest values and history, for people and scripts."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from greenmast.errors import DONE, REFUSED, USAGE, UserError
from greenmast.hub import query
from greenmast.hub.messages import GOOD, INVALID, Record
from greenmast.hub.store import open_database
from greenmast.hub.writer import Writer


@pytest.fixture
def db(tmp_path: Path) -> str:
    url = f"sqlite:///{tmp_path}/hub.db"
    told_s = int(time.time()) - 5
    values: dict[str, tuple[int | None, int]] = {
        "dc.bus_mv": (51_200, GOOD),
        "grid.voltage_mv": (None, INVALID),
    }
    Writer(open_database(url)).write(
        [Record("alpha", "tele", 1, 1, told_s, True, True, told_s * 1000, values)], 0
    )
    return url


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().out.splitlines()


def ask(db: str, site: str | None = None, point: str | None = None, as_json: bool = False) -> int:
    return query.run(site, point, db, 600, 60, as_json)


def test_sites_are_listed(db: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert ask(db) == DONE
    assert lines(capsys)[0].startswith("alpha")


def test_values_without_a_good_quality_are_not_shown(db: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert ask(db, "alpha", as_json=True) == DONE
    rows = {row["point"]: row for row in map(json.loads, lines(capsys))}
    assert rows["dc.bus_mv"]["text"] == "51.20 V"
    assert (rows["grid.voltage_mv"]["value"], rows["grid.voltage_mv"]["quality"]) == (None, "invalid")


def test_history_comes_in_steps(db: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert ask(db, "alpha", "dc.bus_mv", as_json=True) == DONE
    assert 51_200 in [json.loads(line)["mean"] for line in lines(capsys)]


def test_an_unknown_site_names_the_near_ones(db: str) -> None:
    with pytest.raises(UserError, match="did you mean: alpha") as refused:
        ask(db, "alpah")
    assert refused.value.exit_code == REFUSED


def test_a_database_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no database") as refused:
        ask(f"sqlite:///{tmp_path}/none.db")
    assert refused.value.exit_code == USAGE
    assert not list(tmp_path.iterdir())


def test_gaps_are_listed_with_their_numbers_and_whether_they_may_yet_come(
    db: str, capsys: pytest.CaptureFixture[str]
) -> None:
    told_s = int(time.time()) - 5
    for seq, lost in ((2, 0), (6, 3), (8, 0)):
        Writer(open_database(db)).write(
            [Record("alpha", "log", 1, seq, told_s, True, False, told_s * 1000, body="{}", lost=lost)], 0
        )
    assert query.run("alpha", None, db, 600, 60, True, gaps=True) == DONE
    rows = [json.loads(line) for line in lines(capsys)]
    assert [(row["first"], row["last"], row["count"], row["state"]) for row in rows] == [
        (3, 5, 3, "lost"),
        (7, 7, 1, "awaited"),
    ]
    assert query.run("alpha", None, db, 600, 60, False, gaps=True) == DONE
    assert "3 .. 5, 3 records" in lines(capsys)[0]
    with pytest.raises(UserError, match="one site"):
        query.run(None, None, db, 600, 60, False, gaps=True)
