"""The whole site: parts wired together as in the cabinet, advanced by any step.

Owns the wiring, the order of calculation and the account of what must never happen. Must not know a
controller, a protocol, a clock or how a part works inside.

A step is cut at every event inside it (a contactor arriving, the grid failing, the engine firing) and after a
minute; within such an interval all inputs are taken at its middle, so the result hardly depends on the step.
"""

from __future__ import annotations

from datetime import datetime
from random import Random

from greenmast.plant import truths
from greenmast.plant.battery import Battery
from greenmast.plant.bus import with_battery, without_battery
from greenmast.plant.chemistry import CHEMISTRIES
from greenmast.plant.config import CONTACTORS, RELAYS, PlantConfig
from greenmast.plant.contactor import Contactor, ContactorBank
from greenmast.plant.environment import MINUTE_S, Environment
from greenmast.plant.genset import Genset
from greenmast.plant.grid import Grid
from greenmast.plant.loads import UNDERVOLTAGE_V, Loads
from greenmast.plant.noise import stream
from greenmast.plant.rectifier import Rectifier
from greenmast.plant.series import Series
from greenmast.plant.solar import WAKE_BUS_V, Solar
from greenmast.plant.weather import Weather

TRANSIENT_STEP_S = 0.25

# Set voltage, current limit and power limit of solar, then of the rectifier: the arguments of the bus.
Sources = tuple[float, float, float, float, float, float]
# Bus voltage and the currents of solar, rectifier and battery.
OperatingPoint = tuple[float, float, float, float]


