"""What survives a reset, when it is stored, and patience after resets in a row."""

from core_rig import CONTACTORS, REFERENCE, Rig, on_genset

from greenmast_fw.core import decision
from greenmast_fw.core.resets import Resets
from greenmast_protocol import params, points

OUTPUTS = len(points.OUTPUTS)
LOAD3 = points.OUTPUTS.index("load3")
CRANK = points.GENSET_STATES.index("crank")
# Everything falls open with the supply, but for the grid's and the critical load's contactors.
FALLS_OPEN = dict(REFERENCE)
for name in ("load2", "load3", "pv", "battery"):
    FALLS_OPEN[name] = (0, 1)

GRID_OPEN = dict(REFERENCE)
GRID_OPEN["grid"] = (0, 1)


def fresh(**given):
    return Resets(params.complete({"reset." + name: value for name, value in given.items()}), bytes(OUTPUTS))


def loop(rig, resets, seconds):
    """So many resets, each after so long. Returns how often each contactor was closed by command."""
    closed = [0] * len(CONTACTORS)
    for _ in range(resets):
        rig.reset()
        last = list(rig.out)
        for _ in range(seconds):
            rig.scan()
            for i in range(len(CONTACTORS)):
                closed[i] += rig.out[i] > last[i]
            last = list(rig.out)
    return dict(zip(CONTACTORS, closed))


# ---- resuming --------------------------------------------------------------------------------------


def test_after_one_reset_everything_resumes_at_once():
    rig = Rig(FALLS_OPEN).run(700)
    rig.reset()
    assert rig.until("load3", 1, 100) < 100
    assert rig.is_now("source.ac") == "grid"
    assert rig.is_now("grid") == 1


def test_a_genset_on_load_that_still_runs_resumes_without_a_crank():
    rig = on_genset()
    rig.stop_ms = 60_000
    rig.run(700)
    rig.events.clear()
    rig.reset()
    rig.until("source.ac", "genset", 60)
    assert not [e for e in rig.events if e[1] == 3 and e[3] == CRANK]


def test_outputs_stand_at_their_default_until_they_have_been_read():
    rig = Rig(FALLS_OPEN).run(100)
    rig.reset()
    rig.unread = set(CONTACTORS)
    rig.run(60)
    for name in CONTACTORS:
        assert rig.is_now(name) == FALLS_OPEN[name][0], name


def test_a_genset_started_by_command_beside_a_good_grid_stays_demanded():
    rig = Rig().run(60)
    assert rig.command("genset.start", for_s=3_600) == "ok"
    rig.until("genset.state", "ready", 100)
    rig.reset()
    rig.run(60)
    assert rig.is_now("genset.state") == "ready"
    assert rig.reason("genset") == "manual"


def test_a_grid_that_returned_during_the_reset_ends_a_start_by_command():
    rig = Rig().run(60)
    rig.grid_mv = 0
    rig.run(30)
    assert rig.command("genset.start", for_s=3_600) == "ok"
    rig.until("genset.state", "on_load", 100)
    rig.grid_mv = 230_000
    rig.reset()
    rig.run(100)
    assert rig.controller.demand.active == 0


# ---- resets in a row -------------------------------------------------------------------------------


def test_twenty_brown_outs_in_a_row_do_not_make_contactors_chatter():
    rig = Rig(FALLS_OPEN).run(700)
    closed = loop(rig, 20, 90)
    assert closed["grid"] == 0
    assert closed["load1"] == 0
    for name in CONTACTORS:
        assert closed[name] <= 2, closed


def test_twenty_brown_outs_on_genset_close_its_contactor_seldom_and_never_crank_a_running_engine():
    rig = on_genset()
    rig.run(700)
    rig.events.clear()
    closed = loop(rig, 20, 90)
    assert closed["genset"] <= 2, closed
    assert rig.running()
    assert not [e for e in rig.events if e[1] == 3 and e[3] == CRANK]


def test_twenty_brown_outs_that_stop_the_engine_each_time_cost_few_cranks():
    rig = on_genset()
    rig.run(700)
    rig.stop_ms = 1_000
    closed = loop(rig, 20, 90)
    assert closed["genset"] <= 2, closed
    assert closed["genset_start"] <= 4, closed


def test_the_critical_load_stays_on_through_twenty_brown_outs():
    rig = Rig(FALLS_OPEN).run(700)
    for _ in range(20):
        rig.reset()
        for _ in range(30):
            rig.scan()
            assert rig.is_now("load1") == 1


