"""Source selection: break before make, feedback, faults of contactors."""

from core_rig import REFERENCE, Rig, on_genset


def test_transfer_waits_the_dead_time_from_proven_open():
    rig = on_genset(source__dead_time_ms=3_000)
    rig.grid_mv = 230_000
    rig.until("genset", 0, 120)
    opened = rig.time_ms
    rig.until("grid", 1, 30)
    # Commanded in the last scan, proven one scan later, then three seconds.
    assert rig.time_ms - opened == 4_000


def test_dead_time_holds_with_scans_longer_than_it():
    rig = on_genset()
    rig.grid_mv = 230_000
    rig.until("genset", 0, 600, dt_ms=20_000)
    rig.scan(20_000)
    assert rig.is_now("grid") == 0
    rig.scan(20_000)
    assert rig.is_now("grid") == 1


def test_dead_time_holds_with_short_scans():
    rig = on_genset()
    rig.grid_mv = 230_000
    rig.until("genset", 0, 90, dt_ms=100)
    opened = rig.time_ms
    rig.until("grid", 1, 10, dt_ms=100)
    assert rig.time_ms - opened == 1_100


def test_without_feedback_dead_time_counts_from_the_command_plus_the_feedback_limit():
    outputs = dict(REFERENCE)
    outputs["grid"] = (1, 0)
    outputs["genset"] = (0, 0)
    rig = Rig(outputs).run(5)
    rig.grid_mv = 0
    rig.soc = 250
    rig.until("genset", 1, 300, dt_ms=100)
    rig.run(60)
    rig.grid_mv = 230_000
    rig.until("genset", 0, 90, dt_ms=100)
    opened = rig.time_ms
    rig.until("grid", 1, 10, dt_ms=100)
    assert rig.time_ms - opened >= 1_500


def test_grid_that_does_not_open_locks_the_genset_out():
    rig = Rig().run(5)
    rig.welded = {"grid"}
    rig.grid_mv = 0
    rig.soc = 250
    rig.run(300)
    assert rig.is_now("genset") == 0
    assert rig.is_now("genset_start") == 0
    assert "grid_welded" in rig.alarms()
    assert rig.reason("genset") == "welded"
    rig.welded = set()
    rig.until("source.ac", "genset", 300)
    rig.run(15)
    assert "grid_welded" not in rig.alarms()


def test_a_welded_grid_contactor_still_serves_when_the_grid_is_back():
    rig = Rig().run(5)
    rig.welded = {"grid"}
    rig.grid_mv = 0
    rig.run(30)
    rig.grid_mv = 230_000
    rig.run(70)
    assert rig.is_now("grid") == 1
    assert "grid_welded" in rig.alarms()


def test_genset_that_does_not_open_locks_the_grid_out():
    rig = on_genset()
    rig.welded = {"genset"}
    rig.grid_mv = 230_000
    rig.run(300)
    assert rig.is_now("grid") == 0
    assert "genset_welded" in rig.alarms()


def test_a_welded_genset_contactor_serves_until_its_demand_ends_and_it_opens():
    rig = on_genset()
    rig.welded = {"genset"}
    rig.grid_mv = 230_000
    rig.run(300)
    assert rig.is_now("source.ac") == "genset"
    rig.welded = set()
    rig.soc = 850
    rig.until("source.ac", "grid", 1_800)
    rig.run(15)
    assert "genset_welded" not in rig.alarms()


def test_a_contactor_that_does_not_close_is_tried_thrice_then_the_alternative_serves():
    rig = on_genset()
    rig.wont_close = {"grid"}
    rig.grid_mv = 230_000
    rig.run(400)
    closings = [e for e in rig.events if e[1:4] == (0, 0, 1)]
    assert len(closings) == 3
    assert rig.is_now("source.ac") == "genset"
    assert "grid_fail_to_close" in rig.alarms()


def test_a_contactor_that_was_given_up_is_tried_again_later():
    rig = Rig().run(5)
    rig.grid_mv = 0
    rig.run(10)
    rig.wont_close = {"grid"}
    rig.grid_mv = 230_000
    rig.run(300)
    rig.wont_close = set()
    rig.until("source.ac", "grid", 600)
    rig.run(80)
    assert "grid_fail_to_close" not in rig.alarms()
    assert rig.controller.source.tries == [0, 0]


