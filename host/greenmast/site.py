"""Site files: one TOML file describes a site to every tool; this module reads it and compiles it for the
board.

Owns the file format and its errors. Knows nothing of links or processes; what may stand in the sections of
the equipment and of the tariff is told by `plant.config` and `simulate.tariff`. The rules that board and host
share live in `greenmast_protocol.config`; a file is accepted only when those hold too, so that what loads
here also loads there.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from greenmast import access, certificates, wiring, zone
from greenmast.errors import BAD_INPUT_FILE, USAGE, UserError
from greenmast.plant import config as plant_config
from greenmast.simulate import tariff
from greenmast_fw.devices import binding
from greenmast_protocol import config, instances, params

# Keys of each section; those of [output.*], [input.*], [[bus]] and [[device.*]] are checked by
# `greenmast_protocol.config`.
_SECTIONS: dict[str, tuple[str, ...]] = {
    "site": ("id", "name", "board", "latitude", "longitude", "timezone", "time_server", "policy"),
    **{section: plant_config.keys(section) for section in plant_config.SECTIONS},
    "tariff": tariff.KEYS,
    "limits": (),  # parameters, see `greenmast_protocol.params`
    "alarms": (),
    "mqtt": ("host", "port", "tls", "ca", "cert", "key", "keepalive_s"),
    "network": ("kind", "ssid", "key", "apn", "phy"),
    "access": ("keys",),
    "bus": (),
    "device": (),
    "output": (),
    "input": (),
}
_PARAMETER_SECTIONS = ("limits",)


_FILE_MAX = 262_144


class NotAcceptedError(UserError):
    """A file that is not right: `reasons` are lines `place: text`."""

    def __init__(self, label: str, reasons: list[str]) -> None:
        super().__init__(
            "\n".join([f"{label}: not accepted:", *(f"  {reason}" for reason in reasons)]), BAD_INPUT_FILE
        )
        self.reasons = reasons


@dataclass(frozen=True)
class Bus:
    """A line with its `baud` and `parity`, or Modbus TCP at `tcp` ("host:port"; then they are 0 and "")."""

    name: str
    baud: int
    parity: str
    tcp: str | None = None


@dataclass(frozen=True)
class Device:
    role: str
    profile: str
    bus: str
    address: int
    phases: int = 1  # of the grid, which it measures


@dataclass(frozen=True)
class Output:
    """Pins are numbers as in `greenmast_protocol.config`; `pin` is None where `device` (a role) switches."""

    name: str
    pin: int | None
    feedback: int | None
    idle: str  # state of the main contacts without coil current: "open" or "closed"
    device: str | None = None


@dataclass(frozen=True)
class Input:
    name: str
    pin: int
    active: str  # state of the contact when it tells: "open" or "closed"


@dataclass(frozen=True)
class Site:
    """A site file that has been checked.

    `plant` holds its sections as written, for `PlantConfig.from_site`.
    """

    id: str
    name: str
    board: str
    latitude: float
    longitude: float
    timezone: ZoneInfo
    buses: tuple[Bus, ...]
    devices: tuple[Device, ...]
    outputs: tuple[Output, ...]
    inputs: tuple[Input, ...]
    params: Mapping[str, int]
    mqtt: Mapping[str, Any]
    plant: Mapping[str, Any]
    board_files: Mapping[str, bytes]  # by name: what lies on the board's flash beside its configuration
    key_files: tuple[Path, ...]  # see `greenmast.access`

    @property
    def roles(self) -> tuple[str, ...]:
        """The role of every device, once for each phase that it measures."""
        return tuple(device.role for device in self.devices for _ in range(device.phases))

    def board_config(self, *, revision: int = 1, mqtt: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """The document that the board stores and runs on (see `greenmast_protocol.config`)."""
        return _compile(self.plant, self.params, revision, {**self.mqtt, **(mqtt or {})})


def names() -> list[str]:
    """The reference sites that ship with Greenmast."""
    folder = resources.files("greenmast") / "sites"
    return sorted(
        entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml")
    )


def load(
    name_or_path: str,
    overrides: Mapping[str, int] | None = None,
    equipment: Mapping[str, Any] | None = None,
) -> Site:
    """Read a reference site by name or a site file by path; `overrides` replace parameters, `equipment` the
    keys of its sections ("battery.capacity_ah"), so that what follows from those follows from the new ones.

    Raises UserError: exit code 2 for an unknown name, 5 for a file that is not right, with every reason
    listed.
    """
    text, label = _read(name_or_path)
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise NotAcceptedError(label, [f"not valid TOML: {error}"]) from None
    for key, value in (equipment or {}).items():
        section, _, name = key.partition(".")
        document.setdefault(section, {})[name] = value
    return _build(document, label, overrides or {}, Path(name_or_path).parent)


def near(word: str, known: Iterable[str]) -> str:
    """ "; near: a, b" for the words of `known` that resemble `word`, or all of them when they are few."""
    known = sorted(known)
    matches = difflib.get_close_matches(word, known, n=4, cutoff=0.5)
    if not matches and len(known) <= 12:
        matches = known
    return f"; did you mean: {', '.join(matches)}" if matches else ""


def _read(name_or_path: str) -> tuple[str, str]:
    if name_or_path in names():
        file = resources.files("greenmast") / "sites" / f"{name_or_path}.toml"
        return file.read_text(encoding="utf-8"), name_or_path
    path = Path(name_or_path)
    if not path.is_file():
        if path.suffix == ".toml" or "/" in name_or_path:
            raise UserError(f"no such site file: {name_or_path}", USAGE)
        raise UserError(f"unknown site: {name_or_path}{near(name_or_path, names())}", USAGE)
    try:
        if path.stat().st_size > _FILE_MAX:
            reason = f"{path.stat().st_size} bytes: a site file has a few thousand"
            raise NotAcceptedError(str(path), [reason])
        return path.read_text(encoding="utf-8-sig"), str(path)
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read: {error}", BAD_INPUT_FILE) from None


def _flatten(table: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Dotted names for nested tables, so that `grid.return_delay_s = 1` and `"grid.return_delay_s" = 1`
    are one.
    """
    flat: dict[str, Any] = {}
    for key, value in table.items():
        if isinstance(value, Mapping):
            flat.update(_flatten(value, f"{prefix}{key}."))
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def _section_problems(document: Mapping[str, Any]) -> list[str]:
    problems = []
    for section, content in document.items():
        if section not in _SECTIONS:
            problems.append(f"[{section}]: no such section{near(section, _SECTIONS)}")
        elif section == "bus":
            if not _are_tables(content):
                problems.append("[[bus]]: write it with double brackets")
        elif not isinstance(content, Mapping):
            problems.append(f"[{section}]: must be a table")
        elif keys := _SECTIONS[section]:
            problems += [
                f"[{section}] {key}: no such key{near(key, keys)}" for key in content if key not in keys
            ]
    for section, key in (
        ("site", "id"),
        ("site", "board"),
        ("battery", "chemistry"),
        ("battery", "capacity_ah"),
    ):
        if key not in _table(document, section):
            problems.append(f"[{section}] {key}: missing")
    for section in ("output", "input"):
        for name, row in _table(document, section).items():
            if not isinstance(row, Mapping):
                problems.append(f"[{section}.{name}]: must be a table")
    for role, entries in _table(document, "device").items():
        if not _are_tables(entries):
            problems.append(f"[[device.{role}]]: write it with double brackets")
    return problems