class Plant:
    """A site in motion. Times are seconds since `start`; nothing here reads a clock.

    `violations`: what no controller may cause, added up: `parallel_ac_s` and `parallel_ac_count` (both AC
    contactors closed on two live sources), `both_ac_closed_s` (both closed at all).
    `powered_s` and `unpowered_s` count the time with and without power at the critical tier.
    """

    __slots__ = (
        "_bank", "_battery_contactor", "_cooling", "_disturbed", "_genset_contactor", "_grid_contactor",
        "_load_1", "_load_2", "_load_3", "_parallel", "_pv_contactor", "_relays_closed", "battery",
        "both_ac_closed_s", "bus_v", "cfg", "contactors", "environment", "genset", "grid", "loads",
        "parallel_ac_count", "parallel_ac_s", "powered_s", "rectifier", "sampled_s", "solar", "time_s",
        "unpowered_s",
    )  # fmt: skip
    battery: Battery
    genset: Genset
    grid: Grid
    loads: Loads
    rectifier: Rectifier
    solar: Solar
    contactors: dict[str, Contactor]
    environment: Environment
    bus_v: float
    sampled_s: float

    def __init__(
        self,
        cfg: PlantConfig,
        seed: int = 1,
        *,
        start: datetime,
        weather: Weather | None = None,
        demand: Series | None = None,
        sun: bool = True,
    ) -> None:
        """`start` is local site time with a UTC offset; `weather` replaces the one drawn for the site,
        `demand` (W, by seconds after local midnight of the first day) the model of the loads;
        without `sun`, or an array, that is dark: the truth `solar.power_w` says what is offered.

        Raises ValueError for a naive `start` and UserError when site weather needs an extra that is missing.
        """
        if start.utcoffset() is None:
            raise ValueError("start needs a UTC offset")
        self.cfg = cfg
        self.time_s = 0.0
        if weather is None:
            sun = sun and cfg.solar.kwp > 0
            weather = Weather.for_site(cfg.location, cfg.solar, seed, start, sun=sun)
        environment = Environment(weather, start)
        self.environment = environment
        chemistry = CHEMISTRIES[cfg.battery.chemistry]
        cells = cfg.battery.cells
        self.grid = Grid(cfg.grid, seed, start)
        self.genset = Genset(cfg.genset, seed, environment.ambient_c)
        self.rectifier = Rectifier(cfg.rectifier, chemistry.charge_v * cells * 1_000.0)
        self.solar = Solar(cfg.solar, chemistry.solar_v * cells * 1_000.0)
        self.battery = Battery(cfg.battery, seed, environment.cabinet_c)
        self.loads = Loads(cfg.loads, seed)
        self.loads.profile = demand
        self._wire(seed)
        self.parallel_ac_s = self.both_ac_closed_s = 0.0
        self.parallel_ac_count = 0
        self.powered_s = self.unpowered_s = 0.0
        self._parallel = False
        self._disturbed = True  # the next interval must be short: something may have changed abruptly
        self.sampled_s = 0.0  # middle of the last interval: the time to which the present values belong
        self.bus_v = self.battery.emf_v if self._battery_contactor.closed else 0.0
        self._interval(0.0)

    def _wire(self, seed: int) -> None:
        outputs = self.cfg.outputs
        random = Random(stream(seed, "contactors"))
        low_ms, high_ms = outputs.travel_ms
        travel_s = {name: random.uniform(low_ms, high_ms) / 1_000.0 for name in CONTACTORS}
        self._bank = ContactorBank({name: name in outputs.idle_closed for name in CONTACTORS}, travel_s)
        contactors: dict[str, Contactor] = self._bank.contactors
        self.contactors = contactors
        self._grid_contactor, self._genset_contactor = contactors["grid"], contactors["genset"]
        self._pv_contactor, self._battery_contactor = contactors["pv"], contactors["battery"]
        self._load_1, self._load_2 = contactors["load1"], contactors["load2"]
        self._load_3 = contactors["load3"]
        self._relays_closed = {name: name in outputs.idle_closed for name in RELAYS}
        self.genset.relay = self._relays_closed["genset_start"]
        self._cooling = self._relays_closed["cooling"]

    # What the controller does and sees ------------------------------------------------------------------

    def coil(self, name: str, energised: bool) -> None:
        """Energise or release the coil of a contactor or relay. Raises KeyError for an unknown name."""
        if name in self._relays_closed:
            self._relays_closed[name] = energised != (name in self.cfg.outputs.idle_closed)
            self.genset.relay = self._relays_closed["genset_start"]
            self._cooling = self._relays_closed["cooling"]
        elif name in self.contactors:
            self._bank.coil(name, energised)
        else:
            raise KeyError(truths.unknown("output", name, (*CONTACTORS, *RELAYS)))

    def feedback(self, name: str) -> bool:
        """Auxiliary contact of a contactor, True = closed. Raises KeyError for a name without one."""
        contactor = self.contactors.get(name)
        if contactor is None:
            raise KeyError(truths.unknown("contactor", name, CONTACTORS))
        return contactor.look()

    # What the experimenter does and sees ----------------------------------------------------------------

    def truth(self, name: str) -> float:
        """Present value of a point. Raises KeyError naming the near ones."""
        return truths.read(self, name)

    def truths(self) -> dict[str, float]:
        """Every point by name."""
        return truths.read_all(self)

    def set_truth(self, name: str, value: float) -> None:
        """Hold a settable truth at `value` until `release_truth`; states (charge, fuel) are set, then evolve.

        Takes effect at once for inputs and with the next step for what follows. Raises KeyError naming the
        near settable ones, ValueError for what is not a finite number.
        """
        truths.write(self, name, value)
        self._disturbed = True

    def release_truth(self, name: str) -> None:
        """Give a held truth back to the model. Raises KeyError as `set_truth`."""
        truths.write(self, name, None)
        self._disturbed = True

    @property
    def violations(self) -> dict[str, float]:
        """By name; see above."""
        return {
            "parallel_ac_s": self.parallel_ac_s,
            "parallel_ac_count": float(self.parallel_ac_count),
            "both_ac_closed_s": self.both_ac_closed_s,
        }

    # Motion ---------------------------------------------------------------------------------------------

    def step(self, dt_s: float) -> None:
        """Advance by `dt_s` >= 0 seconds."""
        end_s = self.time_s + dt_s
        now_s = self.time_s
        bank, grid, genset, rectifier = self._bank, self.grid, self.genset, self.rectifier
        while now_s < end_s:
            if now_s >= bank.due_s:
                bank.advance(now_s)
                self._disturbed = True
            if now_s >= grid.edge_s:
                grid.advance(now_s)
                self._disturbed = True
            genset.advance(now_s)
            next_s = end_s
            transient = self._disturbed or genset.moving or now_s < rectifier.ready_s
            limit_s = now_s + (TRANSIENT_STEP_S if transient else MINUTE_S)
            self._disturbed = False
            if next_s > limit_s:
                next_s = limit_s
            if next_s > bank.due_s:
                next_s = bank.due_s
            if next_s > grid.edge_s:
                next_s = grid.edge_s
            if next_s > genset.due_s:
                next_s = genset.due_s
            self._interval(next_s - now_s)
            self.time_s = now_s = next_s
            bank.now_s = now_s
        if now_s >= bank.due_s:
            bank.advance(now_s)

    def _interval(self, dt_s: float) -> None:
        """One interval without events: inputs, operating point, accounts."""
        middle_s = self.sampled_s = self.time_s + 0.5 * dt_s
        environment = self.environment
        if middle_s >= environment.minute_end_s:
            environment.new_minute(middle_s, self.loads, self.solar, self.rectifier.loss_w, self._cooling)
            self.battery.warm(environment.cabinet_c)
            self.rectifier.warm(MINUTE_S)
        environment.offer(middle_s, self.loads, self.solar)
        source = self._ac_source(middle_s, dt_s)
        self._solve_bus(middle_s, dt_s)
        rectifier, grid, genset = self.rectifier, self.grid, self.genset
        grid.power_w = rectifier.input_w if source is grid else 0.0
        grid.energy_wh += grid.power_w * dt_s / 3_600.0
        genset.deliver(rectifier.input_w if source is genset else 0.0, dt_s)
        if self.loads.awake and self._load_1.closed:
            self.powered_s += dt_s
        else:
            self.unpowered_s += dt_s

    def _ac_source(self, middle_s: float, dt_s: float) -> Grid | Genset | None:
        """Sample both AC sources and feed the rectifier from the one that is connected."""
        grid, genset = self.grid, self.genset
        grid.sample(middle_s)
        genset.step(middle_s, dt_s, self.environment.ambient_c)
        source: Grid | Genset | None = None
        if self._grid_contactor.closed:
            source = grid
            if self._genset_contactor.closed:
                self.both_ac_closed_s += dt_s
                parallel = grid.live and genset.live
                if parallel:
                    self.parallel_ac_s += dt_s
                    self.parallel_ac_count += 0 if self._parallel else 1
                self._parallel = parallel
                if not grid.live:
                    source = genset
            else:
                self._parallel = False
        elif self._genset_contactor.closed:
            source = genset
            self._parallel = False
        self.rectifier.feed(self.time_s, source.voltage_mv if source is not None else 0.0)
        return source

    def _solve_bus(self, middle_s: float, dt_s: float) -> None:
        """Operating point of the DC bus and the accounts of everything on it."""
        rectifier, solar, battery, loads = self.rectifier, self.solar, self.battery, self.loads
        if not loads.awake:
            loads.watch(self.time_s, self.bus_v)
        load_w = loads.connect(self._load_1.closed, self._load_2.closed, self._load_3.closed, self._cooling)
        rectifier_v = rectifier.setpoint_v
        rectifier_a = rectifier.available_a(middle_s, rectifier_v)
        if rectifier_a <= 0.0:
            rectifier_v = 0.0
        solar_v = solar.setpoint_mv / 1_000.0
        solar_w = solar.limit_w(solar_v) if self._pv_contactor.closed and self.bus_v >= WAKE_BUS_V else 0.0
        if solar_w <= 0.0:
            solar_v = 0.0
        sources = (solar_v, 0.0, solar_w, rectifier_v, rectifier_a, 0.0)
        bus_v, solar_a, rectified_a, battery_a = self._operating_point(load_w, sources, dt_s)
        if bus_v < UNDERVOLTAGE_V and load_w > 0.0:
            loads.trip()
            load_w = loads.connect(False, False, False, False)
            bus_v, solar_a, rectified_a, battery_a = self._operating_point(load_w, sources, dt_s)
        self.bus_v = bus_v
        solar.deliver(solar_a, bus_v, dt_s)
        rectifier.deliver(rectified_a, bus_v, dt_s)
        battery.settle(battery_a, dt_s)
        loads.account(dt_s)

    def _operating_point(self, load_w: float, sources: Sources, dt_s: float) -> OperatingPoint:
        """The bus with the battery as its contactor and its BMS allow it to conduct."""
        battery = self.battery
        if not self._battery_contactor.closed:
            battery.prepare(dt_s, charging=False)
            return (*without_battery(load_w, 0.0, *sources), 0.0)
        charging = battery.current_a > 0.0
        point = self._on_battery(load_w, sources, dt_s, charging)
        if battery.charge_taper and charging != (point[3] > 0.0):
            point = self._on_battery(load_w, sources, dt_s, not charging)
        battery_a = point[3]
        if battery_a <= 0.0:
            if not battery.discharge_blocked:
                return point
            limit_a = 0.0
        else:
            limit_a = 0.0 if battery.charge_blocked else battery.charge_limit_a
            if battery_a <= limit_a:
                return point
        bus_v, solar_a, rectifier_a = without_battery(load_w, limit_a, *sources)
        return bus_v, solar_a, rectifier_a, limit_a

    def _on_battery(self, load_w: float, sources: Sources, dt_s: float, charging: bool) -> OperatingPoint:
        battery = self.battery
        battery.prepare(dt_s, charging)
        bus_v, solar_a, rectifier_a = with_battery(battery.emf_v, battery.r_ohm, load_w, *sources)
        battery_a = (bus_v - battery.emf_v) / battery.r_ohm if bus_v > 0.0 else 0.0
        return bus_v, solar_a, rectifier_a, battery_a
