"""The controller explains itself: every state, with values, limits and times."""

from core_rig import REFERENCE, Rig, on_genset

from greenmast_fw.core import explain
from greenmast_fw.services import view
from greenmast_protocol import points, reasons, show

EVERYTHING = {"grid", "genset", "rectifier", "battery", "solar", "load"}


def _lines(rig):
    return "\n".join([show.explanation(row) for row in rig.controller.explain()])


def test_explanations_tell_value_limit_and_time():
    rig = Rig().run(5)
    rig.grid_mv = 0
    rig.run(10)
    assert "against 195.50 V" in _lines(rig)
    assert "state of charge 50.0 % above 30.0 %" in _lines(rig)
    rig.grid_mv = 230_000
    rig.run(20)
    assert "grid qualifies in 41 s" in _lines(rig)
    rig.grid_mv = 0
    rig.soc = 250
    rig.until("genset.state", "warm_up", 200)
    rig.run(20)
    assert "warming up: 40 s left" in _lines(rig)
    rig.until("source.ac", "genset", 100)
    rig.run(2)
    text = _lines(rig)
    assert "genset on_load: state of charge 25.0 % below 80.0 %" in text
    assert "minimum run time:" in text


def _line(rig, subject):
    for row in rig.controller.explain():
        if row[0] == subject:
            return show.explanation(row)
    raise AssertionError("no row about " + subject)


def test_every_output_of_the_site_has_a_row_and_no_other_has():
    two_sources = {"grid": "output.grid", "genset": "output.genset"}
    for absent in ("", "load3", "genset", "alarm_minor"):
        outputs = dict(REFERENCE)
        outputs["cooling"] = (0, 0)
        if absent:
            del outputs[absent]
        if absent == "genset":
            del outputs["genset_start"]
        rig = Rig(outputs).run(5)
        subjects = [row[0] for row in rig.controller.explain()]
        assert len(set(subjects)) == len(subjects)
        for name in points.OUTPUTS:
            assert (two_sources.get(name, name) in subjects) == (name in outputs), name


def test_a_genset_that_does_not_start_tells_demand_fuel_starts_and_when_it_is_expected():
    rig = Rig(genset__soc_start_permille=400).run(5)
    rig.grid_mv = 0
    rig.soc = 421
    rig.battery_ma = -10_000
    rig.run(5)
    assert _line(rig, "genset") == (
        "genset off: no demand; in the way: state of charge 42.1 % above 40.0 %, bus 48.68 V above 48.00 V; "
        "fine: fuel 60.0 % above 10.0 %, 0 of 4 starts this hour; next: start expected in 37 min 48 s"
    )


def test_a_genset_that_must_not_start_tells_every_obstacle():
    rig = on_genset(genset__min_run_s=0, genset__starts_per_hour=1)
    rig.soc = 900
    rig.until("genset.state", "off", 300)
    rig.run(10)
    rig.soc = 250
    rig.bus = 47_600
    rig.fuel = 50
    rig.run(70)
    rig.command("genset.inhibit", for_s=3_600)
    rig.run(1)
    line = _line(rig, "genset")
    assert line.startswith(
        "genset off: inhibited by command; in the way: fuel 5.0 % below 20.0 %, minimum off time:"
    )
    assert "1 of 1 starts this hour" in line
    assert "next: may start in 59 min 59 s" in line
    assert "fine" not in line


def test_a_locked_out_genset_says_why_and_what_to_do():
    rig = Rig(genset__crank_tries=1).run(5)
    rig.grid_mv = 0
    rig.soc = 250
    rig.start_ms = None
    rig.until("genset.state", "locked_out", 300)
    assert "no start, tries used up: 1; in the way: locked out after a fault: reset it first" in _line(
        rig, "genset"
    )


def test_a_running_genset_tells_what_keeps_it_and_when_it_is_done():
    rig = on_genset()
    rig.battery_ma = 50_000
    rig.run(1)
    line = _line(rig, "genset")
    assert line.startswith(
        "genset on_load: state of charge 25.0 % below 80.0 %; in the way: minimum run time"
    )
    assert line.endswith("next: charged in 3 h 18 min")
    rig.command("genset.start", for_s=600)
    rig.soc = 900
    rig.run(2)
    assert _line(rig, "genset").endswith("next: command ends in 9 min 58 s")


