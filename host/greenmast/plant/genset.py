"""Diesel generator with its starter: what the engine does when the start line is held or released.

Owns engine, alternator, fuel tank and run counters. Must not know contactors or loads beyond the power drawn.

States and what leads out of them (anything else is impossible):
    off       start requested -> cranking (not after a failure until the request has been dropped)
    cranking  fires -> run_up;  request dropped, or starter time-out -> off
    run_up    settled -> running;  stop, stall or dry tank -> run_down
    running   stop, stall or dry tank -> run_down
    run_down  standing -> off
"""

from __future__ import annotations

from math import cos, exp, sin, sqrt
from random import Random

from greenmast.plant.config import GensetConfig
from greenmast.plant.noise import Smooth, stream

NEVER_S = float("inf")
STARTER_LIMIT_S = 15.0
RUN_UP_S = 8.0  # speed within 1 % after about 4 s
RUN_DOWN_S = 5.0
CRANK_RPM = 200.0
DAMPING, NATURAL_RAD_S = 0.7, 1.5  # governor: 4.6 % overshoot, peak after 2.9 s
DROOP = 0.03  # speed lost at rated load
SAG = 0.015  # voltage lost at rated load
GOVERNOR_LAG_S = 0.6
OIL_LAG_S = 1.5
WARM_UP_LAG_S, COOLING_LAG_S = 420.0, 5_400.0
BAD_HZ = 1.12  # of the nominal speed: 56 Hz for 50
THEFT_PER_H = 0.1  # of the tank


