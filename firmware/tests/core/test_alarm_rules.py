"""The life of an alarm: raised, acknowledged, cleared, shelved, hidden under its cause; floods; resets."""

from core_rig import Rig

from greenmast_fw.core import conditions
from greenmast_fw.core.alarms import Alarms
from greenmast_protocol import alarms, params

DOOR = alarms.index("door_open")
SMOKE = alarms.index("smoke")
DEVICE = alarms.index("device_silent")
FUEL = alarms.index("fuel_low")
STALLED = alarms.index("genset_stalled")
CONFIG = alarms.index("config_invalid")
BALANCE = alarms.index("energy_balance")
DATA = alarms.index("battery_data_lost")
FLOOD = alarms.index("alarm_flood")


def board(**settings):
    values = params.defaults()
    for name in settings:
        values["alarms." + name] = settings[name]
    return Alarms(values)


def run(a, seconds):
    """Numbers of the alarms that have changed meanwhile, in order."""
    changed = []
    for _ in range(seconds):
        changed += a.step(1_000)
    return changed


def turn(a, number, so, seconds=400):
    a.condition[number] = so
    return run(a, seconds)


def state(a, number):
    return alarms.STATES[a.state[number]]


def later(a, **settings):
    """The same board after a reset."""
    other = board(**settings)
    other.restore(a.memory())
    return other


# ---- life cycle ------------------------------------------------------------------------------------


def test_an_alarm_is_active_until_acknowledged_and_stays_on_until_it_clears():
    a = board()
    assert turn(a, SMOKE, 1) == [SMOKE]
    assert state(a, SMOKE) == "active"
    assert a.acknowledge(SMOKE)
    assert run(a, 1) == [SMOKE]
    assert state(a, SMOKE) == "acknowledged"
    assert a.active == (SMOKE,)
    assert turn(a, SMOKE, 0) == [SMOKE]
    assert state(a, SMOKE) == "normal"
    assert a.listed == ()


def test_an_alarm_that_clears_unseen_stays_listed_until_it_is_acknowledged():
    a = board()
    turn(a, SMOKE, 1)
    turn(a, SMOKE, 0)
    assert state(a, SMOKE) == "cleared"
    assert a.active == ()
    assert a.listed == ((SMOKE, a.state[SMOKE]),)
    assert a.acknowledge(SMOKE)
    assert run(a, 1) == [SMOKE]
    assert state(a, SMOKE) == "normal"


def test_an_acknowledgement_counts_once_and_a_new_raising_is_unseen_again():
    a = board()
    turn(a, SMOKE, 1)
    a.acknowledge(SMOKE)
    turn(a, SMOKE, 0)
    turn(a, SMOKE, 1)
    assert state(a, SMOKE) == "active"
    turn(a, SMOKE, 0)
    turn(a, SMOKE, 1)
    assert state(a, SMOKE) == "active"
    assert a.memory() == [SMOKE, 3, 0]
    turn(a, SMOKE, 0)
    assert len(a.listed) == 1


def test_the_list_of_cleared_alarms_is_bounded_and_the_oldest_make_room():
    a = board()
    free = [i for i in range(len(alarms.ALARMS)) if not alarms.ALARMS[i][4] and i != FLOOD][:14]
    for i in free:
        turn(a, i, 1, 1_000)
        turn(a, i, 0, 400)
    cleared = [i for i, s in a.listed if alarms.STATES[s] == "cleared" and i != FLOOD]
    assert cleared == sorted(free[-len(cleared) :])
    assert 5 <= len(cleared) <= 10
    assert len(a.memory()) <= 3 * 12


# ---- shelf -----------------------------------------------------------------------------------------


def test_a_shelved_alarm_is_silent_and_is_raised_anew_if_it_outlasts_the_shelf():
    a = board()
    turn(a, SMOKE, 1)
    a.acknowledge(SMOKE)
    a.shelve(SMOKE, 60_000)
    assert run(a, 1) == [SMOKE]
    assert state(a, SMOKE) == "shelved"
    assert (a.active, a.major) == ((), 0)
    assert a.listed == ((SMOKE, a.state[SMOKE]),)
    assert run(a, 58) == []
    assert run(a, 1) == [SMOKE]
    assert state(a, SMOKE) == "active"


def test_an_alarm_that_comes_and_goes_on_the_shelf_leaves_no_trace():
    a = board()
    a.shelve(SMOKE, 3_600_000)
    run(a, 1)
    for _ in range(3):
        assert turn(a, SMOKE, 1) == []
        assert turn(a, SMOKE, 0) == []
    run(a, 3_600)
    assert state(a, SMOKE) == "normal"


