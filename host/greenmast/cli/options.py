"""Options that several commands share, and the values that they take: durations, the board to talk to."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated

import typer

from greenmast.errors import USAGE, UserError

if TYPE_CHECKING:
    from greenmast.link.base import Link

_UNIT_S = {"ms": 0.001, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}


def duration(text: str) -> float:
    """Seconds in "90", "60s", "5m", "2h", "1.5h", "3d". Raises ValueError."""
    number = text.rstrip("abcdefghijklmnopqrstuvwxyz")
    unit = text[len(number) :] or "s"
    try:
        seconds = float(number) * _UNIT_S[unit]
    except (KeyError, ValueError):
        raise typer.BadParameter(f"{text!r} is no duration; write 60s, 5m or 2h") from None
    if not 0 < seconds < 100 * 366 * 86400:
        raise typer.BadParameter(f"{text!r}: a duration is above zero")
    return seconds


Port = Annotated[
    str | None, typer.Option("--port", metavar="DEVICE", help="Serial port of the board [GREENMAST_PORT].")
]
Mqtt = Annotated[
    str | None, typer.Option("--mqtt", metavar="URL", help="Broker, mqtt[s]://host:port [GREENMAST_MQTT].")
]
Site = Annotated[
    str | None, typer.Option("--site", metavar="ID", help="Site behind the broker [GREENMAST_SITE].")
]
Json = Annotated[bool, typer.Option("--json", help="JSON on stdout: one document, or one a line.")]
Seed = Annotated[int, typer.Option("--seed", help="Seed of everything random.")]
Speed = Annotated[float, typer.Option("--speed", min=0.1, help="Seconds of the site per second.")]


def connect(port: str | None, mqtt: str | None, site: str | None) -> Link:
    """The link that the options name, else the environment. Raises UserError, NoContactError."""
    if port and mqtt:
        raise UserError("--port and --mqtt exclude each other", USAGE)
    if not port and not mqtt:
        port = os.environ.get("GREENMAST_PORT")
        mqtt = None if port else os.environ.get("GREENMAST_MQTT")
    if port:
        from greenmast.link.serial import SerialLink

        return SerialLink(port)
    if mqtt:
        site = site or os.environ.get("GREENMAST_SITE")
        if not site:
            raise UserError("which site? give --site ID beside --mqtt", USAGE)
        from greenmast.link.mqtt import MqttLink

        return MqttLink(mqtt, site)
    raise UserError("which board? give --port DEVICE, or --mqtt URL and --site ID", USAGE)
