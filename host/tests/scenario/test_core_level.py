"""Level core: what a scenario does reaches plant and controller, and the runner can fail."""

from __future__ import annotations

import json

import pytest

from greenmast.scenario.core_level import CoreRun

OUTAGE = '[[at]]\ntime = "1m"\nplant = { "grid.voltage_mv" = 0, "grid.frequency_chz" = 0 }\n'
# The genset on load at 8 minutes: the rest of a story follows.
ON_GENSET = 'title = "x"\nsite = "india-rural"\nduration = "40m"\n' + (
    "[start]\n'grid.voltage_mv' = 0\n'battery.soc_permille' = 250\n'load.power_w' = 2000\n"
    "'solar.power_w' = 0\n'genset.fuel_permille' = 700\n"
)


def test_a_calm_site_holds(play) -> None:
    assert play('[[always]]\nthat = ["source.ac == grid", "output.load1 == 1"]\n') == []


@pytest.mark.parametrize(
    ("check", "at_s", "saw"),
    [
        ('[[expect]]\nafter = "2m"\nby = "3m"\nthat = "source.ac == grid"', 180, "source.ac = none"),
        ('[[expect]]\nby = "30s"\nhold = "5m"\nthat = "source.ac == grid"', 64, "source.ac = none"),
        ('[[always]]\nthat = "source.ac == grid"', 64, "source.ac = none"),
        ('[[never]]\nthat = "source.ac == none"', 64, "source.ac = none"),
        ('[[never]]\nthat = "alarm.grid_lost == 1"', 123, "alarm.grid_lost = 1"),
    ],
)
def test_a_wrong_expectation_fails_with_what_was_seen(play, check: str, at_s: int, saw: str) -> None:
    (failure,) = play(OUTAGE + check)
    assert failure.at_s == pytest.approx(at_s, abs=3)
    assert failure.saw.startswith(saw)
    assert any("grid" in line for line in failure.context)


def test_a_command_that_is_accepted_against_expectation_is_a_failure(play) -> None:
    (failure,) = play(
        "[[at]]\ntime = 60\ncommand = { name = 'genset.inhibit', for_s = 60 }\nexpect_refused = 'mode'"
    )
    assert failure.what == "[[at]] 1 genset.inhibit refused: mode"
    assert failure.saw == "accepted"


def test_a_command_that_is_refused_otherwise_than_expected_is_a_failure(play) -> None:
    story = (
        "[[at]]\ntime = 60\ncommand = { name = 'genset.inhibit', for_s = 600 }\n"
        "[[at]]\ntime = 90\ncommand = { name = 'genset.start', for_s = 60 }\n"
    )
    (failure,) = play(story)
    assert (failure.what, failure.saw) == ("[[at]] 2 genset.start accepted", "refused: inhibited")
    (failure,) = play(story + "expect_refused = 'fuel_low'")
    assert (failure.what, failure.saw) == (
        "[[at]] 2 genset.start refused: fuel_low",
        "refused: inhibited",
    )
    assert play(story + "expect_refused = 'inhibited'") == []


def test_a_malformed_command_is_refused_before_the_controller_sees_it(play) -> None:
    story = "[[at]]\ntime = 60\ncommand = { name = 'nonsense' }\nexpect_refused = 'unknown'"
    assert play(story) == []


@pytest.mark.parametrize("kind", ["partition", "broker_restart"])
def test_a_command_does_not_arrive_while_the_link_is_cut(play, kind: str) -> None:
    story = (
        f"[[at]]\ntime = 60\nfault = {{ on = 'link', kind = '{kind}', for = 10 }}\n"
        "[[at]]\ntime = 65\ncommand = { name = 'genset.stop' }\nexpect_refused = 'no_contact'\n"
        "[[at]]\ntime = 75\ncommand = { name = 'genset.stop' }\n"
    )
    assert play(story) == []
    (failure,) = play(story.replace("expect_refused = 'no_contact'", ""))
    assert failure.saw == "refused: no_contact"


def test_plant_truths_faults_and_their_ends_come_at_their_times(load) -> None:
    run = CoreRun(
        load(
            "[[at]]\ntime = 60.5\nplant = { 'site.smoke' = 1 }\n"
            "[[at]]\ntime = 90\nfault = { on = 'grid', kind = 'welded', for = 30 }\n"
            "[[at]]\ntime = 100\nfault = { on = 'grid', kind = 'welded', for = 50 }\n"
            "[[at]]\ntime = 100\nfault = { on = 'genset', kind = 'wont_start' }\n"
        )
    )
    contactor = run.plant.contactors["grid"]
    seen = []
    while run.time_ms < 160_000:
        run._advance(run.time_ms + 250)
        seen.append((run.time_ms, run.plant.truth("site.smoke"), contactor.welded))
    assert next(ms for ms, smoke, _ in seen if smoke) == 60_500
    assert [ms for ms, _, welded in seen if welded] == list(range(90_000, 150_000, 250))
    assert run.plant.genset.wont_start


