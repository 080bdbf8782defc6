"""The commands `device list`, `device probe` and `device read`: lines opened, results printed, exit codes."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import typer

from greenmast.device import catalogue, reading, recognise, remedies, screen, search
from greenmast.device.search import Call, Found
from greenmast.device.station import Station
from greenmast.errors import DONE, NO_CONTACT, REFUSED, UserError
from greenmast.modbus import url as urls
from greenmast.modbus.master import Master, ModbusError

if TYPE_CHECKING:
    from greenmast_fw.devices.profile import Profile

DEFAULT_BAUD = 9600


def list_products(name: str | None, *, json_output: bool) -> int:
    """All products, or all about one. Raises UserError for a name that is none."""
    known = catalogue.products() if name is None else [catalogue.product(name)]
    if json_output:
        _print_json({"profiles": [catalogue.document(one) for one in known]})
    elif name is None:
        screen.products(known)
    else:
        screen.product(known[0])
    return DONE


def probe(url: str, address: int | None, *, all_bauds: bool, all_addresses: bool, json_output: bool) -> int:
    """What answers at `url`. Raises UserError when nothing does, with what was tried and what helps."""
    line = urls.parse(url)
    known = catalogue.products()
    serial = isinstance(line, urls.SerialUrl)
    given = line.baud if isinstance(line, urls.SerialUrl) else None
    bauds: Sequence[int] = catalogue.COMMON_BAUDS if all_bauds else (given,) if given else ()
    found: list[Found] = []
    tried: list[Call] = []
    with urls.open_master(line, DEFAULT_BAUD) as master:
        rates = bauds or (DEFAULT_BAUD,)
        try:
            if address is None:
                calls = search.factory_calls(master, known, bauds)
                _search(master, calls, known, found, tried)
                if all_addresses or not found:
                    done = {(call.baud, call.unit) for call in calls}
                    _search(master, search.every_call(master, rates, done), known, found, tried)
            else:
                _search(master, search.calls_to(master, address, known, rates), known, found, tried)
        finally:  # a Ctrl-C ends the search, not what it has found
            if json_output:
                _print_json({"url": url, "found": [_found(one) for one in found]})
            else:
                for one in found:
                    screen.found(one)
    if not found:
        raise UserError(
            remedies.of_silence(f"nothing answers at {master.name}; tried {_tried(tried)}", serial),
            NO_CONTACT,
        )
    if all(one.damage for one in found):
        raise UserError(remedies.of_damage(f"nothing at {master.name} can be read"), NO_CONTACT)
    if not json_output and address is None and not all_addresses and len(tried) == len(calls):
        screen.note("addresses that no product leaves the factory with were not asked; --all asks them too")
    return DONE if any(one.products for one in found) else REFUSED


def read(url: str, name: str, address: int | None, *, force: bool, json_output: bool) -> int:
    """What the device at `url` says. Raises UserError when it is silent or looks like another product."""
    line = urls.parse(url)
    one = catalogue.product(name)
    baud, parity, stop_bits, factory_address = one.LINK
    unit = factory_address if address is None else address
    with urls.open_master(line, baud or DEFAULT_BAUD, parity, stop_bits) as master:
        station = Station(master, unit, recognise.timeout_s(master, one))
        if not force and not recognise.fits(station, one):
            _refuse(station, one)
        try:
            now = reading.read(station, one)
        except ModbusError as e:
            raise _silence(station, one.LINK[0]) from e
    if json_output:
        _print_json(now.document())
    else:
        screen.reading(now)
    told = any(value is not None for value in now.values.values())
    return DONE if told or (now.registers and not now.values) else REFUSED


def _search(
    master: Master, calls: Sequence[Call], known: Sequence[Profile], found: list[Found], tried: list[Call]
) -> None:
    with screen.progress(calls) as bar:

        def tell(call: Call) -> None:
            tried.append(call)
            bar(call)

        found.extend(search.search(master, calls, known, tell))


def _refuse(station: Station, one: Profile) -> None:
    """Say what answers instead of `one`, if anything does. Raises UserError in any case."""
    known = catalogue.products()
    if station.damage is not None:
        raise _silence(station, one.LINK[0])
    if not station.answered:
        questions = search.questions_of_all(station.master, known)
        if not search.is_present(station, questions) or station.damage is not None:
            raise _silence(station, one.LINK[0])
    others = recognise.recognise(station, known)
    looks = " or ".join(f"{other.NAME} ({other.TEXT})" for other in others) or "no product known here"
    raise UserError(
        f"address {station.unit} of {station.master.name} does not look like {one.NAME} ({one.TEXT}); "
        f"it looks like {looks}. --force reads it all the same",
        REFUSED,
    )


def _silence(station: Station, factory_baud: int) -> UserError:
    name = station.master.name
    baud = getattr(station.master, "baud", None)
    where = f"address {station.unit} of {name}" + (f" at {baud} baud" if baud else "")
    if station.damage is not None:
        if station.damage.verdict in search.LINE_FAULTS:
            return UserError(remedies.of_line(name, str(station.damage)), NO_CONTACT)
        return UserError(remedies.of_damage(f"{where}: {station.damage}"), NO_CONTACT)
    if baud and factory_baud and baud != factory_baud:
        where += f" (it leaves the factory with {factory_baud})"
    return UserError(remedies.of_silence(f"no answer from {where}", baud is not None), NO_CONTACT)


def _found(one: Found) -> dict[str, Any]:
    return {
        "address": one.unit,
        "baud": one.baud,
        "profiles": [product.NAME for product in one.products],
        "identity": one.identity,
        "damage": one.damage or None,
    }


def _tried(calls: Iterable[Call]) -> str:
    """ "9600 baud: addresses 1-247; 115200 baud: addresses 1, 131"."""
    by_rate: dict[int | None, set[int]] = {}
    for call in calls:
        by_rate.setdefault(call.baud, set()).add(call.unit)
    parts = []
    for baud, units in by_rate.items():
        runs: list[list[int]] = []
        for unit in sorted(units):
            if runs and unit == runs[-1][-1] + 1:
                runs[-1][1:] = [unit]
            else:
                runs.append([unit])
        addresses = ", ".join("-".join(map(str, run)) for run in runs)
        parts.append(
            (f"{baud} baud: " if baud else "") + f"address{'es' if len(units) > 1 else ''} {addresses}"
        )
    return "; ".join(parts)


def _print_json(document: Any) -> None:
    typer.echo(json.dumps(document, ensure_ascii=False))
