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
        self.opened = self.protection.check(out, tuple(v), dt_ms, blind)
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
    assert cell.opened
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
    cell = Cell()
    cell.v["feedback.grid"] = None
    cell.v["grid.voltage_mv"] = 0
    for _ in range(30):
        assert cell.check(1, 0)[0] == 1


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


def test_it_never_closes_anything():
    cell = Cell().settled()
    for blind in (0, 1, 2):
        assert cell.check(0, 0, 0, blind=blind) == (0, 0, 0)
        assert not cell.opened


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
    for _ in range(20_000):
        cell.check(0, 0, dt_ms=60_000)
    assert max(cell.protection._open_ms) < 1 << 30
    assert max(cell.protection._since_ms) < 1 << 30


def test_a_battery_whose_contactor_was_never_read_is_left_alone():
    cell = Cell()
    cell.v["feedback.battery"] = None
    cell.v["rectifier.ac_present"] = 0
    cell.v["battery.voltage_mv"] = 40_000
    for _ in range(500):
        assert cell.check(0, 0)[2] == 1