def _table(document: Mapping[str, Any], section: str) -> Mapping[str, Any]:
    content = document.get(section)
    return content if isinstance(content, Mapping) else {}


def _are_tables(content: object) -> bool:
    return isinstance(content, list) and all(isinstance(entry, Mapping) for entry in content)


def _build(document: Mapping[str, Any], label: str, overrides: Mapping[str, int], folder: Path) -> Site:
    problems = _section_problems(document)
    if problems:
        raise NotAcceptedError(label, problems)
    about = document["site"]
    settings: dict[str, Any] = _from_equipment(document)
    for section in _PARAMETER_SECTIONS:
        settings.update(_flatten(document.get(section, {})))
    if "policy" in about:
        settings["policy.name"] = about["policy"]
    settings.update(overrides)
    settings, problems = _numbers(settings)
    compiled = _compile(document, settings, 1, document.get("mqtt", {}))
    found = wiring.problems(document, compiled)
    told = {place for place, _ in found}
    found += [(place, text) for place, text in config.problems(compiled) if place not in told]
    found += wiring.unswitchable(compiled)
    problems += [f"{place}: {text}" for place, text in found]
    told |= {place for place, _ in found}
    problems += [reason for reason in plant_config.problems(document) if _dotted(reason) not in told]
    problems += tariff.problems(document.get("tariff", {}))
    files, reasons = certificates.board_files(document.get("mqtt", {}), folder)
    problems += reasons
    key_files, reasons = access.files(document.get("access", {}), folder)
    problems += reasons
    try:
        timezone = ZoneInfo(about.get("timezone", "UTC"))
    except (ZoneInfoNotFoundError, ValueError, TypeError):
        problems.append(f"[site] timezone: unknown: {about.get('timezone')}")
        timezone = ZoneInfo("UTC")
    for key in ("latitude", "longitude"):
        if not isinstance(about.get(key, 0.0), int | float):
            problems.append(f"[site] {key}: must be a number")
    if problems:
        raise NotAcceptedError(label, problems)
    return Site(
        id=about["id"],
        name=about.get("name", about["id"]),
        board=about["board"],
        latitude=float(about.get("latitude", 0.0)),
        longitude=float(about.get("longitude", 0.0)),
        timezone=timezone,
        buses=tuple(Bus(b["name"], b["baud"] or 0, b["parity"] or "", b["tcp"]) for b in compiled["buses"]),
        devices=tuple(Device(**d) for d in compiled["devices"]),
        outputs=tuple(
            Output(name, o["pin"], o["feedback"], o["idle"], o["device"])
            for name, o in compiled["outputs"].items()
        ),
        inputs=tuple(Input(name, i["pin"], i["active"]) for name, i in compiled["inputs"].items()),
        params=settings,
        mqtt=dict(document.get("mqtt", {})),
        plant=document,
        board_files=files,
        key_files=key_files,
    )