class Genset:
    """Engine and alternator. Attributes are valid for the interval last given to `step`.

    Faults, settable at any time: `wont_start` (cranks only), `stalls` (dies once loaded), `wont_stop`,
    `bad_hz` (the governor holds too high a speed), `fuel_theft` (the tank is drained while it stands).
    """

    __slots__ = (
        "_cfg", "_damped_rad_s", "_failed", "_fires", "_noise", "_nominal_chz", "_nominal_mv", "_nominal_rpm",
        "_present", "_random", "_rating_w", "_since_s", "_stop_rpm", "_tank_l",
        "bad_hz", "coolant_c", "due_s", "energy_wh", "fuel_l", "fuel_theft", "oil_kpa",
        "power_w", "relay", "remote", "rpm", "run_s",
        "stalls", "starts", "state", "voltage_mv", "wont_start", "wont_stop",
    )  # fmt: skip

    def __init__(self, cfg: GensetConfig, seed: int, ambient_c: float) -> None:
        self._cfg = cfg
        self._random = Random(stream(seed, "genset.starter"))
        self._noise = Smooth(stream(seed, "genset.governor"), 2.0)
        # What every step needs: looking into the configuration is slow.
        self._present = cfg.present
        self._rating_w = float(cfg.rating_w)
        self._nominal_rpm = float(cfg.nominal_rpm)
        self._nominal_mv = float(cfg.nominal_mv)
        self._nominal_chz = float(cfg.nominal_chz)
        self._tank_l = float(cfg.tank_l)
        self._damped_rad_s = NATURAL_RAD_S * sqrt(1.0 - DAMPING * DAMPING)
        self._failed = self._fires = False
        self._since_s = 0.0
        self._stop_rpm = 0.0
        self.state = "off"
        self.due_s = NEVER_S
        self.relay = self.remote = False
        self.wont_start = self.stalls = self.wont_stop = False
        self.bad_hz = self.fuel_theft = False
        self.rpm = self.voltage_mv = self.power_w = self.oil_kpa = 0.0
        self.coolant_c = ambient_c
        self.fuel_l = cfg.tank_l * cfg.fuel_permille / 1_000.0
        self.run_s = self.energy_wh = 0.0
        self.starts = 0

    def remote_start(self, on: bool) -> None:
        """Start (and keep running) or stop by telemetry; OR-ed with the start relay."""
        self.remote = on

    @property
    def running(self) -> bool:
        """The engine turns on its own fuel."""
        return self.state in ("run_up", "running")

    @property
    def live(self) -> bool:
        return self.voltage_mv >= 50_000.0

    @property
    def moving(self) -> bool:
        """In a transient that wants short steps."""
        return self.state in ("cranking", "run_up", "run_down")

    @property
    def frequency_chz(self) -> float:
        return self.rpm / self._nominal_rpm * self._nominal_chz if self.voltage_mv >= 20_000.0 else 0.0

    @property
    def fuel_permille(self) -> float:
        return self.fuel_l / self._tank_l * 1_000.0

    @fuel_permille.setter
    def fuel_permille(self, permille: float) -> None:
        self.fuel_l = min(max(permille, 0.0), 1_000.0) / 1_000.0 * self._cfg.tank_l

    @property
    def current_ma(self) -> float:
        """RMS current for the power taken, power factor 0.99."""
        return self.power_w / (self.voltage_mv * 0.99) * 1e6 if self.live else 0.0

    def advance(self, now_s: float) -> None:
        """Take the transitions due by `now_s`; called between steps."""
        requested = self._present and (self.relay or self.remote)
        if not requested:
            self._failed = False
        state = self.state
        if state == "off":
            if requested and not self._failed:
                self._enter("cranking", now_s)
                low_s, high_s = self._cfg.crank_s
                fires_s = self._random.uniform(low_s, high_s)
                self._fires = self._random.random() * 1_000.0 < self._cfg.start_permille
                self.due_s = now_s + (fires_s if self._fires else STARTER_LIMIT_S)
        elif state == "cranking":
            if not requested:
                self._enter("off", now_s)
            elif now_s >= self.due_s:
                if self._fires and not self.wont_start and self.fuel_l > 0.0:
                    self._enter("run_up", now_s)
                    self.starts += 1
                    self.due_s = now_s + RUN_UP_S
                elif now_s >= self._since_s + STARTER_LIMIT_S:
                    self._failed = True
                    self._enter("off", now_s)
                else:
                    self.due_s = self._since_s + STARTER_LIMIT_S
        elif state == "run_down":
            if now_s >= self.due_s:
                self._enter("off", now_s)
        else:
            stalled = self.fuel_l <= 0.0 or (self.stalls and self.power_w > 0.0)
            if stalled or not (requested or self.wont_stop):
                self._failed = stalled
                self._stop_rpm = self.rpm
                self._enter("run_down", now_s)
                self.due_s = now_s + RUN_DOWN_S
            elif state == "run_up" and now_s >= self.due_s:
                self._enter("running", now_s)

    def step(self, middle_s: float, dt_s: float, ambient_c: float) -> None:
        """Engine and alternator over `dt_s` around `middle_s`, under the load of the previous interval."""
        nominal_rpm = self._nominal_rpm
        load = self.power_w / self._rating_w
        burning = False
        if self.state == "off":
            self.rpm = 0.0
        elif self.state == "cranking":
            self.rpm = CRANK_RPM
        elif self.state == "run_up":
            burning = True
            self.rpm = CRANK_RPM + (nominal_rpm - CRANK_RPM) * self._run_up(middle_s - self._since_s)
        elif self.state == "running":
            burning = True
            target = nominal_rpm * (BAD_HZ if self.bad_hz else 1.0) * (1.0 - DROOP * load)
            target *= 1.0 + 0.001 * self._noise.at(middle_s)
            self.rpm = target + (self.rpm - target) * exp(-dt_s / GOVERNOR_LAG_S)
        else:
            self.rpm = self._stop_rpm * max(0.0, 1.0 - (middle_s - self._since_s) / RUN_DOWN_S)
        excitation = min(max(self.rpm / nominal_rpm - 0.5, 0.0) / 0.4, 1.0)
        self.voltage_mv = self._nominal_mv * excitation * (1.0 - SAG * load)
        oil_kpa = (450.0 - 1.2 * (self.coolant_c - 20.0)) * min(self.rpm / nominal_rpm, 1.0)
        if self.oil_kpa != oil_kpa:
            self.oil_kpa = oil_kpa + (self.oil_kpa - oil_kpa) * exp(-dt_s / OIL_LAG_S)
        if burning:
            warm_c = 82.0 + 8.0 * load
            self.coolant_c = warm_c + (self.coolant_c - warm_c) * exp(-dt_s / WARM_UP_LAG_S)
        else:
            self.coolant_c = ambient_c + (self.coolant_c - ambient_c) * exp(-dt_s / COOLING_LAG_S)

    def deliver(self, power_w: float, dt_s: float) -> None:
        """Account for the electrical power of an interval: fuel, hours, energy."""
        self.power_w = power_w
        if not self.running:
            if self.fuel_theft:
                self.fuel_l = max(0.0, self.fuel_l - THEFT_PER_H * self._tank_l * dt_s / 3_600.0)
            return
        cfg = self._cfg
        hours = dt_s / 3_600.0
        self.run_s += dt_s
        self.energy_wh += power_w * hours
        burn_l_per_h = cfg.fuel_l_per_h_idle + cfg.fuel_l_per_kwh * power_w / 1_000.0
        self.fuel_l = max(0.0, self.fuel_l - burn_l_per_h * hours)

    def _enter(self, state: str, now_s: float) -> None:
        self.state = state
        self._since_s = now_s
        self.due_s = NEVER_S

    def _run_up(self, since_s: float) -> float:
        """Step response of the governed engine, 0 .. 1 with overshoot."""
        phase = self._damped_rad_s * since_s
        decay = exp(-DAMPING * NATURAL_RAD_S * since_s)
        return 1.0 - decay * (cos(phase) + DAMPING / sqrt(1.0 - DAMPING * DAMPING) * sin(phase))
