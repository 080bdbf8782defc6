"""The whole controller: blindness, alarms, commands, memory, points."""

from core_rig import REFERENCE, Rig, on_genset

from greenmast_fw.core import decision
from greenmast_fw.core import site as sites
from greenmast_fw.core.alarms import Alarms
from greenmast_fw.core.controller import Controller
from greenmast_fw.core.site import Site
from greenmast_protocol import alarms, params, points

EVERYTHING = {"grid", "genset", "rectifier", "battery", "solar", "load"}


# ---- no data at all --------------------------------------------------------------------------------


def test_with_no_device_answering_everything_is_held_then_the_default_applies():
    rig = on_genset()
    rig.silent = EVERYTHING
    rig.run(110)
    assert rig.is_now("source.ac") == "genset"
    assert rig.reason("ac") == "holding"
    rig.run(30)
    assert rig.is_now("genset_start") == 0
    assert rig.reason("ac") == "default_state"
    assert [rig.is_now(n) for n in ("grid", "genset", "load1", "load2", "load3", "battery")] == [
        1,
        0,
        1,
        1,
        1,
        1,
    ]


def test_the_default_state_does_not_reconnect_what_stands_open_at_idle():
    outputs = dict(REFERENCE)
    outputs["grid"] = (0, 1)
    rig = Rig(outputs).run(100)
    rig.silent = EVERYTHING
    rig.run(300)
    assert rig.is_now("grid") == 0


def test_a_grid_connected_by_the_default_state_is_kept_without_a_blink_when_data_return():
    rig = Rig(genset__soc_start_permille=0).run(5)
    rig.grid_mv = 0
    rig.run(20)
    rig.silent = EVERYTHING
    rig.run(200)
    assert rig.is_now("grid") == 1
    rig.grid_mv = 230_000
    rig.silent = set()
    rig.events.clear()
    rig.run(100)
    assert rig.is_now("source.ac") == "grid"
    assert not [e for e in rig.events if e[1:3] == (0, 0)]


def test_a_short_blindness_changes_nothing():
    rig = on_genset()
    rig.events.clear()
    rig.silent = EVERYTHING
    rig.run(60)
    rig.silent = set()
    rig.run(60)
    assert not [e for e in rig.events if e[1] == 0 and e[2] < 8]


def test_blindness_demands_no_genset():
    rig = Rig().run(5)
    rig.grid_mv = 0
    rig.run(20)
    rig.soc = 100
    rig.silent = EVERYTHING
    rig.run(1_000)
    assert rig.is_now("genset_start") == 0


# ---- alarms ----------------------------------------------------------------------------------------


def test_an_alarm_waits_for_its_on_delay_and_its_off_delay():
    rig = Rig().run(5)
    rig.grid_mv = 0
    rig.run(60)
    assert "grid_lost" not in rig.alarms()
    rig.run(6)
    assert "grid_lost" in rig.alarms()
    rig.grid_mv = 230_000
    rig.run(110)
    assert "grid_lost" in rig.alarms()
    rig.run(20)
    assert "grid_lost" not in rig.alarms()


def test_a_condition_that_comes_and_goes_starts_its_delay_again():
    board = Alarms(params.defaults())
    door = alarms.index("door_open")
    for _ in range(5):
        board.condition[door] = 1
        for _ in range(25):
            assert board.step(1_000) == ()
        board.condition[door] = 0
        board.step(1_000)
    assert board.active == ()


def test_a_consequence_is_silent_while_its_cause_is_active():
    from greenmast_fw.core import alarms as module

    kept = module._CAUSE
    causes = bytearray(kept)
    causes[alarms.index("smoke")] = alarms.index("door_open")
    module._CAUSE = bytes(causes)
    try:
        board = Alarms(params.defaults())
        board.condition[alarms.index("door_open")] = 1
        board.step(1_000)
        board.step(30_000)
        board.condition[alarms.index("smoke")] = 1
        for _ in range(10):
            board.step(1_000)
        assert board.active == (alarms.index("door_open"),)
        board.condition[alarms.index("door_open")] = 0
        for _ in range(10):
            board.step(1_000)
        assert board.active == (alarms.index("smoke"),)
    finally:
        module._CAUSE = kept


