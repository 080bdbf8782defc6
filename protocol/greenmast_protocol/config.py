"""The board's configuration document: its shape and the rules that refuse it.

A document is a dict: {"schema", "revision", "site": {"id", "name", "board", "zone", "time_server"}, "buses":
[{"name", "baud", "parity", "tcp"}], "devices": [{"role", "profile", "bus", "address", "phases"}], "outputs":
{name: {"pin", "feedback", "idle", "device"}}, "inputs": {name: {"pin", "active"}}, "battery": {"chemistry",
"capacity_ah", "cells"}, "params": {name: int}, "mqtt": {...}, "network": {...} (optional)}. It is accepted or
refused as a whole; `problems` lists every reason with its place. Host and board run the same rules.

A pin is a number: 0 .. 99 a GPIO, `EXPANDER` + n bit n of the board's I2C expanders (its output expanders
counted through for outputs, its input expanders for inputs), `MODULE` + n channel n of the relay module (role
io). An output may be switched by a device instead; `pin` is None then. Which pins a board has, only the host
asks.
"""

from greenmast_protocol import instances, params, points, topics

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SCHEMA = 1
DOCUMENT_MAX = 12_288  # bytes of JSON
REVISION_MAX = 999_999_999
ROLES = ("battery", "solar", "grid", "genset", "rectifier", "load", "fuel", "io")
CHEMISTRIES = ("lfp", "vrla")
BAUDS = (1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200)
EXPANDER = 100
MODULE = 200
# A board input -> (the point it supplies, 1: the point is 0 while the input is active).
INPUTS = {"door_open": ("site.door_open", 0), "smoke": ("site.smoke", 0), "mains_fail": ("grid.mains_ok", 1)}
BY_DEVICE = {"genset_start": "genset"}  # outputs that a device may switch -> its role
# A relay module keeps its relays as they are when nobody talks to it any more. What must fall back to its
# idle state with the controller cannot hang there.
NOT_BY_MODULE = ("grid", "genset", "battery", "load1")
_SECTIONS = (
    "schema",
    "revision",
    "site",
    "buses",
    "devices",
    "outputs",
    "inputs",
    "battery",
    "params",
    "mqtt",
)
_PINS = ((0, 99), (EXPANDER, EXPANDER + 31), (MODULE, MODULE + 31))
# Ways to the network, and what each needs to be told. A board whose network is set up otherwise has none.
NETWORKS = {"wifi": ("ssid", "key"), "ethernet": (), "ppp": ("apn",)}


