"""One case from beginning to end: hour by hour, with the account, the tanker and the planner.

Owns what an hour adds up to. Must not know how a second passes, nor processes, files or pages.
"""

from __future__ import annotations

import time
from array import array
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from greenmast.errors import UserError
from greenmast.plant.config import PlantConfig
from greenmast.plant.plant import Plant
from greenmast.simulate import load_file, weather_file
from greenmast.simulate.baselines import catalogue
from greenmast.simulate.case import GREENMAST, Case
from greenmast.simulate.loop import Loop
from greenmast.simulate.result import COLUMNS, Hours, Result, site_facts
from greenmast.simulate.tariff import Tariff
from greenmast.site import Site
from greenmast_fw.core import decision
from greenmast_fw.core import site as site_facts_of_core
from greenmast_fw.core.controller import Controller
from greenmast_protocol import alarms, event_text, params, points, reasons

_HOUR_S = 3_600
_LOOK_S = 60  # between looks at the reason for the source
_EVENTS_MAX = 500
# The tanker comes at ten in the morning when less than this is in the tank, and fills it.
_REFUEL_PERMILLE, _REFUEL_HOUR = 400.0, 10
_REASON_AC = points.index("reason.ac")
_WARM_UP = points.GENSET_STATES.index("warm_up")
_RAISED = 1
_WORTH_TELLING = ("critical", "major")
# Columns that are differences of what the plant counts.
_COUNTERS: dict[str, Callable[[Plant], float]] = {
    "solar_available_wh": lambda p: p.solar.offered_wh,
    "solar_wh": lambda p: p.solar.energy_wh,
    "grid_wh": lambda p: p.grid.energy_wh,
    "genset_wh": lambda p: p.genset.energy_wh,
    "demand_wh": lambda p: p.loads.asked_wh,
    "load_wh": lambda p: p.loads.tier_1_wh + p.loads.tier_2_wh + p.loads.tier_3_wh,
    "rectifier_wh": lambda p: p.rectifier.energy_wh,
    "battery_in_wh": lambda p: p.battery.charged_wh,
    "battery_out_wh": lambda p: p.battery.discharged_wh,
    "dark_s": lambda p: p.unpowered_s,
    "genset_s": lambda p: p.genset.run_s,
}


def run(case: Case, tell: Callable[[float], None] = lambda share: None) -> Result:
    """Simulate `case`; `tell` is called with the share that is done. Raises UserError for what cannot be."""
    return _Year(case).run(tell)