def test_contactors_of_the_sources_tell_their_own_reason():
    rig = on_genset()
    assert _line(rig, "output.grid") == "output.grid open: grid lost: 0.00 V against 195.50 V"
    assert _line(rig, "output.genset") == "output.genset closed: genset is ready"
    rig.grid_mv = 230_000
    rig.until("source.ac", "none", 100)
    assert _line(rig, "output.grid") == "output.grid open: dead time: 1 s left; next: closed in 1 s"


def test_a_contactor_that_was_given_up_tells_when_it_is_tried_again():
    rig = Rig().run(30)
    rig.wont_close = {"grid"}
    rig.grid_mv = 0
    rig.run(20)
    rig.grid_mv = 230_000
    rig.run(100)
    assert _line(rig, "output.grid").startswith(
        "output.grid open: contactor did not close; next: tried again in 9 min"
    )
    assert _line(rig, "ac").startswith(
        "ac none: contactor did not close; in the way: no demand; next: grid tried again"
    )
    assert rig.reason("ac") == "fail_to_close"


def test_disaster_mode_tells_the_fuel_that_is_rationed_and_how_long_the_reserve_must_last():
    rig = Rig(**{"policy.name": 3})
    rig.fuel = 250
    rig.grid_mv = 0
    rig.run(60)
    assert "fuel 25.0 % rationed below 30.0 %" in _line(rig, "genset")
    assert _line(rig, "reserve").startswith("reserve 100.0 %: disaster mode: must last 2 d 23 h more")


def test_a_welded_contactor_is_told_beside_the_reason():
    rig = Rig().run(30)
    rig.welded = {"grid"}
    rig.grid_mv = 0
    rig.run(20)
    assert _line(rig, "output.grid").endswith("in the way: contactor did not open")
    assert _line(rig, "output.genset").endswith("in the way: the other AC contactor is not proven open")


def test_the_next_load_to_go_tells_its_margin_and_a_shed_one_what_it_waits_for():
    rig = Rig().run(30)
    assert _line(rig, "load3").endswith("fine: bus 51.40 V above disconnection at 47.50 V")
    assert "fine" not in _line(rig, "load2")
    rig.grid_mv = 0
    rig.bus = 47_000
    rig.run(100)
    assert _line(rig, "load3") == "load3 disconnected: bus 47.00 V below 49.80 V; in the way: no AC source"
    assert _line(rig, "load2").endswith("fine: bus 47.00 V above disconnection at 46.50 V")


def test_the_battery_tells_when_it_is_empty():
    rig = Rig().run(5)
    rig.grid_mv = 0
    rig.battery_ma = -40_000
    rig.run(100)
    assert _line(rig, "battery").endswith("next: empty in 3 h 22 min")
    rig.battery_ma = 1_000
    rig.run(1)
    assert "empty" not in _line(rig, "battery")


def test_alarm_relays_name_the_alarm_that_drives_them_and_how_many_there_are():
    rig = Rig().run(5)
    values = rig.values
    rig.values = lambda: dict(values(), **{"site.smoke": 1, "site.door_open": 1})
    rig.events.clear()
    rig.run(60)
    assert _line(rig, "alarm_major") == "alarm_major on: alarm smoke, 1 in all"
    assert _line(rig, "alarm_minor") == "alarm_minor on: alarm door_open, 1 in all"
    switched = [e for e in rig.events if e[1:4] == (0, points.OUTPUTS.index("alarm_major"), 1)]
    assert [reasons.NAMES[e[4]] for e in switched] == ["alarm_on"]


def test_a_wait_after_resets_is_explained_with_its_end():
    rig = Rig().run(700)
    for _ in range(3):
        rig.reset()
        rig.run(3)
    rig.grid_mv = 0
    rig.run(10)
    rig.grid_mv = 230_000
    rig.run(70)
    assert _line(rig, "output.grid") == (
        "output.grid open: several resets in a row: waits for 37 s; next: closed in 37 s"
    )
    assert "several resets in a row" in _line(rig, "genset")


# ---- typical situations, every line that has something to say --------------------------------------


def _news(rig):
    """The lines that say more than that all is as it should be."""
    lines = [show.explanation(row) for row in rig.controller.explain()]
    assert not [line for line in lines if "?" in line]
    return [line for line in lines if not line.endswith("as it should be")]


def _has(rig, *lines):
    told = _news(rig)
    for line in lines:
        assert line in told, (line, told)


def _discharging(**settings):
    """A rig without grid, on its battery."""
    rig = Rig(**settings).run(60)
    rig.battery_ma = -40_000
    rig.grid_mv = 0
    return rig


