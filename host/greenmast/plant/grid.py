"""The public supply: when it is there, and its voltage and frequency while it is.

Owns the outage process and the quality of supply. Must not know what is connected to it.

Outages are semi-Markov: while the grid is up, an outage starts with a hazard that depends on the hour of day
and the month; its duration is Weibull with the configured mean. The sequence is drawn from 1 January of the
starting year with its own generator, so it depends on (seed, date) only, never on the step size.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from math import exp, gamma, log
from random import Random

from greenmast.plant.config import GridConfig
from greenmast.plant.noise import Smooth, smooth, stream, unit

LIVE_MV = 50_000.0
HOUR_S = 3_600.0
DURATION_SHAPE = 1.3  # Weibull: many short cuts, a tail of half a day
SHORTEST_OUTAGE_S = 60.0
# Relative hazard by hour: most cuts in the late morning and in the afternoon.
HOUR_WEIGHTS = (
    0.5, 0.4, 0.4, 0.4, 0.5, 0.7, 0.9, 1.0, 1.1, 1.4, 1.8, 1.9,
    1.6, 1.4, 1.6, 1.7, 1.5, 1.2, 1.1, 1.0, 0.9, 0.8, 0.7, 0.5,
)  # fmt: skip
MONTH_WEIGHTS = (
    0.8,
    0.8,
    0.9,
    0.9,
    1.0,
    1.3,
    1.4,
    1.4,
    1.2,
    0.9,
    0.7,
    0.7,
)  # the monsoon is June to September

NODE_S = 10.0
FLICKER_PER_HOUR = 0.25
FLICKER_FLOOR = 0.62


class Grid:
    """Supply at the meter. `live` and `voltage_mv` are for the interval last given to `sample`.

    `edge_s` is the next change between supply and outage, in plant seconds.
    `voltage_override_mv` and `frequency_override_chz`, when not None, replace the model.
    """

    __slots__ = (
        "_cfg", "_edges", "_fast", "_flicker_key", "_frequency", "_offset_s", "_segment_end_s", "_segment_mv",
        "_segment_slope", "_segment_start_s", "_slow", "_supplied", "_swing", "_voltage_key", "edge_s",
        "energy_wh",
        "frequency_override_chz", "power_w", "voltage_mv", "voltage_override_mv",
    )  # fmt: skip

    def __init__(self, cfg: GridConfig, seed: int, start: datetime) -> None:
        self._cfg = cfg
        year_start = datetime(start.year, 1, 1)
        self._offset_s = (start.replace(tzinfo=None) - year_start).total_seconds()
        self._voltage_key = stream(seed, "grid.voltage")
        frequency_key = stream(seed, "grid.frequency")
        self._slow = Smooth(frequency_key, 600.0)
        self._fast = Smooth(frequency_key, 20.0)
        # Mean frequency and the greatest distance from it.
        nominal_chz = float(cfg.nominal_chz)
        self._frequency = nominal_chz * 0.998 if cfg.weak else nominal_chz  # 49.5 .. 50.3 Hz
        self._swing = nominal_chz * (0.008 if cfg.weak else 0.002)
        self._flicker_key = stream(seed, "grid.flicker")
        outages = cfg.present and cfg.supply_h_per_day < 24.0
        self._edges = _edges(cfg, year_start, Random(stream(seed, "grid.outages"))) if outages else iter(())
        self._supplied = cfg.present
        self.edge_s = next(self._edges, float("inf")) - self._offset_s
        self._segment_start_s = self._segment_end_s = self._segment_mv = self._segment_slope = 0.0
        self.voltage_mv = 0.0
        self.power_w = 0.0
        self.energy_wh = 0.0
        self.voltage_override_mv: float | None = None
        self.frequency_override_chz: float | None = None
        self.advance(0.0)

    @property
    def live(self) -> bool:
        return self.voltage_mv >= LIVE_MV

    @property
    def current_ma(self) -> float:
        """RMS current for the power taken, power factor 0.99."""
        return self.power_w / (self.voltage_mv * 0.99) * 1e6 if self.live else 0.0

    def advance(self, now_s: float) -> None:
        """Pass every edge due by `now_s`."""
        while now_s >= self.edge_s:
            self._supplied = not self._supplied
            self.edge_s = next(self._edges, float("inf")) - self._offset_s

    def sample(self, time_s: float) -> None:
        """Set `voltage_mv` for an interval around `time_s` that contains no edge."""
        if self.voltage_override_mv is not None:
            self.voltage_mv = self.voltage_override_mv
        elif not self._supplied:
            self.voltage_mv = 0.0
        else:
            if not self._segment_start_s <= time_s < self._segment_end_s:
                self._new_segment(time_s)
            self.voltage_mv = self._segment_mv + self._segment_slope * (time_s - self._segment_start_s)

    def frequency_chz(self, time_s: float) -> float:
        """Frequency at the meter; 0 on a dead line."""
        if not self.live:
            return 0.0
        if self.frequency_override_chz is not None:
            return self.frequency_override_chz
        year_s = time_s + self._offset_s
        return self._frequency + self._swing * (0.75 * self._slow.at(year_s) + 0.25 * self._fast.at(year_s))

    def _new_segment(self, time_s: float) -> None:
        """Straight line around `time_s`: 10 s of slow drift, or one second of a flicker burst."""
        year_s = time_s + self._offset_s
        start_s = year_s // NODE_S * NODE_S
        end_s = start_s + NODE_S
        burst_start_s, burst_end_s = self._burst(int(year_s // HOUR_S))
        if burst_start_s <= year_s < burst_end_s:
            second = int(year_s)
            dip = FLICKER_FLOOR + (1.0 - FLICKER_FLOOR) * unit(self._flicker_key ^ 1, second)
            self._segment(second, second + 1.0, dip * self._slow_mv(second), 0.0)
            return
        first_mv = self._slow_mv(start_s)
        slope = (self._slow_mv(end_s) - first_mv) / NODE_S
        if year_s < burst_start_s < end_s:
            end_s = burst_start_s
        elif start_s < burst_end_s <= year_s:
            first_mv += slope * (burst_end_s - start_s)
            start_s = burst_end_s
        self._segment(start_s, end_s, first_mv, slope)

    def _burst(self, hour: int) -> tuple[float, float]:
        """Whole seconds of the year where the flicker burst of this hour starts and ends; equal when none."""
        key = self._flicker_key
        if not self._cfg.weak or unit(key, 4 * hour) >= FLICKER_PER_HOUR:
            return 0.0, 0.0
        start_s = hour * HOUR_S + int(unit(key, 4 * hour + 1) * (HOUR_S - 60.0))
        return start_s, start_s + 5.0 + int(55.0 * unit(key, 4 * hour + 2))

    def _segment(self, start_s: float, end_s: float, voltage_mv: float, slope: float) -> None:
        self._segment_start_s = start_s - self._offset_s
        self._segment_end_s = end_s - self._offset_s
        self._segment_mv = voltage_mv
        self._segment_slope = slope

    def _slow_mv(self, year_s: float) -> float:
        key = self._voltage_key
        if not self._cfg.weak:
            return self._cfg.nominal_mv * (
                1.0 + 0.02 * smooth(key, year_s, 1_800.0) + 0.005 * smooth(key, year_s, 30.0)
            )
        wander = 0.09 * smooth(key, year_s, 10_800.0) + 0.05 * smooth(key, year_s, 1_200.0)
        evening = 0.05 if 18 <= year_s // HOUR_S % 24 < 22 else 0.0
        level = 0.96 - evening + wander + 0.015 * smooth(key, year_s, 30.0)
        return self._cfg.nominal_mv * min(max(level, 0.696), 1.130)  # 160 .. 260 V of 230


def _edges(cfg: GridConfig, year_start: datetime, random: Random) -> Iterator[float]:
    """Alternating outage starts and ends, seconds since `year_start`; the first is an outage start."""
    base_per_h = _base_hazard_per_h(cfg)
    scale_s = cfg.mean_outage_h * HOUR_S / gamma(1.0 + 1.0 / DURATION_SHAPE)
    now_s = 0.0
    while True:
        budget = -log(1.0 - random.random())
        while True:
            hour = int(now_s // HOUR_S)
            month = (year_start + timedelta(hours=hour)).month
            hazard = base_per_h * HOUR_WEIGHTS[hour % 24] * MONTH_WEIGHTS[month - 1] / HOUR_S
            spent = hazard * ((hour + 1) * HOUR_S - now_s)
            if spent >= budget:
                now_s += budget / hazard
                break
            budget -= spent
            now_s = (hour + 1) * HOUR_S
        yield now_s
        now_s += max(SHORTEST_OUTAGE_S, scale_s * (-log(1.0 - random.random())) ** (1.0 / DURATION_SHAPE))
        yield now_s


def _base_hazard_per_h(cfg: GridConfig) -> float:
    """Hazard at weight 1 that gives the configured supply over a year.

    Solves the periodic mean availability `a' = (1 - a) / mean_outage - hazard(t) a` hour by hour and bisects.
    """
    target = max(cfg.supply_h_per_day, 0.2) / 24.0
    low, high = 0.0, 100.0 / cfg.mean_outage_h
    for _ in range(40):
        middle = 0.5 * (low + high)
        if _mean_availability(middle, 1.0 / cfg.mean_outage_h) > target:
            low = middle
        else:
            high = middle
    return 0.5 * (low + high)


def _mean_availability(base_per_h: float, repair_per_h: float) -> float:
    total = 0.0
    up = 0.5
    for month_weight in MONTH_WEIGHTS:
        for day in range(2):  # the first day settles, the second counts
            for hour_weight in HOUR_WEIGHTS:
                rate = base_per_h * hour_weight * month_weight + repair_per_h
                settled = repair_per_h / rate
                decay = exp(-rate)
                if day:
                    total += settled + (up - settled) * (1.0 - decay) / rate
                up = settled + (up - settled) * decay
    return total / (len(MONTH_WEIGHTS) * len(HOUR_WEIGHTS))
