"""The JSON Schema of a site file, from the tables: for editors that check while one types.

Owns no fact: sections come from `greenmast.site`, parameters from the protocol's tables. Rules that join
several values are beyond a schema: `greenmast config check` knows them.
"""

from __future__ import annotations

from typing import Any

from greenmast import site as sites
from greenmast_protocol import config, param_text, params, points, units

_INTEGER = {"type": "integer"}
_NUMBER = {"type": "number"}
_STRING = {"type": "string"}
_BOOLEAN = {"type": "boolean"}
_CONTACTS = {"enum": ["open", "closed"]}
# Keys whose values are no numbers, or come from a table.
_KEYS: dict[tuple[str, str], dict[str, Any]] = {
    ("site", "id"): _STRING,
    ("site", "name"): _STRING,
    ("site", "board"): _STRING,
    ("site", "timezone"): _STRING | {"description": "IANA name such as Asia/Kolkata"},
    ("site", "time_server"): _STRING | {"minLength": 1, "maxLength": 64, "description": "host or host:port"},
    ("site", "policy"): {"enum": list(points.POLICIES)},
    ("battery", "chemistry"): {"enum": list(config.CHEMISTRIES)},
    ("battery", "capacity_ah"): _INTEGER | {"minimum": 1, "maximum": 10_000},
    ("battery", "cells"): _INTEGER | {"minimum": 1, "maximum": 60},
    ("loads", "tiers_permille"): {"type": "array", "items": _INTEGER},
    ("grid", "weak"): _BOOLEAN,
    ("genset", "crank_s"): {"type": "array", "items": _NUMBER},
    ("tariff", "currency"): _STRING,
    ("tariff", "band"): {
        "type": "array",
        "items": {
            "type": "object",
            "properties": {
                "from": _STRING | {"description": 'local time of day such as "13:00"'},
                "to": _STRING | {"description": "past midnight when it comes before `from`"},
                "months": {"type": "array", "items": _INTEGER | {"minimum": 1, "maximum": 12}},
                "grid_per_kwh": _NUMBER | {"minimum": 0},
            },
            "required": ["from", "to", "grid_per_kwh"],
            "additionalProperties": False,
        },
    },
    ("mqtt", "host"): _STRING,
    ("mqtt", "port"): _INTEGER | {"minimum": 1, "maximum": 65_535},
    ("mqtt", "tls"): _BOOLEAN,
    ("mqtt", "ca"): _STRING,
    ("mqtt", "cert"): _STRING,
    ("mqtt", "key"): _STRING,
    ("mqtt", "keepalive_s"): _INTEGER | {"minimum": 5, "maximum": 3_600},
    ("network", "kind"): {"enum": sorted(config.NETWORKS)},
    ("network", "ssid"): _STRING,
    ("network", "key"): _STRING,
    ("network", "apn"): _STRING,
    ("network", "phy"): _INTEGER | {"minimum": 0, "maximum": 31},
    ("access", "keys"): {"type": "array", "items": _STRING},
}
_REQUIRED = {"site": ["id", "board"], "battery": ["chemistry", "capacity_ah"], "network": ["kind"]}


def build() -> dict[str, Any]:
    """The schema (draft 2020-12)."""
    properties: dict[str, Any] = {}
    for section, keys in sites.sections().items():
        properties[section] = _special(section) or _section(section, keys)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Greenmast site file (TOML)",
        "type": "object",
        "properties": properties,
        "required": ["site", "battery"],
        "additionalProperties": False,
    }


def _section(section: str, keys: tuple[str, ...]) -> dict[str, Any]:
    if not keys:
        return {"type": "object"}
    return {
        "type": "object",
        "properties": {key: _KEYS.get((section, key), _NUMBER) for key in keys},
        "required": _REQUIRED.get(section, []),
        "additionalProperties": False,
    }


def _special(section: str) -> dict[str, Any] | None:
    if section == "limits":
        return _parameters()
    if section == "bus":
        rows = {
            "name": _STRING,
            "baud": {"enum": list(config.BAUDS)},
            "parity": {"enum": ["N", "E", "O"]},
        }
        return {"type": "array", "items": {"type": "object", "properties": rows, "required": ["name"]}}
    if section == "device":
        address = _INTEGER | {"minimum": 1, "maximum": 247}
        rows = {"profile": _STRING, "bus": _STRING, "address": address}
        device = {"type": "object", "properties": rows, "required": list(rows)}
        roles = {role: {"type": "array", "items": device} for role in config.ROLES}
        return {"type": "object", "properties": roles, "additionalProperties": False}
    if section == "output":
        outputs = {name: {"type": "object", "properties": {"idle": _CONTACTS}} for name in points.OUTPUTS}
        return {"type": "object", "properties": outputs, "additionalProperties": False}
    return None


def _parameters() -> dict[str, Any]:
    """Of `[limits]`: dotted names, or a table for each part before the dot."""
    dotted: dict[str, Any] = {}
    nested: dict[str, Any] = {}
    for name, default, low, high in params.PARAMS:
        row = _parameter(name, default, low, high)
        dotted[name] = row
        group, _, rest = name.partition(".")
        nested.setdefault(group, {})[rest] = row
    tables = {
        group: {"type": "object", "properties": rows, "additionalProperties": False}
        for group, rows in nested.items()
    }
    return {"type": "object", "properties": dotted | tables, "additionalProperties": False}


def _parameter(name: str, default: int, low: int, high: int) -> dict[str, Any]:
    unit = units.of(name)
    symbol, divisor = units.UNITS.get(unit, ("", 1))
    in_unit = f" (in {symbol}/{divisor})" if divisor > 1 else f" (in {symbol})" if symbol else ""
    number = {"type": "integer", "minimum": low, "maximum": high}
    words = params.CHOICES.get(name)
    row: dict[str, Any] = {"anyOf": [{"enum": list(words)}, number]} if words else number
    return row | {"default": default, "description": f"{param_text.TEXTS.get(name, name)}{in_unit}"}