def test_on_the_grid_it_tells_the_grids_margins_and_what_would_start_the_genset():
    _has(
        Rig().run(60),
        "ac grid: grid within its limits",
        "grid qualified: grid within its limits; fine: grid 230.00 V between 195.50 V and 253.00 V",
        "genset off: no demand; in the way: grid within its limits, state of charge 50.0 % above 30.0 %, "
        "bus 51.40 V above 48.00 V; fine: fuel 60.0 % above 10.0 %, 0 of 4 starts this hour",
        "output.grid closed: grid within its limits",
        "output.genset open: no demand",
        "policy weak-grid: charged fully whenever AC is there",
        "reserve 40.0 %: as the parameters say",
    )


def test_when_the_grid_is_lost_it_tells_when_the_genset_is_expected_and_the_battery_empty():
    _has(
        _discharging().run(20),
        "ac none: grid lost: 0.00 V against 195.50 V; in the way: no demand; "
        "next: genset start expected in 1 h 30 min",
        "charge absorption: held at the charging voltage: 1 h 59 min left at most; in the way: no AC source; "
        "fine: setpoint 51.50 V",
        "soc measured: state of charge 50.0 % ± 3.0 %; next: disconnection without AC in 3 h 22 min",
        "battery connected: as it should be; next: empty in 3 h 22 min",
    )


def test_a_demand_whose_delay_runs_is_told_with_its_end_and_so_is_the_engine_then():
    rig = _discharging()
    rig.soc = 280
    rig.run(40)
    _has(
        rig,
        "ac none: grid lost: 0.00 V against 195.50 V; in the way: no demand; next: genset demanded in 24 s",
        "genset off: state of charge 28.0 % below 30.0 %; fine: fuel 60.0 % above 10.0 %, "
        "0 of 4 starts this hour; next: demanded in 24 s",
    )
    rig.until("genset.state", "warm_up", 100)
    rig.run(10)
    _has(
        rig,
        "ac none: grid lost: 0.00 V against 195.50 V; in the way: warming up: 50 s left; "
        "next: genset ready in 50 s",
        "genset warm_up: warming up: 50 s left; next: ready in 50 s",
        "genset_start on: warming up: 50 s left",
    )


def test_on_the_genset_and_in_its_cool_down_it_tells_what_ends_them():
    rig = on_genset(genset__min_run_s=0)
    rig.battery_ma = 50_000
    rig.run(2)
    _has(
        rig,
        "ac genset: genset is ready; in the way: grid lost: 0.00 V against 195.50 V",
        "genset on_load: state of charge 25.0 % below 80.0 %; next: charged in 3 h 18 min",
        "genset_start on: state of charge 25.0 % below 80.0 %",
    )
    rig.soc = 900
    rig.until("genset.state", "cool_down", 100)
    rig.run(5)
    _has(rig, "genset cool_down: cooling down: 55 s left; next: stops in 55 s")


def test_a_genset_that_must_not_run_is_not_expected():
    rig = _discharging()
    rig.fuel = 50
    rig.run(20)
    line = _line(rig, "genset")
    assert "bus 49.00 V above 48.00 V, fuel 5.0 % below 20.0 %" in line
    assert "expected" not in line
    assert "expected" not in _line(rig, "ac")


def test_shedding_tells_the_voltage_that_decides_before_and_after_and_the_way_back():
    rig = _discharging()
    rig.fuel = 50
    rig.bus = 47_200
    rig.run(30)
    _has(rig, "load3 connected: bus 47.20 V below 47.50 V; next: disconnected in 31 s")
    rig.run(40)
    _has(rig, "load3 disconnected: bus 47.20 V below 49.80 V; in the way: no AC source")
    rig.bus = 50_000
    rig.grid_mv = 230_000
    rig.run(100)
    _has(rig, "load3 disconnected: bus 50.00 V above 49.80 V; next: connected in 4 min 22 s")


def test_shedding_for_charge_and_for_time_tells_that_before_it_happens():
    rig = _discharging(lvd__tier3_permille=480, lvd__reconnect_permille=600, genset__soc_start_permille=100)
    rig.soc = 470
    rig.run(30)
    line = _line(rig, "load3")
    assert line.startswith("load3 connected: state of charge 47.0 % below 48.0 %; ")
    assert line.endswith("next: disconnected in 31 s")
    rig = _discharging(lvd__tier3_after_s=100)
    rig.run(150)
    line = _line(rig, "load3")
    assert line.startswith("load3 connected: AC absent for ")
    assert ", limit 1 min 40 s; " in line
    assert "next: disconnected in " in line


