"""The devices of a site, asked through the board: is each the product that the configuration names?

Owns the order of the questions and the words about them. Must not know registers: how a product is
recognised is in its profile.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from greenmast.commission.result import FAILED, LOOK, PASSED, Result
from greenmast.commission.visit import Visit
from greenmast.device import catalogue, recognise
from greenmast.device.search import ADDRESSES
from greenmast.device.station import Station
from greenmast.modbus.board import BoardBus
from greenmast.modbus.master import ModbusError

_ANSWER_S = 0.5
_ANY = (3, 0x0000, 2)  # any answer will do, a refusal too


def check(visit: Visit, everywhere: bool) -> list[Result]:
    """Every configured device; then who else is there: at other products' factory addresses, or `everywhere`.

    Raises NoContactError.
    """
    results = []
    for bus in visit.config.get("buses", []):
        line = BoardBus(visit.link, bus["name"])
        here = [device for device in visit.config.get("devices", []) if device["bus"] == bus["name"]]
        for device in here:
            visit.say(f"  asking {device['role']} at {bus['name']} {device['address']}")
            results.append(_device(line, device))
        results += _others(visit, line, bus["name"], {device["address"] for device in here}, everywhere)
    return results


def _device(line: BoardBus, device: dict[str, Any]) -> Result:
    wanted = catalogue.product(device["profile"])
    title = f"{device['role']}: {device['bus']} {device['address']}"
    station = Station(line, device["address"], max(_ANSWER_S, wanted.TIMEOUT_MS / 1_000))
    if recognise.fits(station, wanted):
        identity = recognise.identity(station, wanted)
        told = ", ".join(f"{name} {text}" for name, text in identity.items())
        return Result(title, PASSED, f"{wanted.TEXT}{f': {told}' if told else ''}", wanted.NAME)
    if not station.answered:
        remedy = (
            "supply, address, baud rate, A and B swapped? `greenmast device probe` at the device tells more"
        )
        return Result(title, FAILED, "no answer", wanted.NAME, remedy)
    fitting = recognise.recognise(station, catalogue.products())
    if fitting:
        return Result(
            title,
            FAILED,
            f"looks like {fitting[0].NAME}",
            wanted.NAME,
            "correct the site file or the address",
        )
    return Result(
        title, FAILED, "answers, but not as this product does", wanted.NAME, "model, firmware, address?"
    )


def _others(visit: Visit, line: BoardBus, bus: str, known: set[int], everywhere: bool) -> Iterator[Result]:
    candidates = (
        ADDRESSES if everywhere else sorted({p.LINK[3] for p in catalogue.products()} & set(ADDRESSES))
    )
    asked = [unit for unit in candidates if unit not in known]
    visit.say(f"  looking for others on {bus}: {len(asked)} addresses")
    for unit in asked:
        station = Station(line, unit, _ANSWER_S)
        try:
            station.ask(*_ANY)
        except ModbusError:
            if station.damage is None:
                continue
        fitting = recognise.recognise(station, catalogue.products()) if station.answered else []
        saw = f"looks like {fitting[0].NAME}" if fitting else "something answers"
        yield Result(
            f"not configured: {bus} {unit}", LOOK, saw, "nobody", "add it to the site file, or take it off"
        )
