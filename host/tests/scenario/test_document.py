"""Scenario files: what is read, what is refused."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from greenmast.cli.app import app
from greenmast.errors import BAD_INPUT_FILE, UserError
from greenmast.scenario import document
from greenmast.scenario.document import Fault, Scenario

SHIPPED = Path(__file__).parents[3] / "host/greenmast/sites/india-rural.toml"


def refusal(load, text: str, **how: bool) -> list[str]:
    with pytest.raises(UserError) as caught:
        load(text, **how)
    assert caught.value.exit_code == BAD_INPUT_FILE
    return [line.strip() for line in caught.value.message.splitlines()[1:]]


def test_the_smallest_scenario_has_a_site_and_a_duration(load) -> None:
    scenario: Scenario = load('site = "india-rural"\nduration = 60', whole=True)
    assert scenario.title == "story"
    assert scenario.levels == ("core",)
    assert scenario.seed == 1
    assert scenario.begins == datetime(2026, 6, 15, 12, 0)
    assert (scenario.acts, scenario.checks, scenario.start) == ((), (), {})


def test_a_site_may_be_a_file_beside_the_scenario(load, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text(
        SHIPPED.read_text(encoding="utf-8").replace('id = "india-rural"', 'id = "mine"'), encoding="utf-8"
    )
    assert load('site = "mine.toml"\nduration = 60', whole=True).site.id == "mine"


def test_start_begins_and_config_are_taken(load) -> None:
    scenario = load(
        'site = "india-rural"\nduration = 60\nbegins = "2026-01-01T18:00"\n'
        "[start]\ngrid.voltage_mv = 1000\nsite.door_open = true\n"
        '[config]\n"genset.data_lost" = "keep"\ngrid.return_delay_s = 5\n',
        whole=True,
    )
    assert scenario.begins == datetime(2026, 1, 1, 18, 0)
    assert scenario.start == {"grid.voltage_mv": 1000.0, "site.door_open": 1.0}
    assert scenario.site.params["genset.data_lost"] == 1
    assert scenario.site.params["grid.return_delay_s"] == 5


def test_one_at_may_hold_plant_fault_and_command_and_they_are_played_in_time_order(load) -> None:
    first, second = load(
        '[[at]]\ntime = "5m"\nplant = { "grid.voltage_mv" = 0 }\n'
        'fault = { on = "battery", kind = "silent", for = "15m" }\n'
        'command = { name = "genset.start", for_s = 60 }\n'
        '[[at]]\ntime = "1m"\nfault = { on = "clock", kind = "jump", by_s = -5 }\n'
    ).acts
    assert first.fault == Fault("clock", "jump", None, -5)
    assert second.time_ms == 300_000
    assert second.plant == {"grid.voltage_mv": 0.0}
    assert second.fault == Fault("battery", "silent", 900_000)
    assert second.command is not None
    assert (second.command.name, second.command.args) == ("genset.start", {"for_s": 60})


def test_always_and_never_cover_everything_unless_they_say_when(load) -> None:
    expect, always, never = load(
        '[[never]]\nafter = "1m"\nby = "2m"\nthat = "site.smoke == 1"\n'
        '[[always]]\nthat = "site.smoke == 0"\n'
        '[[expect]]\nby = "3m"\nhold = "9m"\nthat = ["site.smoke == 0"]\n'
    ).checks
    assert (always.kind, always.after_ms, always.by_ms) == ("always", 0, 600_000)
    assert (never.kind, never.after_ms, never.by_ms) == ("never", 60_000, 120_000)
    assert (expect.kind, expect.by_ms, expect.hold_ms) == ("expect", 180_000, 540_000)


def test_a_scenario_goes_on_until_the_last_expectation_can_have_held(load) -> None:
    story = '[[expect]]\nby = "9m"\nhold = "5m"\nthat = "site.smoke == 0"\n'
    assert load(story).end_ms == 14 * 60_000


@pytest.mark.parametrize(
    ("text", "place", "says"),
    [
        ("[[alway]]\nthat = 1", "alway", "did you mean: always"),
        ("[config]\ngenset.soc_strt_permille = 1", "[config] genset.soc_strt_permille", "soc_start_permille"),
        ("[config]\ngenset.data_lost = 'strat'", "[config] genset.data_lost", "did you mean: start"),
        ("[config]\ngenset.min_run_s = 100000", "[config] genset.min_run_s", "0 .. 86400"),
        ("[config]\ngenset.min_run_s = 1.5", "[config] genset.min_run_s", "integer"),
        ("[config]\ngenset.fuel_stop_permille = 500", "[config]", "genset.fuel_resume_permille"),
        ("[[at]]\ntime = 1\nplant = {'grid.volts' = 0}", "[[at]] 1 plant grid.volts", "grid.voltage_mv"),
        ("[[at]]\ntime = 1\nplant = {'dc.bus_mv' = 0}", "[[at]] 1 plant dc.bus_mv", "no such settable"),
        ("[[at]]\ntime = 1\nplant = {'battery.soc_permille' = 1001}", "[[at]] 1 plant", "0 .. 1000"),
        ("[[at]]\ntime = 1", "[[at]] 1", "needs plant, fault or command"),
        ("[[at]]\ntime = '11m'\nplant = {'site.smoke' = 1}", "[[at]] 1 time", "after the end"),
        ("[[at]]\ntime = 1\nfault = {on = 'batery', kind = 'silent'}", "[[at]] 1 fault.on", "battery"),
        ("[[at]]\ntime = 1\nfault = {on = 'grid', kind = 'silnt'}", "[[at]] 1 fault.kind", "silent"),
        ("[[at]]\ntime = 1\nfault = {on = 'pv', kind = 'silent'}", "[[at]] 1 fault.kind", "fault of pv"),
        ("[[at]]\ntime = 1\nfault = {on = 'pv', kind = 'welded', x = 1}", "[[at]] 1 fault x", "no such"),
        ("[[at]]\ntime = 1\nfault = {on = 'clock', kind = 'jump'}", "[[at]] 1 fault.by_s", "seconds"),
        ("[[at]]\ntime = 1\ncommand = {name = 'genset.strt'}", "[[at]] 1 command", "genset.start"),
        ("[[at]]\ntime = 1\ncommand = {name = 'genset.stop', fr_s = 1}", "[[at]] 1 command", "takes no fr_s"),
        (
            "[[at]]\ntime = 1\ncommand = {name = 'genset.stop'}\nexpect_refused = 'fuel_lo'",
            "[[at]] 1 expect_refused",
            "fuel_low",
        ),
        ("[[expect]]\nthat = 'site.smoke == 0'", "[[expect]] 1", "needs by"),
        ("[[expect]]\nafter = 9\nby = 8\nthat = 'site.smoke == 0'", "[[expect]] 1 after", "later than by"),
        ("[[expect]]\nby = '11m'\nthat = 'site.smoke == 0'", "[[expect]] 1 by", "after the end"),
        ("[[always]]\nthat = []", "[[always]] 1 that", "at least one"),
        ("[[always]]\nhold = 5\nthat = 'site.smoke == 0'", "[[always]] 1 hold", "no such key"),
        ("[never]\nthat = 'site.smoke == 0'", "[never]", "double brackets"),
    ],
)
def test_what_is_wrong_is_named_with_its_place_and_what_was_probably_meant(load, text, place, says) -> None:
    (line,) = refusal(load, text)
    assert line.startswith(place)
    assert says in line


def test_all_problems_are_listed_at_once(load) -> None:
    lines = refusal(
        load,
        'site = "india-rurl"\nlevels = ["hill"]\nduration = "soon"\nseed = "x"\nsed = 1\n'
        "[start]\ngrid.volts = 1\n"
        "[config]\ngenset.soc_start = 1\n"
        "[[at]]\ntime = 1\nfault = {on = 'battery', kind = 'silnt', for = 'x'}\n"
        "[[expect]]\nby = 1\nthat = ['sourc.ac == none', 'source.ac == gird']\n",
        whole=True,
    )
    places = [line.split(":")[0] for line in lines]
    assert sorted(places) == sorted(
        [
            "site", "levels", "duration", "seed", "sed", "[start] grid.volts", "[config] genset.soc_start",
            "[[at]] 1 fault.kind", "[[at]] 1 fault.for", "[[expect]] 1 that", "[[expect]] 1 that",
        ]
    )  # fmt: skip


def test_a_command_may_be_malformed_when_that_is_what_must_be_refused(load) -> None:
    (act,) = load(
        "[[at]]\ntime = 1\ncommand = {name = 'genset.start'}\nexpect_refused = 'invalid_value'"
    ).acts
    assert act.command is not None
    assert act.command.refused == "invalid_value"


def test_a_line_of_the_site_may_be_faulty_by_its_name(load) -> None:
    row = "[[at]]\ntime = 1\nfault = {on = '%s', kind = '%s'}\n"
    acts = load(row % ("bus", "babble") + row % ("bus.meters", "late_de")).acts
    assert [act.fault for act in acts] == [Fault("bus", "babble", None), Fault("bus.meters", "late_de", None)]
    for on, kind, place in (
        ("bus.metres", "noise", "fault.on"),
        ("bus.meters", "silent", "fault.kind"),
        ("battery", "noise", "fault.kind"),
    ):
        (problem,) = refusal(load, row % (on, kind))
        assert problem.startswith(f"[[at]] 1 {place}:")


def test_a_fault_needs_something_to_befall(load, tmp_path: Path) -> None:
    parts = SHIPPED.read_text(encoding="utf-8").split("\n\n")
    parts = [part for part in parts if not part.startswith(("[[device.solar]]", "[output.load3]"))]
    (tmp_path / "bare.toml").write_text("\n\n".join(parts), encoding="utf-8")
    lines = refusal(
        load,
        'site = "bare.toml"\nduration = 60\n'
        "[[at]]\ntime = 1\nfault = {on = 'solar', kind = 'silent'}\n"
        "[[at]]\ntime = 1\nfault = {on = 'load3', kind = 'welded'}\n",
        whole=True,
    )
    assert [line.split(": ")[1] for line in lines] == [
        "india-rural has no solar device",
        "india-rural has no contactor load3",
    ]


def test_a_syntax_error_is_told_with_its_line(load) -> None:
    with pytest.raises(UserError, match="line 3") as caught:
        load('site = "india-rural"\nduration = 60\n[start\n', whole=True)
    assert caught.value.exit_code == BAD_INPUT_FILE


def test_nothing_is_played_when_one_of_the_files_is_wrong(write) -> None:
    good = write("")
    bad = write("[[alway]]\n", name="bad.toml")
    result = CliRunner().invoke(app, ["scenario", "run", str(good), str(bad), str(bad.parent / "none.toml")])
    assert result.exit_code == BAD_INPUT_FILE
    assert result.stdout == ""
    assert "alway: no such key" in result.stderr
    assert "none.toml: cannot be read" in result.stderr


def test_the_cli_knows_the_levels_of_the_format() -> None:
    from greenmast.cli import scenario

    assert scenario.LEVELS == document.LEVELS


def test_where_several_devices_share_a_role_each_can_be_named(load, tmp_path: Path) -> None:
    site = Path(__file__).parents[3] / "hil_tests/scenarios/sites/india-two-strings.toml"
    (tmp_path / "two.toml").write_text(site.read_text(encoding="utf-8"), encoding="utf-8")
    head = 'site = "two.toml"\nduration = 60\n'
    fault = "[[at]]\ntime = 1\nfault = {on = 'battery.%d', kind = 'silent'}\n"
    always = "[[always]]\nthat = 'battery.%d.soc_permille > 0'\n"
    scenario = load(head + fault % 2 + always % 2, whole=True)
    assert scenario.acts[0].fault == Fault("battery.2", "silent", None)
    places = [line.split(":")[0] for line in refusal(load, head + fault % 3 + always % 3, whole=True)]
    assert places == ["[[at]] 1 fault.on", "[[always]] 1 that"]
    assert len(refusal(load, fault % 2 + always % 2)) == 2