def test_a_cold_battery_is_told_with_its_limit_and_no_end_of_charging_is_promised():
    rig = Rig().run(60)
    rig.battery_dc = -20
    rig.run(30)
    _has(rig, "charge absorption: no charging: battery -2.0 °C below 0.0 °C; fine: setpoint 49.35 V")


def test_a_battery_that_carries_for_the_tariff_tells_when_power_is_cheap():
    rig = Rig(policy__name=points.POLICIES.index("tribrid"))
    rig.minute = 12 * 60
    rig.soc = 900
    rig.run(20)
    assert "next: the battery may carry in 4" in _line(rig, "policy")
    rig.until("source.ac", "none", 900)
    rig.run(20)
    left = "next: grid power is cheap in 10 h 5"
    assert left in _line(rig, "policy")
    line = _line(rig, "ac")
    assert line.startswith("ac none: grid power is expensive now: the battery carries; " + left)


def test_disaster_mode_tells_how_long_the_load_must_last_and_how_long_it_would():
    rig = _discharging()
    assert rig.command("mode.set", mode="disaster", for_s=86_400) == "ok"
    rig.run(120)
    _has(
        rig,
        "policy weak-grid: disaster mode: must last 2 d 23 h more; "
        "in the way: 3 h 04 min to disconnection, below 2 d 23 h",
        "reserve 100.0 %: disaster mode: must last 2 d 23 h more",
    )


def test_after_resets_the_wait_is_told_beside_the_rule():
    rig = Rig().run(700)
    for _ in range(3):
        rig.reset()
        rig.run(3)
    rig.grid_mv = 0
    rig.run(10)
    rig.grid_mv = 230_000
    rig.run(20)
    wait = "several resets in a row: waits for 1 min 27 s"
    _has(
        rig,
        "ac none: grid is good, return delay: 41 s left; in the way: no demand, " + wait + "; "
        "next: grid qualifies in 41 s",
        "output.grid open: grid is good, return delay: 41 s left; in the way: " + wait,
        "output.genset open: no demand; in the way: " + wait,
    )


def test_cooling_that_waits_for_charge_tells_how_much_is_missing():
    outputs = dict(REFERENCE)
    outputs["cooling"] = (0, 0)
    rig = Rig(outputs).run(60)
    rig.grid_mv = 0
    rig.soc = 350
    rig.more["site.temperature_dc"] = 380
    rig.run(200)
    assert _line(rig, "cooling") == (
        "cooling off: the reserve comes first; in the way: state of charge 35.0 % below 42.0 %"
    )


def test_every_state_can_be_explained():
    rig = Rig(genset__min_run_s=0)
    seen = set()

    def look():
        for row in rig.controller.explain():
            seen.add(row[2])
            assert show.explanation(row)
            assert "?" not in show.explanation(row), show.explanation(row)

    def scan(n):
        for _ in range(n):
            rig.scan()
            look()

    look()
    scan(3)
    rig.fuel = 50
    rig.grid_mv = 0
    rig.soc = 100
    scan(80)
    rig.fuel = 500
    rig.start_ms = None
    scan(70)
    rig.command("genset.reset")
    rig.start_ms = 3_000
    scan(150)
    rig.command("load.shed", tier=3, for_s=5)
    rig.soc = 900
    scan(80)
    rig.soc = 100
    scan(80)
    rig.bus = 47_000
    scan(150)
    rig.bus = 50_500
    rig.battery_ma = 100
    scan(350)
    rig.grid_mv = 230_000
    rig.grid_chz = 5_600
    scan(10)
    rig.grid_chz = 5_000
    scan(70)
    rig.silent = EVERYTHING
    scan(200)
    assert len(seen) >= 15, seen


def test_a_countdown_that_protection_has_overtaken_can_be_explained():
    rig = Rig(lvd__delay_s=60).run(5)
    rig.grid_mv = 0
    rig.start_ms = None
    rig.bus = 47_000
    rig.run(30)
    assert reasons.code("shed_countdown") in list(rig.controller.loads.reason)
    rig.controller.loads.all_off()
    assert len(rig.controller.explain()) > 5


def test_the_board_asks_for_every_part():
    assert view.EXPLAINED_PARTS == explain.PARTS
