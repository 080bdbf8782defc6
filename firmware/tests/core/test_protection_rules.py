"""Protection alone: whatever policy wants, what must not be closed is opened."""

from core_rig import REFERENCE

from greenmast_fw.core.protection import Protection
from greenmast_fw.core.site import BATTERY, GENSET, GRID, Site
from greenmast_protocol import params, points, reasons


class Cell:
    """Protection with the values it sees; `check` asks for outputs and returns what is left of them."""

    def __init__(self, outputs=None, **settings):
        p = params.defaults()
        for name in settings:
            p[name.replace("__", ".")] = settings[name]
        self.site = Site(outputs or REFERENCE)
        self.protection = Protection(p, self.site)
        self.v = {
            "grid.voltage_mv": 230_000,
            "grid.frequency_chz": 5_000,
            "genset.voltage_mv": 230_000,
            "genset.frequency_chz": 5_000,
            "genset.fault": 0,
            "rectifier.ac_present": 1,
            "battery.voltage_mv": 50_000,
            "feedback.grid": 0,
            "feedback.genset": 0,
            "feedback.battery": 1,
        }

    def check(self, grid=0, genset=0, battery=1, dt_ms=1_000, blind=0):
        out = bytearray(len(points.OUTPUTS))
        out[GRID] = grid
        out[GENSET] = genset
        out[BATTERY] = battery
        v = [None] * points.COUNT
        for name in self.v:
            v[points.index(name)] = self.v[name]
        wish = bytes(out)
        opened = self.protection.check(out, tuple(v), dt_ms, blind)
        assert opened is (bytes(out) != wish)
        for i in (GRID, GENSET, BATTERY):
            assert (self.protection.reason[i] != 0) == (out[i] != wish[i]), "what is opened has a reason"
        return out[GRID], out[GENSET], out[BATTERY]

    def settled(self, grid=0, genset=0):
        """Long after a reset, with the contacts as given."""
        self.v["feedback.grid"] = grid
        self.v["feedback.genset"] = genset
        self.protection._out[GRID] = grid
        self.protection._out[GENSET] = genset
        for _ in range(15):
            assert self.check(grid, genset) == (grid, genset, 1)
        return self

    def why(self, i):
        return reasons.NAMES[self.protection.reason[i]]


def test_both_commanded_opens_both():
    cell = Cell().settled()
    assert cell.check(1, 1) == (0, 0, 1)
    assert cell.why(GRID) == cell.why(GENSET) == "interlock"


def test_both_proven_closed_opens_both():
    cell = Cell().settled(grid=1)
    cell.v["feedback.genset"] = 1
    assert cell.check(1, 0) == (0, 0, 1)


def test_the_other_one_proven_closed_keeps_this_one_open():
    cell = Cell().settled()
    cell.v["feedback.grid"] = 1
    assert cell.check(0, 1) == (0, 0, 1)
    assert cell.why(GENSET) == "interlock"


def test_the_other_one_unknown_keeps_this_one_open():
    cell = Cell().settled()
    cell.v["feedback.grid"] = None
    assert cell.check(0, 1) == (0, 0, 1)


def test_dead_time_is_kept_from_proven_open():
    cell = Cell(source__dead_time_ms=2_500).settled(grid=1)
    cell.check(0, 0)
    cell.v["feedback.grid"] = 0
    assert [cell.check(0, 1)[1] for _ in range(4)] == [0, 0, 0, 1]


def test_dead_time_without_feedback_counts_from_the_command_and_the_limit():
    outputs = dict(REFERENCE)
    outputs["grid"] = (0, 0)
    cell = Cell(outputs)
    for _ in range(20):
        cell.check(0, 0)
    assert cell.check(1, 0, dt_ms=100) == (1, 0, 1)
    cell.check(0, 0, dt_ms=100)
    taken = 0
    while cell.check(0, 1, dt_ms=100)[1] == 0:
        taken += 100
        assert taken < 5_000
    assert 1_400 <= taken <= 1_600


