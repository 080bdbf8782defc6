"""The tables against the public interface: complete, unique, in range."""

from greenmast_protocol import (
    alarm_text,
    alarms,
    commands,
    labels,
    param_text,
    params,
    points,
    quality,
    reason_text,
    reasons,
    strict_json,
    tele,
    units,
)

_POINTS = {
    "grid": "voltage_mv current_ma power_w frequency_chz energy_wh mains_ok qualified",
    "genset": "state running voltage_mv frequency_chz rpm power_w fuel_permille oil_kpa "
    "coolant_dc run_s starts energy_wh fault",
    "rectifier": "output_mv output_ma setpoint_mv limit_ma ac_present energy_wh",
    "dc": "bus_mv",
    "solar": "voltage_mv current_ma power_w energy_wh",
    "battery": "voltage_mv current_ma soc_permille soc_error_permille soh_permille "
    "temperature_dc cell_min_mv cell_max_mv"
    " charge_limit_ma discharge_limit_ma reserve_permille to_lvd_s",
    "load": "power_w tier1_w tier2_w tier3_w energy_wh tier1_wh tier2_wh tier3_wh",
    "site": "door_open smoke temperature_dc",
    "source": "ac",
    "output": "grid genset pv battery load1 load2 load3 genset_start cooling alarm_major alarm_minor",
    "feedback": "grid genset pv battery load1 load2 load3 genset_start",
    "controller": "mode uptime_s boot time_trusted alarms_active heap_free_b scan_ms safe_mode",
    "device": "requests errors timeouts reply_ms online",
    "reason": "ac genset battery load1 load2 load3",
}
_COMMANDS = (
    "genset.start{for_s} genset.stop genset.inhibit{for_s} genset.reset "
    "source.select{ac,for_s} load.shed{tier,for_s} "
    "load.restore{tier} mode.set{mode,for_s} reserve.set{permille,for_s} "
    "plan.set{expires_s,start_in_s,reserve,charge,genset} "
    "alarm.ack{id} alarm.shelve{id,for_s} battery.test{on} outage.announce{in_s,for_s} controller.reset"
)
_REFUSALS = (
    "unknown invalid_value not_authorised expired replayed retained rate_limited mode"
    " interlock not_qualified fuel_low "
    "locked_out inhibited min_off min_run starts_per_hour engine_fault feedback_fault"
    " battery_protect no_device busy "
    "revision_conflict"
)
_PARAMS = (
    "genset.soc_start_permille genset.soc_stop_permille genset.min_run_s "
    "genset.min_off_s genset.max_run_s genset.warm_up_s "
    "genset.cool_down_s genset.crank_s genset.crank_rest_s genset.crank_tries genset.fuel_stop_permille "
    "genset.fuel_resume_permille genset.data_lost grid.return_delay_s grid.loss_delay_s source.dead_time_ms "
    "battery.reserve_permille lvd.tier1_mv lvd.tier2_mv lvd.tier3_mv lvd.delay_s "
    "lvd.reconnect_mv lvd.reconnect_s policy.name"
)
_GENSET_STATES = "off glow crank rest warm_up ready on_load cool_down stopping locked_out"


def _unique(names):
    return len(set(names)) == len(names)


def test_the_point_table_has_the_public_points_and_no_unknown_ones():
    expected = ["%s.%s" % (subsystem, name) for subsystem in _POINTS for name in _POINTS[subsystem].split()]
    added = [
        "genset.auto",
        "battery.to_lvd_min_s",
        "reason.charge",
        "reason.cooling",
    ]  # beyond the public list
    assert sorted(points.NAMES) == sorted(expected + added)
    assert _unique(points.NAMES)


def test_points_are_numbered_by_their_place():
    for i, name in enumerate(points.NAMES):
        assert points.index(name) == i
        assert points.find(name) == i
        assert points.name(i) == name
        low, high, dead_band = points.POINTS[i][1:]
        assert points.dead_band(i) == dead_band
        assert [points.in_range(i, v) for v in (low - 1, low, high, high + 1)] == [False, True, True, False]
    for name in ("no.such_point", "", "dc.bus", "bus_mv", "grid.voltage_mv\ngrid.current_ma"):
        assert points.find(name) == -1, name


