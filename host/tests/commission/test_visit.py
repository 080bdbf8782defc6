"""What a visit finds on a site that obeys, and what on one whose wiring is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from greenmast.commission import devices, engine, report, run, switching
from greenmast.commission.result import FAILED, LOOK, NOT_DONE, PASSED, Record, Result, Trace
from greenmast.commission.visit import Visit
from greenmast.errors import UserError


def by_name(results: list[Result]) -> dict[str, Result]:
    assert len({result.name for result in results}) == len(results)
    return {result.name: result for result in results}


def test_a_site_wired_right_passes_signs_contactors_and_genset(
    wired: Any, visit: Callable[..., Visit]
) -> None:
    signs, traces = switching.signs(visit())
    assert {result.verdict for result in signs} == {PASSED}, signs
    assert traces[0].series["feedback.grid"][0] == 0
    tiers = by_name(switching.tiers(visit(), critical=False))
    assert {name for name, result in tiers.items() if result.verdict == PASSED} == {
        f"contactor {name}" for name in ("load3", "load2", "pv", "battery")
    }
    assert tiers["contactor load1"].verdict == NOT_DONE
    ran = by_name(engine.run(visit(), wait_for_stop=True)[0])
    assert {name for name, result in ran.items() if result.verdict != PASSED} == {"fuel level"}
    assert wired.closed == {**dict.fromkeys(wired.closed, 1), "genset": 0}, "all is as it was"


def test_every_switching_ends_by_itself_should_the_visit_break_off(
    wired: Any, visit: Callable[..., Visit]
) -> None:
    switching.signs(visit())
    switching.tiers(visit(), critical=True)
    engine.run(visit(), wait_for_stop=False)
    for name, args in wired.commands:
        assert name in ("load.restore", "genset.stop") or args["for_s"] <= 600, (name, args)


@pytest.mark.parametrize(
    ("fault", "name", "remedy"),
    [
        ("shunt_swapped", "battery current with the battery carrying", "sense wires"),
        ("shunt_swapped", "battery current as found", "sense wires"),
        ("meter_turned", "grid meter against the rectifier", "turn"),
        ("stuck_grid", "grid contactor opens", "grid within its limits"),
    ],
)
def test_a_wrong_sign_or_contact_is_named(
    wired: Any, visit: Callable[..., Visit], fault: str, name: str, remedy: str
) -> None:
    wired.faults.add(fault)
    result = by_name(switching.signs(visit())[0])[name]
    assert result.verdict == FAILED
    assert remedy in result.remedy


def test_crossed_feedback_wires_are_found_by_what_else_moves(wired: Any, visit: Callable[..., Visit]) -> None:
    wired.faults.add("crossed")
    result = by_name(switching.tiers(visit(), critical=False))["contactor load3"]
    assert (result.verdict, result.remedy) == (FAILED, "feedback wires are crossed")


def test_a_contactor_that_stays_closed_fails_and_the_load_is_restored(
    wired: Any, visit: Callable[..., Visit]
) -> None:
    wired.faults.add("stuck_load2")
    result = by_name(switching.tiers(visit(), critical=False))["contactor load2"]
    assert result.verdict == FAILED
    assert ("load.restore", {"tier": 2}) in wired.commands


def test_a_contactor_without_feedback_is_for_the_eye(wired: Any, visit: Callable[..., Visit]) -> None:
    wired.outputs["load3"]["feedback"] = None
    assert by_name(switching.tiers(visit(), critical=False))["contactor load3"].verdict == LOOK


def test_without_consent_nothing_is_switched(wired: Any, visit: Callable[..., Visit]) -> None:
    results = [*switching.signs(visit(False))[0], *switching.tiers(visit(False), critical=True)]
    results += engine.run(visit(False), wait_for_stop=True)[0]
    assert wired.commands == []
    assert sum(result.saw == "no consent" for result in results) == 5


@pytest.mark.parametrize("soc", [None, 299])
def test_a_battery_that_may_be_empty_is_not_asked_to_carry(
    wired: Any, visit: Callable[..., Visit], soc: int | None
) -> None:
    wired.soc = soc
    assert by_name(switching.signs(visit())[0])["signs with the battery carrying"].verdict == NOT_DONE
    assert wired.commands == []


def test_a_refusal_is_a_result_with_the_boards_reason(wired: Any, visit: Callable[..., Visit]) -> None:
    wired.refuse["genset.start"] = "fuel_low"
    result = engine.run(visit(), wait_for_stop=True)[0][-1]
    assert result.verdict == FAILED
    assert "fuel_low" in result.saw


def test_a_genset_that_does_not_start_or_has_no_oil_fails(wired: Any, visit: Callable[..., Visit]) -> None:
    wired.faults.add("wont_start")
    assert by_name(engine.run(visit(), True)[0])["start and warm-up"].verdict == FAILED
    wired.faults = {"no_oil"}
    assert by_name(engine.run(visit(), True)[0])["oil pressure"].verdict == FAILED


def test_both_ac_contactors_closed_at_once_fails_the_interlock(
    wired: Any, visit: Callable[..., Visit]
) -> None:
    wired.faults.add("stuck_grid")
    result = by_name(engine.run(visit(), True)[0])["interlock of the AC contactors"]
    assert result.verdict == FAILED


@pytest.fixture
def no_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "check", lambda visit, everywhere: [Result("grid: b 1", PASSED, "<SDM230>")])


@pytest.mark.usefixtures("no_devices")
def test_a_visit_writes_sheet_and_record_and_goes_on_where_it_was_broken_off(
    wired: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "sheet.html"

    def breaks_off(visit: Visit, wait_for_stop: bool) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(engine, "run", breaks_off)
    with pytest.raises(KeyboardInterrupt):
        run.run(wired, ask=lambda q: True, report_file=page, technician="A. Kumar")
    done = Record.load(page.with_suffix(".json"))
    assert list(done.sections) == ["Devices", "Readings and signs", "Contactors"]
    assert not page.exists()
    monkeypatch.undo()
    monkeypatch.setattr("greenmast.commission.visit.time", wired.clock)
    before = len(wired.commands)
    code = run.run(wired, ask=lambda q: True, report_file=page, resume=True, json_output=True)
    assert code == 0
    assert all(name != "load.shed" for name, _ in wired.commands[before:]), "contactors were done before"
    document = json.loads(capsys.readouterr().out)
    assert document["counts"][FAILED] == 0
    assert document["about"]["technician"] == "A. Kumar"
    text = page.read_text(encoding="utf-8")
    assert "&lt;SDM230&gt;" in text
    assert "<SDM230>" not in text
    assert "Signature, date" in text
    assert text.count("<svg") == 2
    assert Record.load(page.with_suffix(".json")).fingerprint() in text


@pytest.mark.usefixtures("no_devices")
def test_a_failed_check_is_exit_code_1(wired: Any, tmp_path: Path) -> None:
    wired.faults.add("shunt_swapped")
    assert run.run(wired, ask=lambda q: True, report_file=tmp_path / "s.html") == 1
    assert "Not fit for service" in (tmp_path / "s.html").read_text(encoding="utf-8")


def test_a_record_of_another_board_or_no_record_is_not_resumed(wired: Any, tmp_path: Path) -> None:
    file = tmp_path / "s.json"
    Record({"site": "elsewhere"}).save(file)
    with pytest.raises(UserError, match="another board"):
        run.run(wired, ask=lambda q: True, report_file=tmp_path / "s.html", resume=True)
    file.write_text("{", encoding="utf-8")
    with pytest.raises(UserError, match="not a commissioning record") as refused:
        run.run(wired, ask=lambda q: True, report_file=tmp_path / "s.html", resume=True)
    assert refused.value.exit_code == 5


def test_a_picture_leaves_gaps_where_nothing_was_known() -> None:
    trace = Trace("run")
    for second, value in ((0.0, 1), (1.0, None), (2.0, 3), (3.0, 4)):
        trace.add(second, {"genset.power_w": value, "genset.oil_kpa": None})
    drawn = report.picture.svg(trace)
    assert drawn.count("<polyline") == 2
    assert "oil_kpa" not in drawn


def test_nobody_at_a_terminal_consents_to_nothing() -> None:
    assert run.asking(True)("may I?")
    assert not run.asking(False)("may I?")