def test_never_closes_onto_a_source_out_of_band_or_unmeasured():
    for name, value in (
        ("voltage_mv", 100_000),
        ("voltage_mv", 300_000),
        ("voltage_mv", None),
        ("frequency_chz", 4_600),
        ("frequency_chz", 5_400),
        ("frequency_chz", None),
    ):
        for role, wish in (("grid", (1, 0)), ("genset", (0, 1))):
            cell = Cell().settled()
            cell.v["%s.%s" % (role, name)] = value
            assert cell.check(*wish)[:2] == (0, 0), (role, name, value)
            assert cell.why(GRID if role == "grid" else GENSET) == "not_qualified"


def test_an_unmeasured_source_is_not_closed_even_on_the_rectifiers_word_or_blindly():
    cell = Cell().settled()
    cell.v["genset.voltage_mv"] = None
    assert cell.check(0, 1, blind=1)[1] == 0


def test_grid_out_of_band_is_opened_after_its_loss_delay_whatever_policy_wants():
    cell = Cell().settled(grid=1)
    cell.v["grid.voltage_mv"] = 100_000
    assert [cell.check(1, 0)[0] for _ in range(6)] == [1, 1, 1, 1, 0, 0]


def test_genset_out_of_band_is_opened_at_once():
    cell = Cell().settled(genset=1)
    cell.v["genset.frequency_chz"] = 5_400
    assert cell.check(0, 1)[1] == 0


def test_a_genset_fault_opens_at_once():
    cell = Cell().settled(genset=1)
    cell.v["genset.fault"] = 1
    assert cell.check(0, 1)[1] == 0
    assert cell.why(GENSET) == "engine_fault"


def test_the_mains_fail_input_opens_at_once():
    cell = Cell().settled(grid=1)
    cell.v["grid.mains_ok"] = 0
    assert cell.check(1, 0)[0] == 0
    assert cell.why(GRID) == "mains_fail"


def test_an_unmeasured_source_is_opened_after_its_tolerance_unless_the_rectifier_vouches():
    for i, name in ((GRID, "grid"), (GENSET, "genset")):
        wish = (1, 0) if i == GRID else (0, 1)
        cell = Cell().settled(*wish)
        cell.v[name + ".voltage_mv"] = None
        for _ in range(100):
            assert cell.check(*wish)[i] == 1
        cell.v["rectifier.ac_present"] = None
        assert [cell.check(*wish)[i] for _ in range(5)] == [1, 1, 1, 1, 0]


def test_with_no_device_answering_the_state_is_held_and_the_default_may_close_the_grid_alone():
    cell = Cell().settled(genset=1)
    for name in ("grid", "genset"):
        cell.v[name + ".voltage_mv"] = cell.v[name + ".frequency_chz"] = None
    cell.v["rectifier.ac_present"] = None
    for _ in range(100):
        assert cell.check(0, 1, blind=1)[1] == 1
    cell = Cell().settled()
    cell.v["grid.voltage_mv"] = cell.v["grid.frequency_chz"] = None
    assert cell.check(1, 0, blind=1)[0] == 0
    assert cell.check(1, 0, blind=2)[0] == 1
    cell = Cell().settled()
    cell.v["genset.voltage_mv"] = None
    assert cell.check(0, 1, blind=2)[1] == 0


def test_meters_get_time_to_answer_after_a_reset():
    cell = Cell()
    cell.v["feedback.grid"] = 1
    cell.v["grid.voltage_mv"] = cell.v["rectifier.ac_present"] = None
    for _ in range(9):
        assert cell.check(1, 0)[0] == 1
    for _ in range(6):
        left = cell.check(1, 0)[0]
    assert left == 0


def test_a_contactor_that_was_never_read_is_left_alone():
    for name, wish in (("grid", (1, 0)), ("genset", (0, 1))):
        cell = Cell()
        cell.v["feedback." + name] = None
        cell.v[name + ".voltage_mv"] = 0
        for _ in range(30):
            assert cell.check(*wish)[:2] == wish


