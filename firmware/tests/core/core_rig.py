"""A hand-written site for the controller's tests: contactors follow in one scan, the genset takes its time.

Owns the truth of the site; knows nothing of how the controller decides. Runs on CPython and MicroPython.
"""

from greenmast_fw.core import knowing
from greenmast_fw.core.controller import Controller
from greenmast_fw.core.site import Site
from greenmast_fw.core.snapshot import Snapshot
from greenmast_protocol import alarms, params, points, quality, reasons

ROLES = ("grid", "genset", "battery", "rectifier", "solar", "load")
REFERENCE = {
    "grid": (1, 1),
    "genset": (0, 1),
    "pv": (1, 1),
    "battery": (1, 1),
    "load1": (1, 1),
    "load2": (1, 1),
    "load3": (1, 1),
    "genset_start": (0, 0),
    "alarm_major": (0, 0),
    "alarm_minor": (0, 0),
}
GRID = points.OUTPUTS.index("grid")
GENSET = points.OUTPUTS.index("genset")
START = points.OUTPUTS.index("genset_start")
CONTACTORS = points.FEEDBACKS


class Rig:
    """A controller on a small site. Attributes are truths that tests may set; `silent` roles give no data."""

    def __init__(self, outputs=None, memory=None, roles=ROLES, site=None, **settings):
        self.site = site or Site(outputs or REFERENCE, roles, "lfp", 300)
        self.params = params.defaults()
        for name in settings:
            self.params[name.replace("__", ".")] = settings[name]
        self.time_ms = 0
        self.minute = None  # local minute (see Snapshot) at time 0; None: the clock is not trusted
        self.grid_mv = 230_000
        self.grid_chz = 5_000
        self.mains_ok = None
        self.soc = 500
        self.soc_per_ks = 0  # permille per 1000 s; positive when charging
        self.bus = None  # overrides what follows from source and charge
        self.bus_silent = False
        self.battery_ma = None
        self.battery_dc = None
        self.load_w = 2_000
        self.minute = None  # local time as in Snapshot; None: the clock is not trusted
        self.fuel = 600
        self.genset_w = None
        self.genset_mv = 230_000
        self.genset_chz = 5_000
        self.genset_fault = 0
        self.rpm = 0
        self.start_ms = 4_000  # from start line to speed; None: never
        self.stop_ms = 5_000  # from release to standstill; None: never
        self.by_hand = False  # the engine runs whatever the line says
        self.silent = set()
        self.nan = set()  # points that a device gives no number for
        self.measured = {}  # point -> what its device says, whatever the truth; only these readings jump
        self.unread = set()  # contactors whose feedback has no value
        self.welded = set()
        self.wont_close = set()
        self.stuck = {}  # contactor -> feedback that it shows whatever it does
        self.more = {}  # further points, by name, as a device would tell them
        self.events = []
        self.parallel = 0  # scans with both AC contactors really closed
        self._line_ms = 0
        self.contacts = [self.site.idle[i] for i in range(len(CONTACTORS))]
        self.controller = Controller(self.params, self.site)
        if memory is not None:
            assert self.controller.restore(memory)
        self.out = self.controller.decision.outputs

    # ---- the site ----------------------------------------------------------------------------------

    def running(self):
        return self.rpm > 1_000

    def ac(self):
        """Voltage at the rectifier's input."""
        if self.contacts[GRID] and self.grid_mv > 85_000:
            return self.grid_mv
        if self.contacts[GENSET] and self.running():
            return self.genset_mv
        return 0

    def bus_mv(self):
        if self.bus is not None:
            return self.bus
        return 51_400 if self.ac() else 47_000 + 4 * self.soc

    def _move(self, dt_ms):
        """The site's answer to what the controller has commanded."""
        for i in range(len(CONTACTORS)):
            name = CONTACTORS[i]
            want = self.out[i]
            if name in self.welded and self.contacts[i] and not want:
                continue
            if name in self.wont_close and want and not self.contacts[i]:
                continue
            self.contacts[i] = want
        if self.contacts[GRID] and self.contacts[GENSET]:
            self.parallel += 1
        line = self.out[START] or self.by_hand
        if line:
            if self.start_ms is not None:
                self._line_ms = self._line_ms + dt_ms if self._line_ms > 0 else dt_ms
                if self.by_hand or self._line_ms >= self.start_ms:
                    self.rpm = 1_500
        else:
            self._line_ms = self._line_ms - dt_ms if self._line_ms < 0 else -dt_ms
            if self.stop_ms is not None and -self._line_ms >= self.stop_ms:
                self.rpm = 0
        self.soc = min(max(self.soc + self.soc_per_ks * dt_ms // 1_000_000, 0), 1_000)

    def values(self):
        """What the devices would say now, by point name."""
        v = {}
        running = self.running()
        if "grid" not in self.silent:
            v["grid.voltage_mv"] = self.grid_mv
            v["grid.frequency_chz"] = self.grid_chz if self.grid_mv else 0
        if self.mains_ok is not None:
            v["grid.mains_ok"] = self.mains_ok
        if "genset" not in self.silent:
            v["genset.rpm"] = self.rpm
            v["genset.running"] = 1 if running else 0
            v["genset.voltage_mv"] = self.genset_mv if running else 0
            v["genset.frequency_chz"] = self.genset_chz if running else 0
            v["genset.fault"] = self.genset_fault
            if self.fuel is not None:
                v["genset.fuel_permille"] = self.fuel
            if self.genset_w is not None:
                v["genset.power_w"] = self.genset_w
        if "rectifier" not in self.silent:
            v["rectifier.ac_present"] = 1 if self.ac() else 0
            v["rectifier.output_mv"] = self.bus_mv()
        if "battery" not in self.silent:
            v["battery.soc_permille"] = self.soc
            v["battery.voltage_mv"] = self.bus_mv()
            if self.battery_ma is not None:
                v["battery.current_ma"] = self.battery_ma
            if self.battery_dc is not None:
                v["battery.temperature_dc"] = self.battery_dc
        if "load" not in self.silent:
            v["dc.bus_mv"] = self.bus_mv()
            v["load.power_w"] = self.load_w
        for i in range(len(CONTACTORS)):
            name = CONTACTORS[i]
            if self.site.has_feedback[i] and name not in self.unread:
                v["feedback." + name] = self.stuck.get(name, self.contacts[i])
        v.update(self.more)
        v.update(self.measured)
        return v

    def snapshot(self):
        values = [None] * points.COUNT
        codes = bytearray([quality.STALE] * points.COUNT)
        known = self.values()
        for name in known:
            i = points.index(name)
            if name in self.nan:
                codes[i] = quality.NOT_A_NUMBER
                continue
            values[i] = known[name]
            codes[i] = quality.GOOD
        minute = None if self.minute is None else self.minute + self.time_ms // 60_000
        return Snapshot(tuple(values), bytes(codes), minute)

    # ---- running it --------------------------------------------------------------------------------

    def scan(self, dt_ms=1_000):
        """One scan, and the site's answer to it."""
        snapshot = self.snapshot()
        self._truths_do_not_jump(snapshot.v)
        decision = self.controller.step(snapshot, dt_ms)
        self.time_ms += dt_ms
        for event in decision.events:
            self.events.append((self.time_ms,) + event)
            if len(self.events) > 200:
                self.events.pop(0)
        self._move(dt_ms)
        assert self.parallel == 0, "both AC contactors closed"
        return decision

    def _truths_do_not_jump(self, v):
        """What a test sets is how things are, not a reading that jumps."""
        last = self.controller.knowing._last
        for n in range(len(last)):
            i = knowing._POINTS[n]
            if v[i] != last[n] and points.NAMES[i] not in self.measured:
                last[n] = None

    def run(self, seconds, dt_ms=1_000):
        for _ in range(seconds * 1_000 // dt_ms):
            self.scan(dt_ms)
        return self

    def until(self, name, value, limit_s, dt_ms=1_000):
        """Scan until `name` (as for `is_now`) has `value`, at most `limit_s`. Returns the seconds taken."""
        start = self.time_ms
        while self.is_now(name) != value:
            if self.time_ms - start >= limit_s * 1_000:
                raise AssertionError(
                    "%s is %s, not %s, after %d s" % (name, self.is_now(name), value, limit_s)
                )
            self.scan(dt_ms)
        return (self.time_ms - start) // 1_000

    def is_now(self, name):
        """The value of an output or of a point that the controller determines; states by their words."""
        if name == "genset.state":
            return points.GENSET_STATES[self.controller.genset.state]
        if name == "source.ac":
            return points.AC_SOURCES[self.point(name)]
        if name in points.OUTPUTS:
            return self.out[points.OUTPUTS.index(name)]
        return self.point(name)

    def point(self, name):
        return self.controller.decision.points[points.index(name)]

    def reason(self, name):
        """Name of the reason of `ac`, `genset`, `battery`, `load1`.."""
        return reasons.NAMES[self.point("reason." + name)]

    def alarms(self):
        return [alarms.NAMES[i] for i in self.controller.decision.alarms]

    def command(self, name, **args):
        """Name of the refusal, or "ok"."""
        return reasons.NAMES[self.controller.command(name, args)[0]]

    def reset(self, record=None, lost=False):
        """A new controller with the old one's memory, on the same site; outputs fall to idle meanwhile.

        `record`: an older memory instead. `lost`: none at all.
        """
        memory = record or self.controller.memory()
        self.out = bytearray(self.site.idle)
        for _ in range(3):
            self._move(1_000)
            self.time_ms += 1_000
        self.parallel = 0  # a welded contactor beside the idle state is the hardware interlock's business
        self.controller = Controller(self.params, self.site)
        assert lost or self.controller.restore(memory)
        self.out = self.controller.decision.outputs


def on_genset(**settings):
    """A rig whose grid has failed, on genset for a minute, with charge below the start threshold."""
    rig = Rig(**settings)
    rig.run(5)
    rig.grid_mv = 0
    rig.soc = 250
    rig.until("source.ac", "genset", 300)
    rig.run(60)
    return rig


def demanded(**settings):
    """A rig without grid and with little charge, just before the genset is demanded."""
    rig = Rig(**settings).run(5)
    rig.grid_mv = 0
    rig.soc = 250
    return rig