def test_two_shelves_that_end_together_both_end():
    a = board()
    a.shelve(SMOKE, 5_000)
    a.shelve(DOOR, 5_000)
    run(a, 7)
    assert (state(a, SMOKE), state(a, DOOR)) == ("normal", "normal")


# ---- causes ----------------------------------------------------------------------------------------


def test_a_consequence_is_not_raised_while_its_cause_is_on():
    a = board()
    turn(a, FUEL, 1)
    assert turn(a, STALLED, 1) == []
    assert a.active == (FUEL,)


def test_a_cause_that_comes_later_hides_its_consequence_and_gives_it_back_as_it_was():
    a = board()
    turn(a, STALLED, 1)
    a.acknowledge(STALLED)
    run(a, 1)
    assert turn(a, FUEL, 1) == [STALLED, FUEL]
    assert state(a, STALLED) == "suppressed"
    assert [i for i, _ in a.listed] == [FUEL]
    turn(a, FUEL, 0)
    assert state(a, STALLED) == "acknowledged"


def test_a_hidden_consequence_that_clears_needs_no_acknowledgement():
    a = board()
    turn(a, STALLED, 1)
    turn(a, FUEL, 1)
    turn(a, STALLED, 0)
    turn(a, FUEL, 0)
    assert state(a, STALLED) == "normal"
    assert state(a, FUEL) == "cleared"


def test_a_cause_on_the_shelf_still_hides_its_consequence():
    a = board()
    turn(a, DATA, 1)
    a.shelve(DATA, 3_600_000)
    run(a, 1)
    assert turn(a, BALANCE, 1) == []
    assert a.active == ()


# ---- flood -----------------------------------------------------------------------------------------


def some(n):
    """Numbers of alarms without cause, and without an on-delay above a minute."""
    return [i for i, row in enumerate(alarms.ALARMS) if not row[4] and row[2] <= 60 and i != FLOOD][:n]


def test_as_many_alarms_as_the_limit_within_the_time_are_a_flood():
    a = board(flood_count=5)
    for i in some(4):
        a.condition[i] = 1
    run(a, 300)
    assert FLOOD not in a.active
    a.condition[some(5)[4]] = 1
    run(a, 200)
    assert FLOOD in a.active


def test_the_same_alarms_over_a_longer_time_are_none():
    a = board(flood_count=5, flood_s=600)
    for i in some(12):
        turn(a, i, 1, 200)
    assert FLOOD not in a.active


def test_what_comes_back_from_the_shelf_or_from_under_its_cause_is_not_counted_again():
    a = board(flood_count=4)
    for i in (STALLED, SMOKE, FUEL):
        turn(a, i, 1, 70)
    for _ in range(3):
        a.shelve(SMOKE, 5_000)
        run(a, 10)
    turn(a, FUEL, 0, 70)
    assert state(a, STALLED) == state(a, SMOKE) == "active"
    assert FLOOD not in a.active


def test_a_flood_ends():
    a = board(flood_count=5)
    for i in some(6):
        a.condition[i] = 1
    run(a, 100)
    assert FLOOD in a.active
    run(a, 2_000)
    assert FLOOD not in a.active


# ---- hysteresis ------------------------------------------------------------------------------------


def test_a_condition_on_a_value_goes_only_at_a_distance_from_its_limit():
    rig = Rig()
    c = rig.controller
    seen = []
    for value in (310, 299, 310, 329, 330, 310):
        conditions.below(c, DEVICE, value, 300, 30)
        seen.append(c.alarms.condition[DEVICE])
    assert seen == [0, 1, 1, 1, 0, 0]
    seen = []
    for value in (500, 501, 480, 471, 470, 490):
        conditions.above(c, DEVICE, value, 500, 30)
        seen.append(c.alarms.condition[DEVICE])
    assert seen == [0, 1, 1, 1, 0, 0]


def test_the_distance_holds_over_a_reset():
    rig = Rig()
    conditions.below(rig.controller, DEVICE, 299, 300, 30)
    turn(rig.controller.alarms, DEVICE, 1)
    rig.reset()
    conditions.below(rig.controller, DEVICE, 310, 300, 30)
    assert rig.controller.alarms.condition[DEVICE] == 1