def test_alarms_are_not_raised_twice_over_a_reset():
    rig = Rig().run(5)
    rig.grid_mv = 0
    rig.run(70)
    rig.reset()
    rig.events.clear()
    rig.run(10)
    assert "grid_lost" in rig.alarms()
    assert not [e for e in rig.events if e[1] == 6 and e[3] == 1]


def test_alarm_relays_follow_the_weight_of_what_is_active():
    rig = Rig().run(5)
    values = rig.values
    rig.values = lambda: dict(values(), **{"site.smoke": 1, "site.door_open": 0})
    rig.run(5)
    assert rig.is_now("alarm_major") == 1
    assert rig.is_now("alarm_minor") == 0
    rig.values = lambda: dict(values(), **{"site.smoke": 0, "site.door_open": 1})
    rig.run(40)
    assert rig.is_now("alarm_major") == 0
    assert rig.is_now("alarm_minor") == 1


def test_conditions_beyond_the_core_are_reported_by_others():
    rig = Rig().run(5)
    rig.controller.report_alarm(alarms.index("config_invalid"), True)
    rig.run(2)
    assert "config_invalid" in rig.alarms()
    rig.controller.report_alarm(alarms.index("config_invalid"), False)
    rig.run(2)
    assert "config_invalid" not in rig.alarms()


def test_low_battery_and_lost_data_raise_alarms():
    rig = Rig().run(5)
    rig.soc = 200
    rig.run(40)
    assert "battery_low" in rig.alarms()
    rig.silent = {"battery"}
    rig.run(40)
    assert "battery_data_lost" in rig.alarms()
    assert rig.point("controller.alarms_active") == len(rig.alarms())


# ---- commands --------------------------------------------------------------------------------------


def test_commands_for_absent_devices_are_refused():
    outputs = dict(REFERENCE)
    del outputs["genset"]
    rig = Rig(outputs).run(5)
    for name in ("genset.start", "genset.stop", "genset.inhibit", "genset.reset"):
        assert rig.command(name, for_s=5) == "no_device"
    assert rig.command("source.select", ac="genset", for_s=5) == "no_device"


def test_commands_that_are_not_for_the_core_are_unknown_to_it():
    rig = Rig().run(5)
    assert rig.command("no.such") == "unknown"


def test_a_reset_by_command_is_a_wish_for_whoever_runs_the_controller():
    rig = Rig().run(5)
    assert not rig.controller.reset_wanted
    assert rig.command("controller.reset") == "ok"
    outputs = bytes(rig.out)
    rig.run(1)
    assert rig.controller.reset_wanted
    assert bytes(rig.out) == outputs


def test_commands_answer_with_what_was_applied_and_leave_an_event():
    rig = Rig().run(5)
    code, applied = rig.controller.command("load.shed", {"tier": 3, "for_s": 60})
    assert (code, applied) == (0, {"tier": 3, "for_s": 60})
    rig.events.clear()
    rig.run(1)
    assert [e[1:4] for e in rig.events if e[1] == 9] == [(9, 5, 1)]


def test_a_start_command_on_a_running_genset_is_accepted():
    rig = on_genset()
    assert rig.command("genset.start", for_s=600) == "ok"


def test_a_start_command_is_refused_while_the_grid_contactor_is_welded():
    rig = Rig().run(5)
    rig.welded = {"grid"}
    rig.grid_mv = 0
    rig.run(10)
    assert rig.command("genset.start", for_s=600) == "interlock"


# ---- memory, points, configuration -----------------------------------------------------------------


def test_memory_of_another_version_or_shape_is_left_alone():
    rig = on_genset()
    good = rig.controller.memory()
    for change in (
        {"version": 99},
        {"genset": None},
        {"genset": [1]},
        {"genset": [1, 2, 3, 4, 5, "x", 7]},
        {"genset": [99] + good["genset"][1:]},
        {"loads": [-1, 0, 0, 0, 0, 0]},
        {"mode": [9, 0]},
    ):
        other = Controller(rig.params, rig.site)
        bad = dict(good)
        bad.update(change)
        assert not other.restore(bad), change
        assert other.memory() == Controller(rig.params, rig.site).memory()
    assert not Controller(rig.params, rig.site).restore({})


def test_memory_is_plain_and_survives_a_round_trip_through_json():
    import json

    rig = on_genset()
    text = json.dumps(rig.controller.memory())
    other = Controller(rig.params, rig.site)
    assert other.restore(json.loads(text))
    kept = other.memory()
    assert kept["demand"] == rig.controller.memory()["demand"]
    assert kept["genset"][0] == points.GENSET_STATES.index("ready")


