"""Commands that look, against the firmware's own console on a pseudo-terminal."""

from __future__ import annotations

import json
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from greenmast.cli.app import app
from greenmast.link.serial import SerialLink
from greenmast_protocol import points, reasons

runner = CliRunner()


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SerialLink, "answer_s", 0.5)
    for name in ("GREENMAST_PORT", "GREENMAST_MQTT", "GREENMAST_SITE"):
        monkeypatch.delenv(name, raising=False)


def run(board: Any, *args: str) -> Result:
    return runner.invoke(app, [*args, "--port", board.port])


def document(board: Any, *args: str) -> Any:
    done = run(board, *args, "--json")
    assert done.exit_code == 0, done.stderr
    return json.loads(done.stdout)


def test_status_shows_who_what_and_why(pty_board: Any) -> None:
    done = run(pty_board, "status")
    assert done.exit_code == 0, done.stderr
    for text in ("india-rural", "boot 7", "solar 640 W ─▶", "bus 51.23 V", "load 2010 W", "82.3 %", "8.1 A"):
        assert text in done.stdout, text
    assert "grid within its limits" in done.stdout
    assert "state of charge 25.0 % below 30.0 %" in done.stdout


def test_status_leaves_out_what_is_as_it_should_be(pty_board: Any) -> None:
    margin = ((reasons.code("bus_margin"), 51_000, 47_500),)
    pty_board.board.rows = [
        ("load2", "connected", 0, (), (), ()),
        ("load3", "connected", 0, (), margin, ()),
        ("battery", "connected", 0, (), (), ("empty", 3_600)),
    ]
    shown = run(pty_board, "status").stdout
    assert "next: empty in 1 h 00 min" in shown
    assert "as it should be; fine" not in shown
    assert len(document(pty_board, "status")["rows"]) == 3


def test_status_shows_missing_values_as_missing(pty_board: Any) -> None:
    pty_board.board.v["dc.bus_mv"] = None
    done = run(pty_board, "status")
    assert "bus ?" in done.stdout
    assert "stale, 1.2 s ago" in done.stdout


def test_status_document_has_every_point_its_quality_and_its_age(pty_board: Any) -> None:
    doc = document(pty_board, "status")
    assert doc["hello"]["site"] == "india-rural"
    assert set(doc["points"]) == set(points.NAMES)
    assert doc["points"]["dc.bus_mv"] == 51_234
    assert doc["points"]["genset.rpm"] is None
    assert doc["quality"]["genset.rpm"] == "stale"
    assert doc["age_ms"]["dc.bus_mv"] == 1_240


def test_get_shows_value_unit_quality_and_age(pty_board: Any) -> None:
    done = run(pty_board, "get", "dc.bus_mv", "genset.fuel_permille", "source.ac", "solar.energy_wh")
    assert done.exit_code == 0, done.stderr
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert lines == [
        "genset.fuel_permille ? stale, 125.0 s ago",
        "dc.bus_mv 51.23 V 1.2 s ago",
        "solar.energy_wh ? stale, never read",
        "source.ac grid",
    ]


def test_get_takes_patterns(pty_board: Any) -> None:
    doc = document(pty_board, "get", "battery.*")
    assert set(doc["points"]) == {name for name in points.NAMES if name.startswith("battery.")}


def test_get_of_an_unknown_point_is_refused_by_name(pty_board: Any) -> None:
    done = run(pty_board, "get", "dc.bus_kv")
    assert done.exit_code == 1
    assert "no point dc.bus_kv (invalid_value)" in done.stderr
    assert done.stdout == ""


def test_explain_gives_sentences_and_documents(pty_board: Any) -> None:
    done = run(pty_board, "explain")
    assert done.stdout.splitlines() == [
        "AC source grid: grid within its limits",
        "genset off: state of charge 25.0 % below 30.0 %; in the way: minimum off time: 1 min 30 s left; "
        "next: start in 1 min 30 s",
    ]
    row = document(pty_board, "explain")["rows"][1]
    assert (row["subject"], row["reason"], row["blocked"]) == ("genset", "soc_low", ["min_off"])
    assert row["next"] == {"what": "start", "in_s": 90}


def test_a_reason_of_a_newer_board_is_named_by_its_number(pty_board: Any) -> None:
    pty_board.board.rows = [("wind", "on", 250, (), (), ()), "a line"]
    assert run(pty_board, "explain").stdout.splitlines() == ["wind on: reason 250", "a line"]
    assert document(pty_board, "explain")["rows"][0]["reason"] == "250"