def test_a_battery_forgotten_below_its_voltage_is_disconnected():
    cell = Cell().settled()
    cell.v["battery.voltage_mv"] = 43_000
    cell.v["rectifier.ac_present"] = 0
    seconds = 0
    while cell.check(0, 0)[2]:
        seconds += 1
        assert seconds < 1_000
    assert 355 <= seconds <= 365
    assert cell.why(BATTERY) == "battery_protect"


def test_a_low_battery_that_is_being_charged_is_left_alone():
    for name, value in (("rectifier.ac_present", 1), ("battery.current_ma", 500)):
        cell = Cell().settled()
        cell.v["rectifier.ac_present"] = 0
        cell.v["battery.voltage_mv"] = 43_000
        cell.v[name] = value
        for _ in range(1_000):
            assert cell.check(0, 0)[2] == 1


def test_a_battery_that_recovers_or_is_unknown_is_left_alone():
    cell = Cell().settled()
    cell.v["rectifier.ac_present"] = 0
    for n in range(2_000):
        cell.v["battery.voltage_mv"] = (43_000, 43_000, None, 44_000)[n % 4]
        assert cell.check(0, 0)[2] == 1


def test_it_never_closes_anything_whatever_it_sees():
    seed = 616
    may_be = {
        "grid.voltage_mv": (None, 0, 150_000, 230_000),
        "grid.frequency_chz": (None, 4_000, 5_000),
        "grid.mains_ok": (None, 0, 1),
        "genset.voltage_mv": (None, 0, 230_000),
        "genset.frequency_chz": (None, 5_000, 6_000),
        "genset.fault": (None, 0, 3),
        "rectifier.ac_present": (None, 0, 1),
        "rectifier.output_ma": (None, 0, 20_000),
        "battery.voltage_mv": (None, 40_000, 50_000),
        "battery.current_ma": (None, -9_000, 9_000),
        "feedback.grid": (None, 0, 0, 1),
        "feedback.genset": (None, 0, 0, 1),
        "feedback.battery": (None, 0, 1),
    }
    names = sorted(may_be)
    cell = Cell()
    opened = 0
    for _ in range(4_000):
        seed = (seed * 1_103 + 12_345) % 1_000_003
        name = names[seed // 7 % len(names)]
        cell.v[name] = may_be[name][seed // 101 % len(may_be[name])]
        wish = (seed // 3 % 2, seed // 11 % 2, seed // 13 % 2)
        left = cell.check(wish[0], wish[1], wish[2], dt_ms=1 + seed % 4_000, blind=seed // 17 % 3)
        assert all([left[i] <= wish[i] for i in range(3)]), (wish, left)
        assert left[:2] != (1, 1)
        opened += left != wish
    assert 400 < opened < 3_600, "the walk must meet both answers"


def test_a_site_without_one_of_the_sources_needs_no_proof_of_it():
    outputs = dict(REFERENCE)
    del outputs["grid"]
    cell = Cell(outputs)
    cell.v["feedback.grid"] = None
    for _ in range(12):
        cell.check(0, 0)
    assert cell.check(0, 1)[1] == 1


def test_very_long_times_do_not_overflow():
    cell = Cell().settled()
    for _ in range(300):
        cell.check(0, 0, dt_ms=3_600_000)
    assert max(cell.protection._open_ms) < 1 << 30
    assert max(cell.protection._since_ms) < 1 << 30


def test_a_battery_whose_contactor_was_never_read_is_left_alone():
    cell = Cell()
    cell.v["feedback.battery"] = None
    cell.v["rectifier.ac_present"] = 0
    cell.v["battery.voltage_mv"] = 40_000
    for _ in range(500):
        assert cell.check(0, 0)[2] == 1


# ---- limits and times, to the unit -----------------------------------------------------------------


def test_the_limits_of_the_band_are_inside():
    p = params.defaults()
    for role, wish in (("grid", (1, 0)), ("genset", (0, 1))):
        for name, least, most in (
            ("voltage_mv", "voltage_min_mv", "voltage_max_mv"),
            ("frequency_chz", "frequency_min_chz", "frequency_max_chz"),
        ):
            least, most = p["%s.%s" % (role, least)], p["%s.%s" % (role, most)]
            for value, fit in ((least - 1, 0), (least, 1), (most, 1), (most + 1, 0)):
                cell = Cell().settled()
                cell.v["%s.%s" % (role, name)] = value
                assert sum(cell.check(*wish)[:2]) == fit, (role, name, value)


def test_what_a_contactor_did_before_the_first_look_counts_for_nothing():
    for wish in ((0, 1), (1, 0)):
        outputs = dict(REFERENCE)
        outputs["grid"] = (0, 1)
        cell = Cell(outputs, source__dead_time_ms=1_000)
        assert cell.check(*wish, dt_ms=60_000)[:2] == (0, 0)
        assert cell.check(*wish, dt_ms=999)[:2] == (0, 0)
        assert cell.check(*wish, dt_ms=1)[:2] == wish


def test_without_feedback_both_times_are_kept_to_the_millisecond_after_a_reset_and_after_a_command():
    for blind_one, other, wish, stop in (("grid", GRID, (0, 1), (1, 0)), ("genset", GENSET, (1, 0), (0, 1))):
        outputs = dict(REFERENCE)
        outputs["grid"] = (0, 1)
        outputs[blind_one] = (0, 0)
        cell = Cell(outputs, source__dead_time_ms=1_000, source__feedback_ms=500)
        for _ in range(2):
            assert cell.check(*wish, dt_ms=499)[:2] == (0, 0)
            assert cell.check(*wish, dt_ms=1)[:2] == (0, 0)  # proven open from here on
            assert cell.check(*wish, dt_ms=999)[:2] == (0, 0)
            assert cell.check(*wish, dt_ms=1)[:2] == wish
            cell.check(0, 0, dt_ms=5_000)
            cell.check(0, 0, dt_ms=5_000)
            assert cell.check(*stop, dt_ms=5_000)[other] == 1
            cell.check(0, 0, dt_ms=5_000)


def test_the_grid_is_tolerated_for_exactly_its_loss_delay_from_the_scan_that_saw_it_outside():
    cell = Cell(grid__loss_delay_s=3)
    cell.v["feedback.grid"] = 1
    cell.v["grid.voltage_mv"] = 100_000
    assert cell.check(1, 0, dt_ms=60_000)[0] == 1  # since when, nobody knows
    assert cell.check(1, 0, dt_ms=3_000)[0] == 1
    assert cell.check(1, 0, dt_ms=1)[0] == 0


def test_a_source_that_fails_right_after_closing_gets_its_whole_tolerance():
    cell = Cell(grid__loss_delay_s=3).settled()
    cell.v["grid.voltage_mv"] = 100_000
    cell.check(1, 0)
    cell.v["grid.voltage_mv"] = 230_000
    assert cell.check(1, 0)[0] == 1
    cell.v["grid.voltage_mv"] = 100_000
    assert cell.check(1, 0, dt_ms=60_000)[0] == 1
    assert cell.check(1, 0, dt_ms=3_000)[0] == 1
    assert cell.check(1, 0, dt_ms=1)[0] == 0


def test_after_a_reset_ten_seconds_and_the_tolerance_pass_before_an_unmeasured_source_is_left():
    for name, wish in (("grid", (1, 0)), ("genset", (0, 1))):
        outputs = dict(REFERENCE)
        outputs["grid"] = (wish[0], 1)
        outputs["genset"] = (wish[1], 1)
        cell = Cell(outputs, grid__loss_delay_s=3)
        cell.v["feedback." + name] = 1
        cell.v[name + ".voltage_mv"] = cell.v["rectifier.ac_present"] = None
        for dt_ms in (9_999, 1, 3_000):
            assert cell.check(*wish, dt_ms=dt_ms)[:2] == wish, (name, dt_ms)
        assert cell.check(*wish, dt_ms=1)[:2] == (0, 0)


def test_an_unmeasured_source_is_not_left_for_one_long_first_scan():
    outputs = dict(REFERENCE)
    outputs["grid"] = (0, 1)
    outputs["genset"] = (1, 1)
    cell = Cell(outputs)
    cell.v["feedback.genset"] = 1
    cell.v["genset.voltage_mv"] = cell.v["rectifier.ac_present"] = None
    assert cell.check(0, 1, dt_ms=10_000)[1] == 1
    assert cell.check(0, 1, dt_ms=3_001)[1] == 0


def test_a_forgotten_battery_gets_five_countdowns_and_a_minute_to_the_millisecond():
    cell = Cell(lvd__battery_mv=43_200, lvd__delay_s=60)
    cell.v["rectifier.ac_present"] = 0
    for _ in range(2):
        cell.v["battery.voltage_mv"] = 43_199
        assert cell.check(0, 0, dt_ms=359_999)[2] == 1
        assert cell.check(0, 0, dt_ms=1)[2] == 1
        assert cell.check(0, 0, dt_ms=1)[2] == 0
        assert cell.check(0, 0, battery=0)[2] == 0  # asked for nothing, it has nothing to open
        cell.v["battery.voltage_mv"] = 43_200
        assert cell.check(0, 0)[2] == 1


def test_the_least_charging_current_spares_the_battery():
    cell = Cell().settled()
    cell.v["rectifier.ac_present"] = 0
    cell.v["battery.voltage_mv"] = 43_000
    cell.v["battery.current_ma"] = 1
    for _ in range(500):
        assert cell.check(0, 0)[2] == 1


# ---- positions that are read wrongly ---------------------------------------------------------------


def _fed(other, mv):
    """Long after a reset; both are read open, the rectifier draws AC, `other`'s source has `mv`."""
    cell = Cell().settled()
    cell.v["rectifier.output_ma"] = 20_000
    cell.v[other + ".voltage_mv"] = mv
    return cell


def test_a_welded_contactor_that_is_read_open_is_betrayed_by_the_rectifier():
    for other, wish in (("grid", (0, 1)), ("genset", (1, 0))):
        for mv in (230_000, 60_000, None):  # in band, some, unmeasured
            cell = _fed(other, mv)
            for _ in range(100):
                assert cell.check(*wish)[:2] == (0, 0), (other, mv)
            assert cell.why(1 if wish[1] else 0) == "interlock"
        cell.v["rectifier.ac_present"] = 0
        assert cell.check(*wish)[:2] == wish


def test_the_other_source_measured_dead_cannot_be_what_feeds_the_rectifier():
    for other, wish in (("grid", (0, 1)), ("genset", (1, 0))):
        assert _fed(other, 59_999).check(*wish)[:2] == wish


def test_a_flag_that_sticks_locks_nothing_out():
    for ma in (None, 0, 999):
        cell = _fed("grid", 180_000)
        cell.v["rectifier.output_ma"] = ma
        assert cell.check(0, 1)[1] == 1
    cell = _fed("grid", 180_000)
    cell.v["rectifier.output_ma"] = 1_000
    assert cell.check(0, 1)[1] == 0, "a current beside it is no sticking flag"


def test_what_is_closed_already_stays_so_whatever_the_rectifier_draws():
    cell = Cell().settled(genset=1)
    cell.v["rectifier.output_ma"] = 20_000
    for _ in range(30):
        assert cell.check(0, 1)[1] == 1


def test_a_contactor_that_is_read_closed_explains_the_ac_itself():
    cell = _fed("genset", 230_000)
    cell.v["feedback.grid"] = 1
    assert cell.check(1, 0)[0] == 1


def test_where_the_other_source_does_not_exist_it_feeds_nothing():
    outputs = dict(REFERENCE)
    del outputs["genset"]
    cell = Cell(outputs).settled()
    cell.v["rectifier.output_ma"] = 20_000
    cell.v["genset.voltage_mv"] = None
    assert cell.check(1, 0)[0] == 1