def test_a_genset_contactor_that_does_not_close_is_given_up_and_the_engine_stops():
    rig = Rig(genset__min_run_s=0).run(5)
    rig.wont_close = {"genset"}
    rig.grid_mv = 0
    rig.soc = 250
    rig.run(400)
    assert rig.is_now("genset_start") == 0
    assert "genset_fail_to_close" in rig.alarms()
    assert rig.reason("genset") == "feedback_fault"


def test_feedback_stuck_closed_locks_the_other_source_out():
    rig = Rig().run(5)
    rig.stuck = {"grid": 1}
    rig.grid_mv = 0
    rig.soc = 250
    rig.run(300)
    assert rig.is_now("genset") == 0
    assert "grid_welded" in rig.alarms()


def test_a_contactor_that_falls_open_is_closed_again():
    rig = Rig().run(60)
    rig.contacts[0] = 0
    rig.wont_close = {"grid"}
    rig.run(2)
    rig.wont_close = set()
    rig.until("source.ac", "grid", 30)


def test_chattering_feedback_becomes_a_fault_and_locks_the_other_source_out():
    rig = Rig().run(30)
    rig.grid_mv = 0
    rig.run(10)
    rig.soc = 250
    for n in range(200):
        rig.stuck = {"grid": n % 2}
        rig.scan()
    assert rig.is_now("genset") == 0
    assert "feedback_mismatch" in rig.alarms()
    rig.stuck = {}
    rig.until("source.ac", "genset", 300)
    assert "feedback_mismatch" not in rig.alarms()


def test_a_chattering_genset_contactor_does_not_make_policy_leave_the_grid():
    rig = Rig().run(30)
    rig.controller.contacts.fault[1] = 3
    rig.controller.contacts._chatter_ms[1] = 60_000
    rig.controller.contacts._quiet = False
    rig.run(20)
    assert rig.is_now("source.ac") == "grid"


def test_minimum_on_time_holds_for_a_source_that_is_merely_no_longer_preferred():
    rig = on_genset(source__min_on_s=600)
    rig.grid_mv = 230_000
    rig.run(400)
    assert rig.is_now("source.ac") == "genset"
    rig.until("source.ac", "grid", 300)


def test_minimum_on_time_does_not_hold_for_a_source_that_fails():
    rig = on_genset(source__min_on_s=3_600)
    rig.genset_chz = 5_500
    rig.scan()
    assert rig.is_now("genset") == 0


def test_outputs_stand_at_idle_until_feedback_has_been_read():
    rig = Rig()
    rig.unread = {"grid", "load3"}
    rig.grid_mv = 0
    rig.soc = 250
    rig.run(200)
    assert [rig.is_now(n) for n in ("grid", "genset", "load3", "genset_start")] == [1, 0, 1, 0]
    rig.unread = set()
    rig.until("source.ac", "genset", 300)


def test_both_contactors_found_closed_are_both_opened():
    rig = Rig()
    rig.stuck = {"grid": 1, "genset": 1}
    rig.run(5)
    assert rig.is_now("grid") == 0
    assert rig.is_now("genset") == 0


def test_a_site_without_grid_runs_on_its_genset():
    outputs = dict(REFERENCE)
    del outputs["grid"]
    rig = Rig(outputs).run(5)
    rig.soc = 250
    rig.until("source.ac", "genset", 300)
    rig.soc = 850
    rig.run(2_000)
    assert rig.is_now("source.ac") == "none"
    assert rig.reason("ac") == "no_source"
    assert rig.point("grid.qualified") is None


def test_a_site_without_genset_rides_on_its_battery():
    outputs = dict(REFERENCE)
    del outputs["genset"]
    del outputs["genset_start"]
    rig = Rig(outputs).run(5)
    rig.grid_mv = 0
    rig.soc = 250
    rig.run(300)
    assert rig.is_now("source.ac") == "none"
    assert rig.point("genset.state") is None
    assert rig.reason("battery") == "battery_carries"
    rig.grid_mv = 230_000
    rig.until("source.ac", "grid", 70)


def test_a_normally_open_grid_contactor_closes_once_the_grid_has_qualified():
    outputs = dict(REFERENCE)
    outputs["grid"] = (0, 1)
    rig = Rig(outputs)
    assert rig.until("source.ac", "grid", 80) >= 60


