"""Charging on a bench: the part `Charge` with a rectifier and a battery of one voltage and one resistance.

Owns the truth; knows nothing of how the part decides. Runs on CPython and MicroPython.
"""

from core_rig import REFERENCE, ROLES

from greenmast_fw.core.charge import Charge
from greenmast_fw.core.site import Site
from greenmast_protocol import params, points, reasons

CELLS = {"lfp": 15, "vrla": 24}
GRID = 1
GENSET = 2
LOAD_MA = 40_000
RATED_MA = 125_000
CAPACITY_AH = 300


class Bench:
    """Attributes are truths that tests may set. `more`: further points by name; `None` in it: not measured.

    Also what `Charge.step` takes as the part battery.
    """

    def __init__(self, chemistry="lfp", **settings):
        cells = CELLS[chemistry]
        self.params = params.complete(params.for_battery(chemistry, cells))
        for name in settings:
            assert name.replace("__", ".") in self.params, name
            self.params[name.replace("__", ".")] = settings[name]
        self.site = Site(REFERENCE, ROLES, chemistry, CAPACITY_AH, cells)
        self.charge = Charge(self.params, self.site)
        self.emf_mv = 3_300 * cells if chemistry == "lfp" else 2_100 * cells
        self.r_mohm = 13
        self.ac = GRID
        self.grid_ok = True
        self.dead = False  # the rectifier delivers nothing
        self.held_mv = 50_000  # what it holds until somebody writes
        self.held_ma = RATED_MA
        self.solar_ma = 0
        self.silent = False  # the battery gives no data
        self.charge_to = 1_000
        self.charge_first = False
        self.alarm = 0
        self.more = {}
        self.soc = 500
        self.temperature_dc = 250
        self.lost_ms = 0
        self.bus_mv = self.voltage_mv = self.current_ma = None
        self.real_ma = 0
        self.time_ms = 0
        self.writes = []  # (time ms, mV)

    def configure(self, **settings):
        for name in settings:
            self.params[name.replace("__", ".")] = settings[name]
        self.charge.configure(self.params)

    def _solve(self):
        """The rectifier holds its voltage as far as its limit goes; the battery takes or gives the rest."""
        net_ma = LOAD_MA - self.solar_ma
        output = 0
        if self.ac and not self.dead:
            output = net_ma + (self.held_mv - self.emf_mv) * 1_000 // self.r_mohm
            output = max(min(output, self.held_ma), 0)
        self.real_ma = output - net_ma
        self.bus_mv = self.emf_mv + self.real_ma * self.r_mohm // 1_000
        return output

    def scan(self, dt_ms=1_000):
        output = self._solve()
        v = [None] * points.COUNT
        v[points.index("rectifier.output_ma")] = output
        v[points.index("rectifier.ac_present")] = 1 if self.ac else 0
        v[points.index("load.power_w")] = LOAD_MA * self.bus_mv // 1_000_000
        v[points.index("solar.power_w")] = self.solar_ma * self.bus_mv // 1_000_000
        soc, temperature_dc = self.soc, self.temperature_dc
        if self.silent:
            self.lost_ms += dt_ms
            self.voltage_mv = self.current_ma = self.soc = self.temperature_dc = None
        else:
            self.lost_ms = 0
            self.voltage_mv = self.bus_mv
            self.current_ma = self.real_ma
        for name in self.more:
            if not self.silent or not name.startswith("battery."):
                v[points.index(name)] = self.more[name]
        charge = self.charge
        charge.step(
            tuple(v), dt_ms, self, self.ac, self.grid_ok, self.charge_to, self.charge_first, self.alarm
        )
        self.soc, self.temperature_dc = soc, temperature_dc
        self.time_ms += dt_ms
        if charge.setpoint_mv is not None:
            if charge.setpoint_mv != self.held_mv:
                self.writes.append((self.time_ms, charge.setpoint_mv))
            self.held_mv = charge.setpoint_mv
        if charge.limit_ma is not None:
            self.held_ma = min(charge.limit_ma, RATED_MA)

    def run(self, seconds, dt_ms=1_000):
        for _ in range(seconds * 1_000 // dt_ms):
            self.scan(dt_ms)
        return self

    def reset(self):
        """A new part with the old one's memory."""
        memory = self.charge.memory()
        self.charge = Charge(self.params, self.site)
        self.charge.restore(memory)

    def stage(self):
        return ("bulk", "absorption", "float", "equalise")[self.charge.stages.stage]

    def reason(self):
        return reasons.NAMES[self.charge.code]


def charged(chemistry="lfp", **settings):
    """A bench at float: the battery has come up to its charging voltage and tapered."""
    bench = Bench(chemistry, **settings).run(20)
    bench.soc = 1_000
    bench.emf_mv = bench.charge.stages.charge_mv - 20
    bench.run(150)
    assert bench.stage() in ("float", "equalise")
    bench.emf_mv = bench.charge.stages.mv - 20
    return bench.run(30)