def test_charge_around_the_limit_raises_one_alarm():
    rig = Rig(genset__soc_start_permille=300).run(5)
    raised = 0
    for _ in range(10):
        for soc in (295, 305):
            rig.soc = soc
            rig.events.clear()
            rig.run(100)
            raised += len([e for e in rig.events if e[1:4] == (6, alarms.index("battery_low"), 1)])
    assert raised == 1


# ---- resets ----------------------------------------------------------------------------------------


def test_a_reset_raises_nothing_twice_and_forgets_no_acknowledgement():
    a = board()
    for i in (SMOKE, DOOR, CONFIG):
        turn(a, i, 1)
    a.acknowledge(DOOR)
    a.shelve(CONFIG, 500_000)
    turn(a, SMOKE, 0)
    b = later(a)
    assert b.listed == a.listed
    assert b.memory() == a.memory()
    for i in (DOOR, CONFIG):
        b.condition[i] = 1
    assert run(b, 50) == []
    run(b, 50)
    assert state(b, CONFIG) == "active"  # 400 of the 500 s on the shelf had gone before


def test_what_was_on_waits_for_the_devices_to_speak_before_it_clears():
    a = board()
    turn(a, CONFIG, 1)  # its off-delay is zero
    b = later(a)
    assert run(b, 20) == []
    b.condition[CONFIG] = 1
    assert run(b, 100) == []
    c = later(b)
    assert run(c, 100) == [CONFIG]
    assert state(c, CONFIG) == "cleared"


def test_a_load_that_is_off_is_not_announced_again_after_a_reset():
    rig = Rig(genset__soc_start_permille=0, genset__bus_start_mv=20_000).run(40)
    rig.grid_mv = 0
    rig.bus = 47_000
    rig.run(100)
    assert "load3_disconnected" in rig.alarms()
    rig.reset()
    rig.events.clear()
    rig.run(60)
    assert "load3_disconnected" in rig.alarms()
    assert not [e for e in rig.events if e[1:3] == (6, alarms.index("load3_disconnected"))]


def test_memory_that_names_alarms_of_another_firmware_is_taken_as_far_as_it_goes():
    a = board()
    a.restore([999, 1, 0, SMOKE, 1, 0, DOOR])
    assert a.active == (SMOKE,)


# ---- relays and commands ---------------------------------------------------------------------------


def test_relays_ignore_acknowledgement_and_obey_the_shelf():
    rig = Rig().run(5)
    values = rig.values
    rig.values = lambda: dict(values(), **{"site.smoke": 1})
    rig.run(5)
    assert rig.command("alarm.ack", id=SMOKE) == "ok"
    rig.run(2)
    assert rig.is_now("alarm_major") == 1
    assert rig.command("alarm.shelve", id=SMOKE, for_s=30) == "ok"
    rig.run(2)
    assert rig.is_now("alarm_major") == 0
    assert rig.point("controller.alarms_active") == 0
    rig.run(40)
    assert rig.is_now("alarm_major") == 1


def test_commands_for_alarms_name_what_exists_and_what_there_is_to_acknowledge():
    rig = Rig().run(5)
    assert rig.command("alarm.ack", id=len(alarms.ALARMS)) == "unknown"
    assert rig.command("alarm.shelve", id=len(alarms.ALARMS), for_s=5) == "unknown"
    assert rig.command("alarm.ack", id=SMOKE) == "invalid_value"
    rig.controller.report_alarm(CONFIG, True)
    rig.run(2)
    assert rig.command("alarm.ack", id=CONFIG) == "ok"
    assert rig.command("alarm.ack", id=CONFIG) == "ok"  # an answer may get lost
    rig.events.clear()
    rig.run(1)
    assert (6, CONFIG, alarms.STATES.index("acknowledged")) in [e[1:4] for e in rig.events]
    assert rig.controller.command("alarm.shelve", {"id": CONFIG, "for_s": 9}) == (
        0,
        {"id": CONFIG, "for_s": 9},
    )


def test_relays_weigh_minor_and_warning_apart_from_major_and_critical():
    for severity, name in (
        ("critical", "smoke"),
        ("major", "genset_fail_to_stop"),
        ("minor", "device_silent"),
    ):
        a = board()
        assert alarms.ALARMS[alarms.index(name)][1] == severity
        turn(a, alarms.index(name), 1)
        assert (a.major, a.minor) == ((0, 1) if severity == "minor" else (1, 0))
    a = board()
    turn(a, DOOR, 1)
    assert (a.major, a.minor) == (0, 1)