class _Year:
    def __init__(self, case: Case) -> None:
        self._case = case
        baseline = None if case.controller == GREENMAST else catalogue.find(case.controller)
        site = self._site = case.load_site(baseline.overrides if baseline else ())
        if baseline and (why := baseline.why_not(site)):
            raise UserError(why)
        if case.plan is not None and baseline:
            raise UserError(f"{case.controller} takes no plans: they are for {GREENMAST}")
        self._params = params.complete(dict(site.params))
        self._cfg = PlantConfig.from_site(site.plant)
        start = self._start = case.begin(site)
        self._plant = self._made_plant()
        if baseline:
            controller: Any = baseline.controller(site, self._params)
        else:
            controller = Controller(self._params, site_facts_of_core.from_config(site.board_config()))
        self._events: list[tuple[float, str]] = []
        self._reasons: dict[str, dict[str, float]] = {"ac": {}, "genset": {}}
        self._wanted_for = ""  # the reason for which the genset shall run
        self._violations: dict[str, int] = {}
        self._loop = Loop(
            site, self._plant, controller, self._params, case.seed, start, self._event, self._violation
        )
        self._columns = {name: array("d") for name in COLUMNS}
        self._tariff = Tariff.of(site)
        self._before = {name: read(self._plant) for name, read in _COUNTERS.items()}
        self._fuel_l = self._plant.genset.fuel_l
        self._planner = _Planner(case, site, self._cfg, self._params, self._tariff) if case.plan else None

    def _made_plant(self) -> Plant:
        case, cfg, start = self._case, self._cfg, self._start
        days = case.days
        weather = demand = None
        if case.weather:
            weather = weather_file.read(case.weather, cfg.location, cfg.solar, case.seed, start, days)
        if case.load:
            demand = load_file.read(case.load, start, days)
        return Plant(cfg, case.seed, start=start, weather=weather, demand=demand)

    def run(self, tell: Callable[[float], None]) -> Result:
        began_s = time.process_time()
        hours = 24 * self._case.days
        prices = self._tariff.hourly(self._start, hours)
        for hour in range(hours):
            if self._planner and hour % 24 == self._planner.hour:
                self._planner.plan(self._loop, self._so_far(), hour)
            self._outage(hour)
            self._refuel(hour)
            self._hour(prices[hour])
            tell((hour + 1) / hours)
        spent_s = time.process_time() - began_s
        return Result(
            case=self._case.document() | {"policy": points.POLICIES[self._params["policy.name"]]},
            site=site_facts(self._site.id, self._site.name, self._site.plant),
            totals=self._totals() | {"speed": round(hours * _HOUR_S / max(spent_s, 1e-9))},
            hours=self._so_far(),
            violations=self._violations,
            reasons=self._reasons if self._case.controller == GREENMAST else {},
            events=self._events,
        )

    def _so_far(self) -> Hours:
        return Hours(self._start, self._columns)

    def _hour(self, price: float) -> None:
        loop, plant, columns = self._loop, self._plant, self._columns
        live_s = loop.live_s
        by_reason = self._reasons["ac"]
        for _ in range(_HOUR_S // _LOOK_S):
            loop.advance(_LOOK_S)
            code = loop.told[_REASON_AC]
            if code is not None:
                name = reasons.NAMES[code]
                by_reason[name] = by_reason.get(name, 0.0) + _LOOK_S / _HOUR_S
        for name, read in _COUNTERS.items():
            now = read(plant)
            columns[name].append(now - self._before[name])
            self._before[name] = now
        columns["fuel_l"].append(self._fuel_l - plant.genset.fuel_l)
        self._fuel_l = plant.genset.fuel_l
        columns["grid_live_s"].append(loop.live_s - live_s)
        columns["price"].append(price)
        columns["soc_permille"].append(plant.battery.soc_permille)
        columns["ambient_c"].append(plant.environment.ambient_c)

    def _outage(self, hour: int) -> None:
        """The long outage of the case begins or ends."""
        case = self._case
        if not case.outage_h:
            return
        if hour == case.outage_at_h:
            self._plant.set_truth("grid.voltage_mv", 0.0)
        elif hour == case.outage_at_h + case.outage_h:
            self._plant.release_truth("grid.voltage_mv")

    def _refuel(self, hour: int) -> None:
        genset = self._plant.genset
        if hour % 24 == _REFUEL_HOUR and self._cfg.genset.present and genset.fuel_permille < _REFUEL_PERMILLE:
            genset.fuel_permille = 1_000.0
            self._fuel_l = genset.fuel_l

    def _totals(self) -> dict[str, float]:
        columns, tariff, plant = self._columns, self._tariff, self._plant
        diesel_l = sum(columns["fuel_l"])
        grid_kwh = sum(columns["grid_wh"]) / 1_000.0
        bought = sum(wh * price for wh, price in zip(columns["grid_wh"], columns["price"], strict=True))
        battery, case = self._cfg.battery, self._case
        window = columns["dark_s"][case.outage_at_h : case.outage_at_h + case.outage_h]
        outage = {"outage_powered_h": case.outage_h - sum(window) / _HOUR_S} if case.outage_h else {}
        full_wh = plant.battery.capacity_ah * battery.cells * (3.3 if battery.chemistry == "lfp" else 2.1)
        return {
            "diesel_l": diesel_l,
            "grid_kwh": grid_kwh,
            "cost": bought / 1_000.0 + diesel_l * tariff.diesel_per_l,
            "co2_kg": diesel_l * tariff.co2_kg_per_l + grid_kwh * tariff.co2_kg_per_kwh,
            "availability": plant.powered_s / ((plant.powered_s + plant.unpowered_s) or 1.0),
            "genset_starts": plant.genset.starts,
            "genset_hours": sum(columns["genset_s"]) / _HOUR_S,
            "switches": sum(each.operations for each in plant.contactors.values()),
            "battery_cycles": sum(columns["battery_out_wh"]) / full_wh,
            **outage,
        }

    def _event(self, time_s: int, event: Any) -> None:
        kind, _, new, reason = event[:4]
        if kind == decision.DEMAND and new:
            self._wanted_for = reasons.NAMES[reason]
        elif kind == decision.GENSET and new == _WARM_UP:
            by_reason = self._reasons["genset"]
            by_reason[self._wanted_for] = by_reason.get(self._wanted_for, 0) + 1
        elif kind == decision.ALARM and new == _RAISED and len(self._events) < _EVENTS_MAX:
            self._alarm(time_s, event)

    def _alarm(self, time_s: int, event: Any) -> None:
        if alarms.ALARMS[event[1]][1] in _WORTH_TELLING:
            self._events.append((time_s, event_text.text(event)))

    def _violation(self, what: str, saw: str) -> None:
        self._violations[what] = self._violations.get(what, 0) + 1
        self._events.append((self._loop.time_s, f"{what}: {saw}"))


class _Planner:
    """Once a day a plan, as an operator's machine would send it."""

    hour = 0

    def __init__(
        self, case: Case, site: Site, cfg: PlantConfig, settings: dict[str, int], tariff: Tariff
    ) -> None:
        self._cfg, self._params, self._tariff = cfg, settings, tariff
        self._name = str(case.plan)
        self._future: Hours | None = None
        if self._name == "perfect":  # what no controller has a hand in is known from a run without plans
            self._future = _Year(Case(**{**_fields(case), "plan": None})).run(lambda share: None).hours

    def plan(self, loop: Loop, past: Hours, hour: int) -> None:
        from greenmast.simulate import forecast, planner
        from greenmast.simulate.dispatch import HORIZON_H

        now = past.start + timedelta(hours=hour)
        if self._future is not None:
            foreseen = forecast.perfect(self._future, now, HORIZON_H)
        elif self._name == "persistence" and hour >= 24:
            foreseen = forecast.persistence(past, self._cfg, HORIZON_H)
        else:
            foreseen = forecast.climatology(past if hour else None, self._cfg, now, HORIZON_H)
        plant = loop.plant
        state = planner.State(plant.battery.soc_permille, plant.grid.live, plant.genset.running)
        made = planner.plan(foreseen, state, self._cfg, self._params, self._tariff, now)
        code, _ = loop.controller.command("plan.set", made.args)
        if code:
            raise UserError(f"the plan was refused: {reasons.NAMES[code]}")


def _fields(case: Case) -> dict[str, Any]:
    return {name: getattr(case, name) for name in case.__dataclass_fields__}
