"""A site that obeys commands at once, with faults of wiring; time passes as it is looked at."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from greenmast.commission import visit as room
from greenmast.commission.visit import Consent, Visit
from greenmast.link.base import Link, RefusedError
from greenmast_protocol import labels, points, quality, reasons

OFF, CRANK, WARM_UP, READY, ON_LOAD = (
    points.GENSET_STATES.index(n) for n in ("off", "crank", "warm_up", "ready", "on_load")
)
CONTACTORS = ("grid", "genset", "pv", "battery", "load1", "load2", "load3")


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


class WiredSite(Link):
    """A link to a pretended board. `faults`: words that `call` knows; `refuse`: command -> code."""

    def __init__(self, clock: Clock) -> None:
        super().__init__("pretended")
        self.clock = clock
        self.faults: set[str] = set()
        self.soc: int | None = 700
        self.refuse: dict[str, str] = {}
        self.commands: list[tuple[str, dict[str, Any]]] = []
        self.closed = dict.fromkeys(CONTACTORS, 1) | {"genset": 0}
        self.engine_since: float | None = None
        self.outputs: dict[str, Any] = {
            name: {"pin": n, "feedback": 20 + n, "idle": "open"} for n, name in enumerate(CONTACTORS)
        } | {"genset_start": {"pin": 15, "feedback": None, "idle": "open"}}

    def _send(self, body: bytes) -> None:
        raise AssertionError("calls are answered directly")

    _receive = _send  # type: ignore[assignment]

    def close(self) -> None:
        """Nothing is open."""

    def call(self, method: str, params: dict[str, Any] | None = None, timeout_s: float | None = None) -> Any:
        params = params or {}
        if method == "hello":
            return {
                "site": "hilltop",
                "board": "virtual",
                "boot": 1,
                "revision": 4,
                "table": labels.TABLE_HASH,
            }
        if method == "config.get":
            devices = [
                {"role": role, "profile": "x", "bus": "b", "address": 1} for role in ("battery", "grid")
            ]
            battery = {"chemistry": "lfp", "cells": 15, "capacity_ah": 300}
            settings = {"genset.min_run_s": 60, "genset.cool_down_s": 10}
            return {
                "buses": [],
                "devices": devices,
                "outputs": self.outputs,
                "battery": battery,
                "params": settings,
            }
        if method == "explain":
            code = reasons.code("grid_available")
            return {"rows": [["AC source", "grid", code, [], [], []], ["genset", "off", 0, [], [], []]]}
        if method == "command":
            return self._command(params["name"], params["args"])
        values = self._values()
        unknown = [name for name in params["points"] if name not in points.NAMES]
        if unknown:
            raise RefusedError("invalid_value", f"no point {unknown[0]}")
        told = {name: values.get(name) for name in params["points"]}
        stale = {name: "stale" for name, value in told.items() if value is None}
        assert set(stale.values()) <= set(quality.NAMES)
        return {"v": told, "q": stale, "age_ms": {}}

    def _command(self, name: str, args: dict[str, Any]) -> Any:
        self.commands.append((name, args))
        if name in self.refuse:
            raise RefusedError(self.refuse[name], self.refuse[name])
        if name == "source.select":
            self.closed["grid"] = int(args["ac"] == "grid")
            self.closed["genset"] = int(args["ac"] == "genset")
        elif name in ("load.shed", "load.restore"):
            self.closed[f"load{args['tier']}"] = int(name == "load.restore")
        elif name == "genset.start":
            self.engine_since = self.clock.now
        elif name == "genset.stop":
            self.engine_since = None
        return {"applied": args}

    def _state(self) -> int:
        if self.engine_since is None or "wont_start" in self.faults:
            return OFF
        ran_s = self.clock.now - self.engine_since
        if ran_s < 20:
            return CRANK if ran_s < 5 else WARM_UP
        return ON_LOAD if self.closed["genset"] else READY

    def _values(self) -> dict[str, int | None]:
        supplied = self.closed["grid"] or self.closed["genset"]
        load_w = 600 + 700 * (self.closed["load1"] + self.closed["load2"] + self.closed["load3"])
        battery_ma = (4_000 if supplied else 0) * 1_000 // 53 - load_w * 1_000 // 53
        running = self._state() in (WARM_UP, READY, ON_LOAD)
        values: dict[str, int | None] = {
            "dc.bus_mv": 53_000,
            "battery.voltage_mv": 53_000,
            "battery.current_ma": -battery_ma if "shunt_swapped" in self.faults else battery_ma,
            "battery.soc_permille": self.soc,
            "battery.temperature_dc": 250,
            "battery.cell_min_mv": 3_520,
            "battery.cell_max_mv": 3_545,
            "rectifier.output_mv": 53_000,
            "rectifier.output_ma": 75_471 if supplied else 0,
            "solar.power_w": 0,
            "load.power_w": load_w,
            "grid.voltage_mv": 230_000,
            "grid.frequency_chz": 5_000,
            "grid.power_w": (-4_200 if "meter_turned" in self.faults else 4_200)
            if self.closed["grid"]
            else 0,
            "genset.state": self._state(),
            "genset.rpm": 1_500 if running else 0,
            "genset.voltage_mv": 231_000 if running else 0,
            "genset.frequency_chz": 5_010 if running else 0,
            "genset.oil_kpa": 20 if "no_oil" in self.faults else 400,
            "genset.power_w": 4_300 if self.closed["genset"] else 0,
            "genset.fuel_permille": 650,
            "source.ac": 1 if self.closed["grid"] else 2 if self.closed["genset"] else 0,
        }
        for name in CONTACTORS:
            values[f"output.{name}"] = self.closed[name]
            values[f"feedback.{name}"] = self._feedback(name)
        return values

    def _feedback(self, name: str) -> int:
        wire = name
        if "crossed" in self.faults:
            wire = {"load2": "load3", "load3": "load2"}.get(name, name)
        if f"stuck_{name}" in self.faults:
            return 1
        return self.closed[wire]


@pytest.fixture
def wired(monkeypatch: pytest.MonkeyPatch) -> WiredSite:
    clock = Clock()
    monkeypatch.setattr(room, "time", clock)
    return WiredSite(clock)


@pytest.fixture
def visit(wired: WiredSite) -> Callable[..., Visit]:
    """A visit to `wired` with everybody's consent, or nobody's."""

    def begin(consent: bool = True) -> Visit:
        return Visit(wired, Consent(lambda question: consent), lambda text: None)

    return begin