def test_a_source_may_be_selected_for_a_time():
    rig = on_genset()
    rig.grid_mv = 230_000
    rig.run(80)
    assert rig.command("source.select", ac="genset", for_s=300) == "ok"
    rig.run(20)
    assert rig.is_now("source.ac") == "genset"
    assert rig.reason("ac") == "manual"
    rig.run(300)
    assert rig.is_now("source.ac") == "grid"


def test_selecting_none_leaves_the_battery_alone_for_a_time():
    rig = Rig().run(20)
    assert rig.command("source.select", ac="none", for_s=100) == "ok"
    rig.run(20)
    assert rig.is_now("source.ac") == "none"
    assert rig.reason("ac") == "manual"
    rig.until("source.ac", "grid", 100)


def test_selecting_a_source_that_is_not_fit_is_refused():
    rig = Rig().run(20)
    assert rig.command("source.select", ac="genset", for_s=100) == "not_qualified"


def test_a_selected_source_that_fails_gives_way_to_policy():
    rig = Rig().run(20)
    assert rig.command("source.select", ac="grid", for_s=10_000) == "ok"
    rig.grid_mv = 0
    rig.soc = 250
    rig.until("source.ac", "genset", 300)


def test_a_contactor_that_closed_at_last_gets_its_tries_back():
    rig = Rig().run(5)
    rig.grid_mv = 0
    rig.run(10)
    rig.wont_close = {"grid"}
    rig.grid_mv = 230_000
    rig.run(64)
    rig.wont_close = set()
    rig.until("source.ac", "grid", 20)
    assert rig.controller.source.tries[0] > 0
    rig.run(70)
    assert rig.controller.source.tries == [0, 0]


def test_a_ready_genset_waits_for_a_welded_or_chattering_grid_contactor_and_says_so():
    for fault, reason in ((1, "welded"), (3, "feedback_fault")):
        rig = on_genset(source__min_on_s=0)
        rig.genset_mv = 180_000
        rig.run(3)
        rig.genset_mv = 230_000
        if fault == 1:
            rig.stuck = {"grid": 1}
            rig.run(20)
        else:
            for n in range(20):
                rig.stuck = {"grid": n % 2}
                rig.scan()
        assert rig.controller.contacts.fault[0] == fault
        assert rig.is_now("genset") == 0
        assert rig.reason("ac") == reason


def test_a_reset_between_opening_and_closing_finds_both_open_and_waits_the_dead_time_again():
    outputs = dict(REFERENCE)
    outputs["grid"] = (0, 1)
    rig = Rig(outputs, source__dead_time_ms=5_000).run(100)
    rig.grid_mv = 0
    rig.soc = 250
    rig.until("source.ac", "genset", 300)
    rig.run(60)
    rig.grid_mv = 230_000
    rig.until("genset", 0, 120)
    rig.run(2)
    rig.reset()
    assert (rig.contacts[0], rig.contacts[1]) == (0, 0)
    seconds = rig.until("grid", 1, 120)
    assert seconds >= 5
    assert rig.is_now("genset") == 0


def test_a_stuck_interlock_relay_is_no_excuse_for_two_sources():
    # The rig's contactors obey the outputs alone, as with an interlock relay that has failed.
    rig = on_genset()
    for mv in (230_000, 0, 230_000, 0):
        rig.grid_mv = mv
        rig.run(120)
        assert not (rig.is_now("grid") and rig.is_now("genset"))
    assert rig.parallel == 0


def test_a_welded_grid_contactor_that_is_read_open_keeps_the_genset_off_and_fills_no_record():
    rig = Rig().run(60)
    rig.welded = {"grid"}
    rig.stuck = {"grid": 0}
    rig.more = {"rectifier.output_ma": 20_000}
    assert rig.command("genset.start", for_s=3_600) == "ok"
    rig.until("genset.state", "ready", 200)
    assert rig.command("source.select", ac="genset", for_s=1_200) == "ok"
    rig.run(60)
    noted = len(rig.events)
    rig.run(300)
    assert rig.is_now("genset") == 0
    assert rig.reason("ac") == "interlock"
    assert len(rig.events) - noted < 10
    rig.more = {}
    rig.welded = set()
    rig.stuck = {}
    rig.until("genset", 1, 60)
