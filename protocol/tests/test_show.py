"""Values as people read them."""

from greenmast_protocol import alarms, points, reason_text, reasons, show


def test_units_and_decimals():
    for name, v, text in (
        ("dc.bus_mv", 51234, "51.23 V"),
        ("dc.bus_mv", 51235, "51.24 V"),
        ("grid.voltage_mv", 230000, "230.00 V"),
        ("battery.cell_min_mv", 3305, "3.305 V"),
        ("battery.current_ma", -12340, "-12.3 A"),
        ("battery.current_ma", -10, "0.0 A"),
        ("battery.soc_permille", 1000, "100.0 %"),
        ("battery.temperature_dc", -5, "-0.5 °C"),
        ("grid.frequency_chz", 4998, "49.98 Hz"),
        ("load.power_w", 2000, "2000 W"),
        ("load.energy_wh", 1234567, "1234.6 kWh"),
        ("genset.oil_kpa", 350, "350 kPa"),
        ("genset.rpm", 1500, "1500"),
    ):
        assert show.value(name, v) == text, (name, v, show.value(name, v))


def test_words_and_bits():
    for name, v, text in (
        ("source.ac", 2, "genset"),
        ("source.ac", 7, "7"),
        ("genset.state", 6, "on_load"),
        ("controller.mode", 0, "auto"),
        ("reason.ac", 0, "ok"),
        ("output.grid", 1, "closed"),
        ("feedback.load3", 0, "open"),
        ("output.genset_start", 1, "on"),
        ("output.alarm_major", 0, "off"),
        ("site.door_open", 1, "yes"),
    ):
        assert show.value(name, v) == text, (name, v, show.value(name, v))


def test_nothing_is_a_question_mark_and_never_zero():
    for name in points.NAMES:
        assert show.value(name, None) == "?"


def test_every_point_can_be_shown_at_its_limits():
    for name, low, high, _ in points.POINTS:
        assert show.value(name, low)
        assert show.value(name, high)


def test_unknown_points_of_a_newer_board_are_shown_by_their_unit():
    assert show.value("battery.2.voltage_mv", 51200) == "51.20 V"
    assert show.value("wind.turbine", 3) == "3"


def test_durations():
    for seconds, text in (
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min 00 s"),
        (3725, "1 h 02 min"),
        (172800, "2 d 00 h"),
        (0x7FFFFFFF, "without end"),
    ):
        assert show.duration(seconds) == text


def test_reasons_show_their_values_in_units_and_counts_as_they_are():
    assert show.reason(reasons.code("grid_lost"), 170000, 195500) == "grid lost: 170.00 V against 195.50 V"
    assert show.reason(reasons.code("cranking"), 2, 3) == "cranking, try 2 of 3"
    assert show.reason(reasons.code("soc_low")) == "state of charge ? below ?"
    assert show.reason(999, 1) == "reason 999"


def test_every_reason_that_takes_values_has_a_unit_for_each_or_counts():
    counts = ("starts_per_hour", "starts_left", "cranking", "start_failed", "alarm_on")
    for code, name in enumerate(reasons.NAMES):
        text = reason_text.TEXTS[name]
        shown = show.reason(code, *([61] * text.count("{}")))
        assert "{}" not in shown, name
        bare = shown.replace("0.061 V", "0.06 V").replace("0.61 Hz", "").replace("61 W", "")
        assert name in counts or "61" not in bare, (name, shown)


def test_an_explanation_gives_state_reason_obstacles_and_what_comes():
    row = ("genset", "off", reasons.code("no_demand"), (), (), ())
    assert show.explanation(row) == "genset off: no demand"
    blocked = [[reasons.code("min_off"), 90], [reasons.code("interlock")]]
    row = ["genset", "off", reasons.code("soc_low"), [250, 300], blocked, ["start", 90]]
    assert show.explanation(row) == (
        "genset off: state of charge 25.0 % below 30.0 %; in the way: minimum off time: 1 min 30 s left, "
        "the other AC contactor is not proven open; next: start in 1 min 30 s"
    )
    assert show.explanation("as it is") == "as it is"


def test_what_is_fine_is_told_apart_from_what_stands_in_the_way():
    considered = ((reasons.code("soc_above"), 421, 400), (reasons.code("fuel_enough"), 600, 200))
    row = (
        "genset",
        "off",
        reasons.code("no_demand"),
        (),
        considered + ((reasons.code("starts_left"), 2, 4),),
        (),
    )
    assert show.explanation(row) == (
        "genset off: no demand; in the way: state of charge 42.1 % above 40.0 %; "
        "fine: fuel 60.0 % above 20.0 %, 2 of 4 starts this hour"
    )


def test_an_alarm_in_a_reason_is_named():
    row = ("alarm_major", "on", reasons.code("alarm_on"), (alarms.index("smoke"), 2), (), ())
    assert show.explanation(row) == "alarm_major on: alarm smoke, 2 in all"
    assert "alarm 99" in show.reason(reasons.code("alarm_on"), 99, 1)