def test_every_point_has_a_range_and_a_dead_band_inside_it():
    for name, low, high, dead_band in points.POINTS:
        assert 0 <= dead_band <= high - low, name
        assert -(2**63) <= low < high < 2**63, name


def test_every_point_that_stands_for_words_has_a_word_for_each_value():
    for name, low, high, _ in points.POINTS:
        words = labels.of(name)
        if words and not name.startswith("reason."):
            assert (low, high) == (0, len(words) - 1), name
    assert len(reasons.NAMES) - 1 <= points.POINTS[points.index("reason.ac")][2]


def test_words_are_the_public_ones():
    assert points.GENSET_STATES == tuple(_GENSET_STATES.split())
    assert points.MODES == ("auto", "manual", "disaster", "safe")
    assert points.AC_SOURCES == ("none", "grid", "genset")


def test_units_are_read_from_names():
    for name, unit in (
        ("dc.bus_mv", "mv"),
        ("battery.soc_error_permille", "permille"),
        ("battery.to_lvd_s", "s"),
        ("controller.heap_free_b", "b"),
        ("genset.state", ""),
        ("genset.rpm", ""),
        ("output.genset_start", ""),
        ("site.door_open", ""),
    ):
        assert units.of(name) == unit, name


def test_outputs_and_feedbacks_are_points():
    for name in points.OUTPUTS:
        assert points.find("output." + name) >= 0
    for name in points.FEEDBACKS:
        assert points.find("feedback." + name) >= 0
    assert len(points.FEEDBACKS) == 8


def test_the_table_hash_is_eight_hex_digits():
    text = labels.TABLE_HASH
    assert len(text) == 8
    int(text, 16)


def test_the_parameter_table_has_the_public_parameters():
    for name in _PARAMS.split():
        assert params.row(name) is not None, name
    assert _unique(params.NAMES)


def test_every_default_lies_in_its_range():
    for name, default, low, high in params.PARAMS:
        assert low <= default <= high, name


def test_every_parameter_reason_and_alarm_has_its_text_and_no_text_is_left_over():
    assert sorted(param_text.TEXTS) == sorted(params.NAMES)
    assert sorted(reason_text.TEXTS) == sorted(reasons.NAMES)
    assert sorted(alarm_text.TEXTS) == sorted(alarms.NAMES)
    for text, remedy in alarm_text.TEXTS.values():
        assert text
        assert remedy


def test_defaults_are_a_new_dict_each_time():
    first = params.defaults()
    first["grid.return_delay_s"] = 0
    assert params.defaults()["grid.return_delay_s"] != 0
    assert len(first) == len(params.PARAMS)


def test_parameters_that_stand_for_words_have_a_word_for_each_value():
    assert params.CHOICES["genset.data_lost"] == ("start", "keep", "stop")
    for name in params.CHOICES:
        row = params.row(name)
        assert row is not None, name
        assert row[2:4] == (0, len(params.CHOICES[name]) - 1), name


def test_threshold_pairs_name_parameters_and_hold_at_the_defaults():
    values = params.defaults()
    for lower, upper, distance in params.PAIRS:
        off = values[upper] == 0 == values[lower]
        assert off or values[upper] - values[lower] >= distance, (lower, upper)


def test_defaults_that_hang_on_the_battery_keep_their_order_for_every_chemistry():
    for chemistry, cells in (("lfp", 15), ("lfp", 16), ("vrla", 24)):
        values = params.complete(params.for_battery(chemistry, cells))
        for lower, upper, distance in params.PAIRS:
            if values[upper] or values[lower]:
                assert values[upper] - values[lower] >= distance, (chemistry, lower, upper)
    assert params.for_battery("", 15) == {}
    for chemistry in params.PER_CELL:
        for name in params.PER_CELL[chemistry]:
            row = params.row(name)
            assert row is not None, name


def test_the_plain_defaults_are_those_of_fifteen_lfp_cells():
    own = params.for_battery("lfp", 15)
    for name, value in params.defaults().items():
        assert name not in own or abs(own[name] - value) <= 50, name


def test_the_command_table_has_exactly_the_public_commands():
    expected = {}
    for entry in _COMMANDS.split():
        name, _, rest = entry.partition("{")
        expected[name] = sorted([a for a in rest.rstrip("}").split(",") if a])
    assert sorted(commands.NAMES) == sorted(expected)
    for name, arguments in commands.COMMANDS:
        assert sorted([a[0] for a in arguments]) == expected[name], name


