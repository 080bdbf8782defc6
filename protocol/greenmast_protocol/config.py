"""The board's configuration document: its shape and the rules that refuse it.

A document is a dict: {"schema", "revision", "site": {"id", "name", "board", "zone",
"time_server"}, "buses": [{"name", "baud",
"parity"}], "devices": [{"role", "profile", "bus", "address"}], "outputs": {name: {"pin", "feedback",
"idle"}}, "battery": {"chemistry", "capacity_ah", "cells"}, "params": {name: int}, "mqtt": {...},
"network": {...} (optional)}. It is
accepted or refused as a whole; `problems` lists every reason with its place. Host and board run the same
rules.
"""

from greenmast_protocol import instances, params, points, topics

SCHEMA = 1
ROLES = ("battery", "solar", "grid", "genset", "rectifier", "load", "fuel")
CHEMISTRIES = ("lfp", "vrla")
BAUDS = (1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200)
_SECTIONS = ("schema", "revision", "site", "buses", "devices", "outputs", "battery", "params", "mqtt")
_PIN_MAX = 127
# Ways to the network, and what each needs to be told. A board whose network is set up otherwise has none.
NETWORKS = {"wifi": ("ssid", "key"), "ethernet": (), "ppp": ("apn",)}


def _whole(value: object, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _shape(doc: object) -> "list[tuple[str, str]]":
    if not isinstance(doc, dict):
        return [("config", "must be an object")]
    if doc.get("schema") != SCHEMA:
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
        if bus.get("baud") not in BAUDS:
            out.append((place, "baud %s is not one of %s" % (bus.get("baud"), BAUDS)))
        if bus.get("parity") not in ("N", "E", "O"):
            out.append((place, "parity must be N, E or O"))
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
        roles.append(role)
        if roles.count(role) == 1 + (
            instances.PHASES_MAX if role in instances.PHASES else instances.DEVICES_MAX
        ):
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


def _outputs(doc: "dict[str, dict[str, dict[str, object]]]", out: "list[tuple[str, str]]") -> None:
    pins: "dict[object, str]" = {}
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
        for key in ("pin", "feedback"):
            pin = row.get(key)
            if pin is None and key == "feedback":
                continue
            if not _whole(pin, 0, _PIN_MAX):
                out.append((place, "%s must be a GPIO number" % key))
            elif pin in pins:
                out.append((place, "%s: GPIO %s is already %s" % (key, pin, pins[pin])))
            else:
                pins[pin] = "%s of output.%s" % (key, name)
        if row.get("feedback") is not None and name not in points.FEEDBACKS:
            out.append((place, "has no feedback"))
        if row.get("idle") not in ("open", "closed"):
            out.append((place, "idle must be open or closed"))
    both = [name for name in ("grid", "genset") if doc["outputs"].get(name, {}).get("idle") == "closed"]
    if len(both) == 2:
        out.append(("output.genset", "grid and genset contactors must not both be closed when idle"))


def _params(doc: "dict[str, dict[str, int]]", out: "list[tuple[str, str]]") -> None:
    given = doc["params"]
    values = params.defaults()
    for name, value in given.items():
        row = params.row(name)
        if row is None:
            out.append((str(name), "no such parameter"))
        elif not _whole(value, row[2], row[3]):
            out.append((name, "%s must be an integer in %d .. %d" % (value, row[2], row[3])))
        else:
            values[name] = value
    # Loads go only after the genset has had its chance: unless there is none, or the site says so.
    late = values["lvd.before_genset"] == 1 or "genset" not in doc["outputs"]
    for lower, upper, distance in params.PAIRS:
        if values[upper] == 0 == values[lower]:
            continue
        if late and lower[:4] == "lvd." and upper[:7] == "genset.":
            continue
        if values[upper] - values[lower] < distance:
            text = "%d must exceed %s = %d" % (values[upper], lower, values[lower])
            out.append((upper, text + (" by %d" % distance if distance else " or equal it")))


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
    if not isinstance(site.get("board"), str):
        out.append(("site.board", "missing"))
    _time(site, out)
    battery = doc["battery"]  # type: ignore[index]
    if battery.get("chemistry") not in CHEMISTRIES:
        out.append(("battery.chemistry", "must be one of %s" % ", ".join(CHEMISTRIES)))
    for key, low, high in (("capacity_ah", 1, 10_000), ("cells", 1, 60)):
        if not _whole(battery.get(key), low, high):
            out.append(("battery.%s" % key, "must be an integer in %d .. %d" % (low, high)))
    _buses(doc, out)  # type: ignore[arg-type]
    _outputs(doc, out)  # type: ignore[arg-type]
    _params(doc, out)  # type: ignore[arg-type]
    _network(doc.get("network", {"kind": "ethernet"}), out)  # type: ignore[attr-defined]
    mqtt = doc["mqtt"]  # type: ignore[index]
    if mqtt and not (isinstance(mqtt.get("host"), str) and _whole(mqtt.get("port"), 1, 65_535)):
        out.append(("mqtt", "needs host and port 1 .. 65535"))
    if not isinstance(mqtt.get("tls", False), bool) or not _whole(mqtt.get("keepalive_s", 60), 1, 65_535):
        out.append(("mqtt", "tls must be true or false, keepalive_s lie in 1 .. 65535"))
    return out