def _whole(value: object, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _shape(doc: object) -> "list[tuple[str, str]]":
    if not isinstance(doc, dict):
        return [("config", "must be an object")]
    if not _whole(doc.get("schema"), SCHEMA, SCHEMA):
        return [("schema", "unknown schema %s: this version knows %d" % (doc.get("schema"), SCHEMA))]
    out = []
    kinds = {"buses": list, "devices": list}
    for name in _SECTIONS[2:]:
        if not isinstance(doc.get(name), kinds.get(name, dict)):
            out.append((name, "missing or of the wrong type"))
    for name in doc:
        if name not in _SECTIONS and name != "network":
            out.append((str(name), "unknown section"))
    return out


def endpoint(text: object) -> "tuple[str, int] | None":
    """Host and port of a bus that is not a line: "192.168.1.50:502"."""
    host, _, port = text.rpartition(":") if isinstance(text, str) else ("", "", "")
    if not host or " " in host or not port.isdigit() or not 1 <= int(port) <= 0xFFFF:
        return None
    return host, int(port)


def _buses(doc: "dict[str, list[dict[str, object]]]", out: "list[tuple[str, str]]") -> None:
    names: "list[object]" = []
    for i, bus in enumerate(doc["buses"]):
        place = "bus %d" % (i + 1)
        if not isinstance(bus, dict) or not isinstance(bus.get("name"), str):
            out.append((place, "needs a name"))
            continue
        if bus["name"] in names:
            out.append((place, "name %s is taken" % bus["name"]))
        names.append(bus["name"])
        if bus.get("tcp") is None:
            if bus.get("baud") not in BAUDS:
                out.append((place, "baud %s is not one of %s" % (bus.get("baud"), BAUDS)))
            if bus.get("parity") not in ("N", "E", "O"):
                out.append((place, "parity must be N, E or O"))
        elif bus.get("baud") is not None or bus.get("parity") is not None:
            out.append((place, "has either baud and parity or tcp"))
        elif not endpoint(bus["tcp"]):
            out.append((place, "tcp must be HOST:PORT"))
    _devices(doc["devices"], names, out)


def _devices(devices: "list[dict[str, object]]", buses: "list[object]", out: "list[tuple[str, str]]") -> None:
    seen: "list[tuple[object, object]]" = []
    roles: "list[object]" = []
    for i, device in enumerate(devices):
        place = "device %d" % (i + 1)
        if not isinstance(device, dict):
            out.append((place, "must be an object"))
            continue
        role = device.get("role")
        place = "device.%s" % role
        if role not in ROLES:
            out.append((place, "role must be one of %s" % ", ".join(ROLES)))
        if role in roles and role not in instances.ROLES:
            out.append((place, "there is one of them at most"))
        phases = device.get("phases", 1)
        if phases != 1 and (phases != instances.PHASES_MAX or role not in instances.PHASES):
            out.append((place, "phases must be 1, or %d of the grid" % instances.PHASES_MAX))
            phases = 1
        most = instances.PHASES_MAX if role in instances.PHASES else instances.DEVICES_MAX
        before = roles.count(role)
        roles.extend([role] * phases)
        if before <= most < roles.count(role):
            out.append((place, "too many of them"))
        if not isinstance(device.get("profile"), str):
            out.append((place, "needs a profile"))
        if device.get("bus") not in buses:
            out.append((place, "no such bus: %s" % device.get("bus")))
        if not _whole(device.get("address"), 1, 247):
            out.append((place, "address must lie in 1 .. 247"))
        where = (device.get("bus"), device.get("address"))
        if where in seen:
            out.append((place, "address %s is taken on bus %s" % (where[1], where[0])))
        seen.append(where)


def _pin(
    doc: "dict[str, Any]",
    place: str,
    use: str,
    side: int,
    out: "list[tuple[str, str]]",
    pins: "dict[Any, str]",
) -> None:
    """Check the pin `use` of the row at `place`. `side`: 1 output, 2 input; `pins`: the uses met so far."""
    section, _, name = place.partition(".")
    number: "Any" = doc[section + "s"][name].get(use)
    if not [1 for low, high in _PINS if _whole(number, low, high)]:
        out.append((place, "%s must be 0 .. 99, 100 .. 131 or 200 .. 231" % use))
        return
    # A GPIO is one thing only; outputs and inputs of expanders and modules are counted apart.
    key = (side if number >= EXPANDER else 0, number)
    if key in pins:
        kind = "GPIO" if number < EXPANDER else "pin"
        out.append((place, "%s: %s %d is already %s" % (use, kind, number, pins[key])))
    pins[key] = "%s of %s" % (use, place)
    if number >= MODULE and not _has_role(doc, "io"):
        out.append((place, "%s: there is no [[device.io]]" % use))


def _has_role(doc: "dict[str, Any]", role: str) -> bool:
    return role in [device.get("role") for device in doc["devices"] if isinstance(device, dict)]


def _outputs(doc: "dict[str, Any]", out: "list[tuple[str, str]]", pins: "dict[Any, str]") -> None:
    outputs = doc["outputs"]
    for name in outputs:
        if name not in points.OUTPUTS:
            out.append(("output.%s" % name, "no such output; known: %s" % ", ".join(points.OUTPUTS)))
    for name in points.OUTPUTS:  # in the table's order: MicroPython's dicts have none
        if name not in outputs:
            continue
        row = outputs[name]
        place = "output.%s" % name
        if not isinstance(row, dict):
            out.append((place, "must be an object"))
            continue
        device = row.get("device")
        if device is None:
            _pin(doc, place, "pin", 1, out, pins)
            if name in NOT_BY_MODULE and _whole(row.get("pin"), *_PINS[2]):
                text = "must not hang on a relay module, which keeps its relays when the controller is gone"
                out.append((place, text))
        else:
            _by_device(doc, name, row, out)
        if row.get("feedback") is not None:
            _pin(doc, place, "feedback", 2, out, pins)
            if name not in points.FEEDBACKS:
                out.append((place, "has no feedback"))
        if row.get("idle") not in ("open", "closed"):
            out.append((place, "idle must be open or closed"))
    both = [name for name in ("grid", "genset") if _is_closed(doc["outputs"].get(name))]
    if len(both) == 2:
        out.append(("output.genset", "grid and genset contactors must not both be closed when idle"))


def _is_closed(row: object) -> bool:
    return isinstance(row, dict) and row.get("idle") == "closed"


def _by_device(
    doc: "dict[str, Any]", name: str, row: "dict[str, object]", out: "list[tuple[str, str]]"
) -> None:
    place = "output.%s" % name
    role = BY_DEVICE.get(name)
    if role is None:
        out.append((place, "cannot be switched by a device; only: %s" % ", ".join(BY_DEVICE)))
        return
    if row["device"] != role:
        out.append((place, "device must be %s" % role))
    elif not _has_role(doc, role):
        out.append((place, "there is no [[device.%s]]" % role))
    if row.get("pin") is not None:
        out.append((place, "has a pin or a device, not both"))
    if row.get("idle") == "closed":
        out.append((place, "idle must be open where a device switches"))


def _inputs(doc: "dict[str, Any]", out: "list[tuple[str, str]]", pins: "dict[Any, str]") -> None:
    inputs = doc["inputs"]
    for name in inputs:
        if name not in INPUTS:
            out.append(("input.%s" % name, "no such input; known: %s" % ", ".join(sorted(INPUTS))))
    for name in sorted(INPUTS):
        row = inputs.get(name)
        place = "input.%s" % name
        if row is None:
            continue
        if not isinstance(row, dict):
            out.append((place, "must be an object"))
            continue
        _pin(doc, place, "pin", 2, out, pins)
        if row.get("active") not in ("closed", "open"):
            out.append((place, "active must be closed or open: the contact's state when it tells"))


def _params(doc: "dict[str, dict[str, int]]", out: "list[tuple[str, str]]") -> None:
    given = doc["params"]
    good: "dict[str, int]" = {}
    for name, value in given.items():
        row = params.row(name) if isinstance(name, str) else None
        if row is None:
            out.append((str(name), "no such parameter"))
        elif not _whole(value, row[2], row[3]):
            out.append((name, "%s must be an integer in %d .. %d" % (value, row[2], row[3])))
        else:
            good[name] = value
    # Loads go only after the genset has had its chance: unless there is none, or the site says so.
    late = _setting(good, "lvd.before_genset") == 1 or "genset" not in doc["outputs"]
    for lower, upper, distance in params.pairs():
        low, high = _setting(good, lower), _setting(good, upper)
        if high == 0 == low:
            continue
        if late and lower[:4] == "lvd." and upper[:7] == "genset.":
            continue
        if high - low < distance:
            text = "%d must exceed %s = %d" % (high, lower, low)
            out.append((upper, text + (" by %d" % distance if distance else " or equal it")))


def _setting(given: "dict[str, int]", name: str) -> int:
    """What a parameter is when these are given. No dict of all: a board has no room for it while it runs."""
    row = params.row(name)
    return given[name] if name in given else row[1] if row else 0


def _time(site: "dict[str, object]", out: "list[tuple[str, str]]") -> None:
    server = site.get("time_server")
    if server is not None and not (isinstance(server, str) and 0 < len(server) <= 64):
        out.append(("site.time_server", "must be a host or host:port"))
    zone = site.get("zone", [0])
    good = isinstance(zone, list) and len(zone) % 2 == 1 and len(zone) < 64
    if isinstance(zone, list) and good:
        for i in range(len(zone)):
            ahead = i % 2 == 0  # minutes ahead of UTC, and the minutes since 2000 from which they hold
            good = good and _whole(zone[i], -900 if ahead else 0, 900 if ahead else 1 << 29)
            good = good and (ahead or i < 2 or zone[i] > zone[i - 2])
    if not good:
        out.append(("site.zone", "must be minutes ahead of UTC, then pairs of when and minutes"))


def _network(network: "dict[str, object]", out: "list[tuple[str, str]]") -> None:
    kind = network.get("kind") if isinstance(network, dict) else None
    if not isinstance(kind, str) or kind not in NETWORKS:
        out.append(("network", "kind must be one of %s" % ", ".join(sorted(NETWORKS))))
        return
    for key in NETWORKS[kind]:
        if not isinstance(network.get(key), str):
            out.append(("network", "%s needs %s" % (kind, key)))
    if kind == "ethernet" and not _whole(network.get("phy", 0), 0, 31):
        out.append(("network", "phy, the Ethernet chip's address, must lie in 0 .. 31"))
    for key in network:
        if key != "kind" and key not in NETWORKS[kind] and (key, kind) != ("phy", "ethernet"):
            out.append(("network", "%s has no %s" % (kind, key)))


def problems(doc: object) -> "list[tuple[str, str]]":
    """Every reason to refuse the document, as (place, text); empty when it is good."""
    out = _shape(doc)
    if out:
        return out
    site = doc["site"]  # type: ignore[index]
    identity = site.get("id")
    text = topics.site_problem(identity) if isinstance(identity, str) else "missing"
    if text:
        out.append(("site.id", text))
    for key in ("name", "board"):
        if not isinstance(site.get(key), str):
            out.append(("site.%s" % key, "missing"))
    _time(site, out)
    battery = doc["battery"]  # type: ignore[index]
    if battery.get("chemistry") not in CHEMISTRIES:
        out.append(("battery.chemistry", "must be one of %s" % ", ".join(CHEMISTRIES)))
    for key, low, high in (("capacity_ah", 1, 10_000), ("cells", 1, 60)):
        if not _whole(battery.get(key), low, high):
            out.append(("battery.%s" % key, "must be an integer in %d .. %d" % (low, high)))
    _buses(doc, out)  # type: ignore[arg-type]
    pins: "dict[Any, str]" = {}
    _outputs(doc, out, pins)  # type: ignore[arg-type]
    _inputs(doc, out, pins)  # type: ignore[arg-type]
    _params(doc, out)  # type: ignore[arg-type]
    _network(doc.get("network", {"kind": "ethernet"}), out)  # type: ignore[attr-defined]
    mqtt = doc["mqtt"]  # type: ignore[index]
    if mqtt and not (isinstance(mqtt.get("host"), str) and _whole(mqtt.get("port"), 1, 65_535)):
        out.append(("mqtt", "needs host and port 1 .. 65535"))
    if not isinstance(mqtt.get("tls", False), bool):
        out.append(("mqtt", "tls must be true or false"))
    if mqtt and not _whole(mqtt.get("keepalive_s", 60), 5, 3_600):
        out.append(("mqtt", "keepalive_s must be an integer in 5 .. 3600"))
    return out