def _dotted(reason: str) -> str:
    """The place "section.key" of a reason "[section] key: text"."""
    return reason.partition(":")[0].strip("[").replace("] ", ".")


# Parameters that follow from the equipment's sections: (section, key, parameter, factor).
_EQUIPMENT = (
    ("genset", "rating_w", "genset.rating_w", 1),
    ("genset", "tank_l", "genset.tank_l", 1),
    ("genset", "fuel_l_per_h_idle", "genset.burn_idle_ml_h", 1_000),
    ("genset", "fuel_l_per_kwh", "genset.burn_ml_kwh", 1_000),
)


def _from_equipment(document: Mapping[str, Any]) -> dict[str, Any]:
    battery = document["battery"]
    cells = battery.get("cells", 15)
    settings: dict[str, Any] = {}
    if isinstance(cells, int):  # anything else is refused with the rest of the document
        settings.update(params.for_battery(str(battery["chemistry"]), cells))
    for section, key, name, factor in _EQUIPMENT:
        value = document.get(section, {}).get(key)
        if isinstance(value, int | float) and not isinstance(value, bool):
            settings[name] = round(value * factor)
    return settings


def _numbers(settings: Mapping[str, Any]) -> tuple[dict[str, int], list[str]]:
    """Settings with words replaced by their numbers, and what is wrong with them."""
    out: dict[str, int] = {}
    problems = []
    for name, value in settings.items():
        if params.row(name) is None:
            problems.append(f"{name}: no such parameter{near(name, params.NAMES)}")
        elif name in params.CHOICES and isinstance(value, str):
            words = params.CHOICES[name]
            if value in words:
                out[name] = words.index(value)
            else:
                problems.append(f"{name}: unknown: {value!r}{near(value, words)}")
        else:
            out[name] = value
    return out, problems


def _compile(
    document: Mapping[str, Any], settings: Mapping[str, int], revision: int, mqtt: Mapping[str, Any]
) -> dict[str, Any]:
    about = document["site"]
    battery = document["battery"]
    return {
        "schema": config.SCHEMA,
        "revision": revision,
        "site": {
            "id": about["id"],
            "name": about.get("name", about["id"]),
            "board": about["board"],
            "zone": zone.compiled(about.get("timezone", "UTC")),
            "time_server": about.get("time_server"),
        },
        "buses": [_compile_bus(bus) for bus in document.get("bus", [])],
        "devices": [
            {
                "role": role,
                **{key: entry.get(key) for key in ("profile", "bus", "address")},
                "phases": entry.get("phases", _phases(role, entry.get("profile"))),
            }
            for role, entries in document.get("device", {}).items()
            for entry in entries
        ],
        **wiring.compiled(document),
        "battery": {
            "chemistry": battery["chemistry"],
            "capacity_ah": battery["capacity_ah"],
            "cells": battery.get("cells", 15),
        },
        "params": dict(settings),
        "mqtt": {key: value for key, value in mqtt.items() if key not in certificates.BOARD_NAMES},
        **({"network": dict(document["network"])} if "network" in document else {}),
    }


def sections() -> Mapping[str, tuple[str, ...]]:
    """Sections of a site file and the keys of those that have fixed ones."""
    return _SECTIONS


def _compile_bus(bus: Mapping[str, Any]) -> dict[str, Any]:
    line = {} if "tcp" in bus else {"baud": 9600, "parity": "N"}
    return {key: bus.get(key, line.get(key)) for key in ("name", "baud", "parity", "tcp")}


def _phases(role: str, profile: object) -> int:
    """How many phases a device measures where the site file does not say so."""
    if role not in instances.PHASES or profile not in binding.PROFILES:
        return 1
    return int(getattr(binding.load(str(profile)), "PHASES", 1))
