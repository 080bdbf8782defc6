"""The scan: what the core distrusts is told as missing with its reason, what is counted when it is kept."""

from greenmast_fw.core.alarms import Alarms
from greenmast_fw.core.decision import Decision
from greenmast_fw.core.energy import ENERGY, Energy
from greenmast_fw.core.site import Site
from greenmast_fw.core.snapshot import Image
from greenmast_fw.services import scan
from greenmast_protocol import alarms, params, points, quality

BUS = points.index("dc.bus_mv")
SOC = points.index("battery.soc_permille")
AC = points.index("source.ac")


class Core:
    """A controller that believes what it has no code against, and decides nothing."""

    def __init__(self):
        self.alarms = Alarms(params.defaults())
        self.reported = {}
        self.decision = Decision(bytes(len(points.OUTPUTS)))
        self.energy = Energy(Site({}))

    def report_alarm(self, i, so):
        self.reported[alarms.NAMES[i]] = so

    def step(self, snapshot, dt_ms):
        codes = self.decision.codes
        self.decision.accepted = tuple([None if codes[i] else snapshot.v[i] for i in range(points.COUNT)])
        return self.decision


class Poller:
    def __init__(self, silent, faulty=False):
        self.silent = silent
        self.faulty = faulty

    def is_silent(self):
        return self.silent

    def is_faulty(self):
        return self.faulty


class Nothing:
    uptime_s = 0
    failed = False
    trusted = False

    def minute(self):
        return None

    def read_into(self):
        pass

    def step(self):
        pass

    def apply(self, outputs):
        pass


def _scanned(core, pollers=()):
    image = Image()
    source = image.add_source(3_000, [BUS, SOC])
    image.put(BUS, 50_000)
    image.put(SOC, 800)
    image.refresh(source)
    nothing = Nothing()
    built = scan.Scan(image, core, nothing, [nothing], pollers, nothing, None, nothing, 1_000, 1, nothing)
    built.step(1_000)
    return built, image


def test_measured_and_decided_values_are_good():
    core = Core()
    core.decision.points[AC] = 1
    built, _ = _scanned(core)
    for i, value in ((BUS, 50_000), (SOC, 800), (AC, 1)):
        assert built.values[i] == value
        assert built.codes[i] == quality.GOOD


def test_a_distrusted_value_has_no_value_and_says_why():
    core = Core()
    core.decision.codes[SOC] = quality.FROZEN
    built, image = _scanned(core)
    assert built.values[SOC] is None
    assert built.codes[SOC] == quality.FROZEN
    assert built.values[BUS] == 50_000
    image.invalid(SOC, quality.NOT_A_NUMBER)
    built.step(1_000)
    assert built.codes[SOC] == quality.NOT_A_NUMBER
    image.put(SOC, 790)
    core.decision.codes[SOC] = 0
    built.step(1_000)
    assert built.values[SOC] == 790


def test_a_count_of_energy_is_told_when_it_is_on_flash():
    core = Core()
    core.energy.wh[0] = 500
    built, _ = _scanned(core)
    assert built.values[ENERGY] == 500
    core.energy.wh[0] = 600
    built.step(1_000)
    assert built.values[ENERGY] == 500
    built.stored_wh[0] = 600
    built.step(1_000)
    assert built.values[ENERGY] == 600
    assert built.values[ENERGY + 1] is None


def test_what_moves_an_output_is_in_the_log_before_it_moves():
    core = Core()
    built, _ = _scanned(core)
    seen = []
    built.outbox = Nothing()
    built.outbox.add_events = lambda events: seen.append("log")
    built.outputs.apply = lambda outputs: seen.append("output")
    built.step(1_000)
    assert seen == ["log", "output"]


def test_one_silent_device_or_fault_on_any_bus_is_reported_to_the_core():
    for on in ((), (False, False), (True, False), (False, True)):
        core = Core()
        _scanned(core, [Poller(so) for so in on])
        assert core.reported == {"device_silent": any(on), "bus_fault": False, "io_fault": False}
        _scanned(core, [Poller(False, so) for so in on])
        assert core.reported == {"device_silent": False, "bus_fault": any(on), "io_fault": False}