def test_the_wait_doubles_up_to_ten_minutes_and_ten_calm_minutes_end_it():
    r = fresh()
    waits = []
    for _ in range(8):
        r.step(1_000, False, True, bytearray(OUTPUTS))
        kept = r.memory()
        r = fresh()
        r.restore(kept)
        waits.append(r.left_ms // 1_000)
    assert waits == [0, 60, 120, 240, 480, 600, 600, 600]
    for _ in range(599):
        r.step(1_000, False, True, bytearray(OUTPUTS))
    assert r.left_ms
    r.step(1_000, False, True, bytearray(OUTPUTS))
    assert (r.left_ms, r.boots) == (0, 0)


def test_how_long_is_waited_and_what_ends_a_row_are_the_sites_choice():
    r = fresh(hold_s=5, calm_s=20)
    waits = []
    for _ in range(6):
        kept = r.memory()
        r = fresh(hold_s=5, calm_s=20)
        r.restore(kept)
        waits.append(r.left_ms // 1_000)
    assert waits == [0, 5, 10, 20, 40, 50]
    for _ in range(20):
        r.step(1_000, False, True, bytearray(OUTPUTS))
    assert r.boots == 0


def test_after_the_wait_everything_is_connected_again():
    rig = Rig(FALLS_OPEN).run(700)
    loop(rig, 3, 5)
    rig.run(60)
    assert rig.is_now("load2") == 0
    assert rig.reason("load2") == "reset_hold"
    rig.run(200)
    for name in ("pv", "battery", "load1", "load2", "load3"):
        assert rig.is_now(name) == 1, name


def test_a_tier_that_was_off_stays_off_while_the_board_waits_even_if_its_contactor_fell_closed():
    rig = Rig().run(700)
    rig.command("load.shed", tier=3, for_s=60)
    rig.run(5)
    for _ in range(2):
        rig.reset()
        rig.run(3)
    rig.run(54)  # the command has expired, the wait has not
    assert rig.controller.resets.left_ms
    assert rig.is_now("load3") == 0
    assert rig.is_now("load1") == 1
    rig.reset()
    rig.run(5)
    assert rig.is_now("load3") == 0
    assert rig.is_now("load1") == 1
    rig.run(150)
    assert rig.is_now("load3") == 1


def test_protection_waits_for_nothing():
    rig = Rig().run(700)
    for _ in range(4):
        rig.reset()
        rig.run(3)
    rig.mains_ok = 0
    rig.run(1)
    assert rig.controller.resets.left_ms
    assert rig.is_now("grid") == 0
    rig.mains_ok = 1
    rig.run(100)
    assert rig.controller.resets.left_ms
    assert rig.is_now("grid") == 0
    assert rig.reason("ac") == "reset_hold"


def test_no_engine_is_cranked_while_the_board_waits():
    rig = Rig().run(700)
    for _ in range(3):
        rig.reset()
        rig.run(3)
    rig.grid_mv = 0
    rig.soc = 200
    rig.run(90)
    assert rig.controller.demand.active
    assert rig.is_now("genset_start") == 0
    assert rig.reason("genset") == "reset_hold"
    rig.until("genset_start", 1, 60)


def test_the_start_line_of_an_engine_that_stands_is_not_pulsed_while_the_board_waits():
    rig = on_genset().run(700)
    rig.reset()
    rig.run(1)  # resumed: it had not stopped yet
    rig.stop_ms = 1_000
    rig.reset()
    assert rig.controller.resets.left_ms
    for _ in range(20):
        rig.scan()
        assert rig.is_now("genset_start") == 0


def test_a_genset_that_resets_have_stopped_is_started_again_when_the_wait_is_over():
    rig = on_genset().run(700)
    rig.stop_ms = 1_000
    for _ in range(2):
        rig.reset()
        rig.run(25)
    assert rig.controller.resets.left_ms
    rig.until("genset.state", "on_load", 150)


def test_every_kind_of_event_has_its_own_number():
    kinds = [getattr(decision, name) for name in dir(decision) if name.isupper() and name != "TYPE_CHECKING"]
    assert len(kinds) == len(set(kinds))


def test_a_wait_leaves_an_event_with_its_length():
    rig = Rig().run(700)
    for _ in range(2):
        rig.reset()
    rig.events.clear()
    rig.run(1)
    assert (11, 0, 2, 0, 60, 0) in [e[1:] for e in rig.events]


# ---- when to store ---------------------------------------------------------------------------------


def stores(r, seconds, happened):
    out = bytearray(OUTPUTS)
    return sum([1 for _ in range(seconds) if r.step(1_000, happened, True, out)])


def test_the_record_is_stored_at_boot_on_events_and_every_ten_minutes():
    r = fresh()
    assert stores(r, 1, False) == 1
    assert stores(r, 599, False) == 0
    assert stores(r, 1, False) == 1
    assert stores(r, 30, False) == 0
    assert stores(r, 1, True) == 1


def test_restless_events_are_stored_every_ten_seconds_at_most_after_a_burst():
    r = fresh()
    stores(r, 700, False)
    assert stores(r, 5, True) == 5
    assert stores(r, 600, True) <= 62


def test_an_event_that_had_to_wait_is_stored_all_the_same():
    r = fresh()
    stores(r, 700, False)
    while stores(r, 1, True):
        pass
    assert stores(r, 12, False) == 1


def test_the_controller_says_when_its_record_is_worth_storing():
    rig = Rig()
    assert rig.scan().worth_storing
    rig.run(60)
    assert not rig.scan().worth_storing
    rig.command("load.shed", tier=3, for_s=60)
    assert rig.scan().worth_storing


def test_a_reset_before_the_contactors_are_read_forgets_nothing_of_the_outputs():
    rig = Rig(FALLS_OPEN).run(200)
    rig.reset()
    rig.unread = set(CONTACTORS)
    rig.run(2)
    kept = rig.controller.memory()["resets"]
    assert kept[1 + LOAD3] == 1


def test_commands_and_plans_end_though_the_ac_contactors_have_not_been_read():
    rig = Rig(GRID_OPEN)
    rig.unread = {"genset"}
    assert rig.command("source.select", ac="none", for_s=60) == "ok"
    assert rig.command("genset.inhibit", for_s=60) == "ok"
    assert rig.command("plan.set", expires_s=60, charge=[2]) == "ok"
    assert rig.command("outage.announce", in_s=60, for_s=60) == "ok"
    rig.run(120)
    assert rig.is_now("grid") == 0
    controller = rig.controller
    assert controller.demand.inhibit_ms == controller.source.select_ms == controller.outage.in_ms == 0
    rig.unread = set()
    rig.run(10)
    assert controller.policy.plan is None
    assert rig.until("source.ac", "grid", 120) > 0