def test_a_contactor_that_was_given_up_and_a_selection_survive_a_reset():
    rig = Rig().run(20)
    rig.command("source.select", ac="none", for_s=500)
    rig.run(10)
    rig.reset()
    rig.run(60)
    assert rig.is_now("source.ac") == "none"
    assert rig.is_now("grid") == 0


def test_new_parameters_take_effect_without_disturbing_what_runs():
    rig = on_genset()
    rig.events.clear()
    rig.params["grid.return_delay_s"] = 20
    rig.params["battery.charge_mv"] = 52_000
    rig.controller.configure(rig.params)
    rig.run(10)
    assert not [e for e in rig.events if e[1] == 0]
    assert rig.controller.decision.setpoints["rectifier.setpoint_mv"] == 52_000
    rig.grid_mv = 230_000
    assert rig.until("source.ac", "grid", 60) < 30


def test_the_setpoint_falls_to_the_safe_voltage_without_battery_data_and_returns_with_them():
    rig = Rig()
    rig.silent = {"battery"}
    rig.run(50)
    assert "rectifier.setpoint_mv" not in rig.controller.decision.setpoints
    rig.run(15)
    assert rig.controller.decision.setpoints["rectifier.setpoint_mv"] == 51_000
    rig.silent = set()
    rig.run(5)
    assert rig.controller.decision.setpoints["rectifier.setpoint_mv"] == 51_000
    rig.run(10)
    assert rig.controller.decision.setpoints["rectifier.setpoint_mv"] == 51_500
    rig.silent = {"battery"}
    rig.run(30)
    assert rig.controller.decision.setpoints["rectifier.setpoint_mv"] == 51_500


def test_a_site_without_rectifier_data_gets_no_setpoint():
    rig = Rig(roles=("battery",)).run(100)
    assert rig.controller.decision.setpoints == {}


def test_determined_points_are_within_their_ranges():
    rig = on_genset()
    for i in range(points.COUNT):
        value = rig.controller.decision.points[i]
        name, low, high = points.POINTS[i][:3]
        assert value is None or low <= value <= high, name
    assert rig.point("output.genset") == 1
    assert rig.point("battery.reserve_permille") == 400


def test_the_site_follows_from_a_configuration_document():
    document = {
        "outputs": {
            "grid": {"pin": 1, "feedback": 4, "idle": "closed"},
            "genset": {"pin": 2, "feedback": None, "idle": "open"},
            "alarm_major": {"pin": 3, "feedback": 9, "idle": "open"},
        },
        "devices": [{"role": "grid"}, {"role": "battery"}],
        "battery": {"chemistry": "vrla", "capacity_ah": 400, "cells": 24},
    }
    site = sites.from_config(document)
    assert site.idle[sites.GRID] == 1
    assert (site.has_feedback[sites.GRID], site.has_feedback[sites.GENSET]) == (1, 0)
    assert site.has_feedback[sites.MAJOR] == 0
    assert site.exists[sites.START] == 1
    assert not site.exists[sites.LOAD1]
    assert (site.chemistry, site.capacity_mah) == ("vrla", 400_000)
    assert site.roles == ("grid", "battery")


def test_an_unknown_output_is_an_error():
    try:
        Site({"no_such": (0, 0)})
    except KeyError:
        return
    raise AssertionError("accepted")


def test_idle_stands_before_the_first_step():
    c = Controller(params.defaults(), Site(REFERENCE))
    assert bytes(c.decision.outputs) == bytes([1, 0, 1, 1, 1, 1, 1, 0, 0, 0, 0])


def test_a_site_without_alarm_relays_has_alarms_all_the_same():
    outputs = dict(REFERENCE)
    del outputs["alarm_major"]
    del outputs["alarm_minor"]
    rig = Rig(outputs).run(5)
    rig.grid_mv = 0
    rig.run(80)
    assert "grid_lost" in rig.alarms()
    assert rig.point("output.alarm_minor") is None


def test_every_kind_of_event_has_a_number_of_its_own():
    kinds = [getattr(decision, name) for name in dir(decision) if name.isupper() and name != "TYPE_CHECKING"]
    assert sorted(kinds) == list(range(len(kinds)))