def test_smoke_is_seen_and_told_by_its_alarm(play) -> None:
    story = "[[at]]\ntime = 60\nplant = { 'site.smoke' = true }\n"
    assert play(story + "[[expect]]\nafter = 60\nby = 70\nhold = 60\nthat = 'alarm.smoke == 1'") == []
    assert len(play(story + "[[never]]\nthat = 'alarm.smoke == 1'")) == 1


@pytest.mark.parametrize("kind", ["reset", "hang", "power_cut", "bit_rot"])
def test_the_board_comes_back_from_a_reset_and_remembers(play, kind: str) -> None:
    story = (
        f"[[at]]\ntime = '15m'\nfault = {{ on = 'controller', kind = '{kind}' }}\n"
        "[[expect]]\nafter = '10m'\nby = '11m'\nhold = '4m'\nthat = 'controller.boot == 1'\n"
        "[[expect]]\nafter = '15m'\nby = '16m'\nhold = '10m'\n"
        "that = ['controller.boot == 2', 'genset.state != off']\n"
    )
    assert play(ON_GENSET + story, whole=True) == []


def test_no_coil_has_current_while_the_board_is_down(load) -> None:
    run = CoreRun(
        load(ON_GENSET + "[[at]]\ntime = '15m'\nfault = { on = 'controller', kind = 'reset' }\n", whole=True)
    )
    while run.time_ms < 900_000:
        run._scan()
        run._advance(run.time_ms + 1_000)
    assert run.plant.genset.relay is False
    assert not any(contactor.energised for contactor in run.plant.contactors.values())


def test_a_hung_board_leaves_its_outputs_until_the_watchdog_bites(load) -> None:
    story = "[[at]]\ntime = '15m'\nfault = { on = 'controller', kind = 'hang' }\n"
    run = CoreRun(load(ON_GENSET + story, whole=True))
    held = []
    while run.time_ms < 930_000:
        run._scan()
        run._advance(run.time_ms + 1_000)
        if run.time_ms > 900_000:
            held.append(run.plant.genset.relay)
    assert held[:9] == [True] * 9
    assert False in held


def test_a_short_hang_passes_without_a_reset(play) -> None:
    story = "[[at]]\ntime = '15m'\nfault = { on = 'controller', kind = 'hang', for = '5s' }\n"
    check = "[[always]]\nthat = ['controller.boot == 1', 'output.load1 == 1']\n"
    check += "[[expect]]\nafter = '15m6s'\nby = '15m7s'\nhold = '5m'\nthat = 'genset.state == on_load'\n"
    assert play(ON_GENSET + story + check, whole=True) == []


def records(load, fault: str) -> list[dict[str, object]]:
    """What is in flash after 20 minutes in which a fault befell the board at 15."""
    run = CoreRun(load(ON_GENSET + f"[[at]]\ntime = '15m'\nfault = {fault}\n", whole=True))
    while run.time_ms < 1_200_000:
        run._scan()
        run._advance(run.time_ms + 1_000)
    return [json.loads(record) for record in run._records]


def test_records_are_stored_in_events_and_every_minute_but_not_in_full_flash(load) -> None:
    free = records(load, "{ on = 'clock', kind = 'lost' }")
    full = records(load, "{ on = 'controller', kind = 'flash_full' }")
    assert len(free) == len(full) == 2
    assert free[-1] != full[-1]


def test_time_jumps_reach_the_controller_only_as_the_minute(load) -> None:
    run = CoreRun(
        load(
            "[[at]]\ntime = 60\nfault = { on = 'clock', kind = 'jump', by_s = 3600, for = 60 }\n"
            "[[at]]\ntime = 180\nfault = { on = 'clock', kind = 'lost', for = 60 }\n"
        )
    )
    first = run._minute()
    assert first is not None
    seen = {}
    while run.time_ms < 300_000:
        run._advance(run.time_ms + 30_000)
        now = run._minute()
        seen[run.time_ms // 1_000] = None if now is None else now - first
    assert seen == {
        30: 0, 60: 61, 90: 61, 120: 2, 150: 2, 180: None, 210: None, 240: 4, 270: 4, 300: 5,
    }  # fmt: skip


def test_the_clock_begins_where_the_scenario_says(load) -> None:
    def minute(text: str) -> int:
        run = CoreRun(load(f'site = "india-rural"\nduration = 60\n{text}', whole=True))
        return run._minute() or 0

    assert minute("begins = 2000-01-02T00:01:00") == 24 * 60 + 1


def test_the_same_seed_plays_the_same(load) -> None:
    def told(seed: int) -> list[str]:
        story = f'site = "india-rural"\nduration = "3h"\nseed = {seed}\n' + (
            "[start]\n'grid.voltage_mv' = 0\n'solar.power_w' = 0\n'battery.soc_permille' = 250\n"
            "[[at]]\ntime = 60\nfault = { on = 'battery', kind = 'spike' }\n"
        )
        run = CoreRun(load(story, whole=True))
        run.run()
        return [*run._told, json.dumps(run.controller.memory()), str(run.plant.battery.soc_permille)]

    assert told(1) == told(1)
    assert told(1) != told(2)