def _example(argument, high):
    if isinstance(argument[1], tuple):
        return argument[1][-1 if high else 0]
    number = argument[2 if high else 1]
    return number if len(argument) == 4 else [number] * (argument[4] if high else 1)


def test_every_command_is_well_formed_at_its_limits_and_not_beyond_or_with_other_types():
    for name, arguments in commands.COMMANDS:
        for high in (False, True):
            good = {a[0]: _example(a, high) for a in arguments}
            assert commands.problem(name, good) == ("", ""), name
            for argument in arguments:
                for bad in (None, True, "x", [], 10**12, -(10**12)):
                    args = dict(good)
                    args[argument[0]] = bad
                    code, text = commands.problem(name, args)
                    assert code == "invalid_value", (name, args)
                    assert argument[0] in text, (name, args)
                args = dict(good)
                del args[argument[0]]
                missing = commands.problem(name, args)[0]
                assert missing == ("invalid_value" if argument[3] else ""), (name, args)


def test_lists_in_commands_are_judged_number_by_number_with_their_place():
    good = {"expires_s": 3_600, "reserve": [400, 500]}
    assert commands.problem("plan.set", good) == ("", "")
    for bad, place in (
        ({"reserve": [400, 1_001]}, "reserve[1]"),
        ({"charge": [1, 0, 3]}, "charge[2]"),
        ({"genset": [True]}, "genset[0]"),
        ({"genset": [None]}, "genset[0]"),
        ({"reserve": []}, "reserve"),
        ({"charge": [1] * 169}, "charge"),
        ({"start_in_s": 3_600}, "start_in_s"),
        ({"hours": [1]}, "hours"),
    ):
        args = dict(good)
        args.update(bad)
        code, text = commands.problem("plan.set", args)
        assert code == "invalid_value", bad
        assert place in text, (bad, text)


def test_unknown_commands_and_arguments_are_refused():
    assert commands.problem("genset.explode", {})[0] == "unknown"
    assert commands.problem(5, {})[0] == "unknown"
    assert commands.problem("genset.stop", {"now": 1})[0] == "invalid_value"
    assert commands.problem("genset.stop", [])[0] == "invalid_value"


def test_refusals_are_the_public_codes_in_order():
    assert reasons.REFUSALS == tuple(_REFUSALS.split())


def test_reasons_are_unique_and_fit_a_point():
    assert _unique(reasons.NAMES)
    for i, name in enumerate(reasons.NAMES):
        assert reasons.code(name) == i


def test_reason_texts_take_their_values_in_order():
    assert reason_text.text(reasons.code("fuel_low"), "9 %", "10 %") == "fuel 9 % below 10 %"
    assert reason_text.text(reasons.code("fuel_low")) == "fuel ? below ?"


def test_alarms_are_unique_and_complete():
    assert _unique(alarms.NAMES)
    for i, row in enumerate(alarms.ALARMS):
        name, severity, on_s, off_s, cause = row
        assert alarms.index(name) == i
        assert severity in (alarms.CRITICAL, alarms.MAJOR, alarms.MINOR, alarms.WARNING), name
        assert min(on_s, off_s) >= 0, name
        assert cause == "" or cause in alarms.NAMES, name


def test_a_cause_weighs_as_much_as_what_it_hides_and_has_no_cause_itself():
    weight = (alarms.WARNING, alarms.MINOR, alarms.MAJOR, alarms.CRITICAL)
    rows = [row for row in alarms.ALARMS if row[4]]
    assert rows
    for name, severity, _, _, cause in rows:
        above = alarms.ALARMS[alarms.index(cause)]
        assert weight.index(above[1]) >= weight.index(severity), name
        assert above[4] == "", name


def test_values_are_told_with_a_quality_unless_it_is_good():
    codes = bytearray([i % len(quality.NAMES) for i in range(points.COUNT)])
    body = b"{" + b"".join(tele.members(range(points.COUNT), [1] * points.COUNT, codes)) + b"}"
    told = strict_json.loads(body)
    tele.check_values(told["v"], told["q"])
    for i, name in enumerate(points.NAMES):
        word = "stale" if codes[i] == quality.STALE else "invalid"
        expected = (1, None) if codes[i] == quality.GOOD else (None, word)
        assert (told["v"][name], told["q"].get(name)) == expected, name