def test_alarms_come_with_severity_and_remedy(pty_board: Any) -> None:
    done = run(pty_board, "alarms")
    assert "major" in done.stdout
    assert "battery low: restore a source" in done.stdout
    alarm = document(pty_board, "alarms")["alarms"][0]
    assert (alarm["id"], alarm["name"], alarm["severity"]) == (13, "battery_low", "major")


def test_alarms_show_their_state_and_the_number_to_acknowledge(pty_board: Any) -> None:
    pty_board.board.active.append({"id": 22, "name": "smoke", "state": "cleared", "ts": 1, "trusted": True})
    lines = [line.split()[:4] for line in run(pty_board, "alarms").stdout.splitlines()]
    assert lines == [["major", "active", "13", "battery_low"], ["critical", "cleared", "22", "smoke"]]
    assert [a["state"] for a in document(pty_board, "alarms")["alarms"]] == ["active", "cleared"]


@pytest.mark.parametrize("which", ["13", "battery_low"])
def test_an_acknowledgement_goes_to_the_board_and_its_refusal_is_printed(pty_board: Any, which: str) -> None:
    done = run(pty_board, "alarms", "ack", which)
    assert done.exit_code == 4
    assert "not_authorised" in done.stderr
    sent = pty_board.stream.received.decode()
    assert '"params":{"name":"alarm.ack","args":{"id":13}}' in sent.replace(" ", "")


@pytest.mark.parametrize("words", [("ack",), ("shelve", "13"), ("ack", "no_such_alarm")])
def test_what_is_no_acknowledgement_is_a_usage_error(pty_board: Any, words: tuple[str, ...]) -> None:
    assert run(pty_board, "alarms", *words).exit_code == 2


def test_what_is_fine_is_apart_from_what_is_in_the_way_in_documents_too(pty_board: Any) -> None:
    entries = ((reasons.code("soc_above"), 421, 400), (reasons.code("fuel_enough"), 600, 100))
    pty_board.board.rows = [("genset", "off", reasons.code("no_demand"), (), entries, ())]
    row = document(pty_board, "explain")["rows"][0]
    assert (row["blocked"], row["fine"]) == (["soc_above"], ["fuel_enough"])


def test_no_alarm_is_said_and_an_unknown_one_is_shown(pty_board: Any) -> None:
    pty_board.board.active = []
    assert run(pty_board, "alarms").stdout == "no active alarms\n"
    assert document(pty_board, "alarms") == {"alarms": []}
    pty_board.board.active = [{"id": 99, "name": "meteor"}]
    assert "meteor" in run(pty_board, "alarms").stdout


def test_watch_writes_one_document_a_line(pty_board: Any) -> None:
    done = run(pty_board, "watch", "dc.bus_mv", "--every", "200ms", "--for", "1s", "--json")
    assert done.exit_code == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(lines) >= 2
    assert all(line["points"] == {"dc.bus_mv": 51_234} for line in lines)


def test_watch_shows_all_subsystems_and_counts_points_that_nobody_supplies(pty_board: Any) -> None:
    done = run(pty_board, "watch", "--every", "200ms", "--for", "600ms")
    assert done.exit_code == 0, done.stderr
    assert "solar 640 W ─▶" in done.stdout
    assert "battery" in done.stdout
    assert "points without a supplier" in done.stdout


def test_watch_of_an_unknown_point_is_refused(pty_board: Any) -> None:
    assert run(pty_board, "watch", "no.such", "--for", "1s").exit_code == 1


def test_a_silent_board_is_exit_3(pty_board: Any) -> None:
    pty_board.stream.deaf = 99
    done = run(pty_board, "status", "--json")
    assert done.exit_code == 3
    assert "no answer" in done.stderr
    assert done.stdout == ""


def test_another_point_table_warns_on_stderr_and_keeps_stdout_clean(pty_board: Any) -> None:
    pty_board.board.table = "00000000"
    done = run(pty_board, "get", "dc.bus_mv", "--json")
    assert done.exit_code == 0
    assert json.loads(done.stdout)["points"] == {"dc.bus_mv": 51_234}
    assert "point table 00000000" in done.stderr


def test_the_port_may_come_from_the_environment(pty_board: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GREENMAST_PORT", pty_board.port)
    assert runner.invoke(app, ["get", "source.ac"]).exit_code == 0


def test_looking_sends_nothing_but_reads(pty_board: Any) -> None:
    for command in (["status"], ["explain"], ["alarms"], ["get", "dc.bus_mv"], ["watch", "--for", "300ms"]):
        run(pty_board, *command)
    sent = pty_board.stream.received.decode()
    methods = {json.loads(line[: line.rindex("}") + 1])["method"] for line in sent.splitlines() if line}
    assert methods == {"hello", "get", "explain", "alarms", "watch"}
