"""Commands that look at a controller. They change nothing, but for acknowledging an alarm."""

from __future__ import annotations

import json
import time
from typing import Annotated, Any

import typer

from greenmast.cli.options import Json, KeyFile, Mqtt, Port, Site, connect, duration
from greenmast.errors import USAGE, UserError


def status(port: Port = None, mqtt: Mqtt = None, site: Site = None, json_output: Json = False) -> None:
    """The state of a site on one screen.

    \b
    greenmast status --port /dev/ttyUSB0
    greenmast status --mqtt mqtt://broker --site india-rural --json
    """
    from greenmast.cli import explanation
    from greenmast.link import reading
    from greenmast_protocol import show

    with connect(port, mqtt, site) as link:
        hello = link.hello()
        now = reading.get(link)
        rows = link.call("explain")["rows"]
    if json_output:
        _print_json({"hello": hello, **now.document(), "rows": [explanation.document(row) for row in rows]})
        return
    from greenmast.cli import screen

    why = [show.explanation(row) for row in rows if explanation.is_news(row)]
    screen.show(screen.overview(hello, now, why))


def watch(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]..", help="Points or patterns like battery.*")
    ] = None,
    every_s: Annotated[
        float, typer.Option("--every", parser=duration, metavar="DURATION", help="Between two readings.")
    ] = "1s",  # type: ignore[assignment]
    for_s: Annotated[
        float | None, typer.Option("--for", parser=duration, metavar="DURATION", help="End after this long.")
    ] = None,
    port: Port = None,
    mqtt: Mqtt = None,
    site: Site = None,
    json_output: Json = False,
) -> None:
    """Live values, reasons and energy flow until Ctrl-C.

    \b
    greenmast watch --port /dev/ttyUSB0
    greenmast watch 'battery.*' dc.bus_mv --every 5s --json
    """
    from greenmast.link import reading

    end = time.monotonic() + for_s if for_s else None
    with connect(port, mqtt, site) as link:
        hello = link.hello()
        reading.get(link, names)  # a wrong name ends here, before the screen is taken
        readings = reading.stream(link, names, every_s)
        try:
            if json_output:
                for now in readings:
                    if now is not None:
                        _print_json(now.document())
                    if end and time.monotonic() >= end:
                        break
            else:
                from greenmast.cli import screen

                screen.live(hello, readings, end)
        finally:
            readings.close()


def explain(port: Port = None, mqtt: Mqtt = None, site: Site = None, json_output: Json = False) -> None:
    """Why each output is as it is.

    With what stands in the way and what comes next.

    \b
    greenmast explain --port /dev/ttyUSB0
    """
    from greenmast.cli import explanation
    from greenmast_protocol import show

    with connect(port, mqtt, site) as link:
        link.hello()
        rows = link.call("explain")["rows"]
    if json_output:
        _print_json({"rows": [explanation.document(row) for row in rows]})
        return
    for row in rows:
        typer.echo(show.explanation(row))


def get(
    names: Annotated[list[str], typer.Argument(metavar="NAME..", help="Points or patterns like battery.*")],
    port: Port = None,
    mqtt: Mqtt = None,
    site: Site = None,
    json_output: Json = False,
) -> None:
    """Values of points, with quality and age.

    \b
    greenmast get dc.bus_mv 'battery.*' --port /dev/ttyUSB0
    """
    from greenmast.link import reading

    with connect(port, mqtt, site) as link:
        link.hello()
        now = reading.get(link, names)
    if json_output:
        _print_json(now.document())
        return
    for name in now.names:
        typer.echo(f"{name:<28} {now.text(name):>12}  {now.note(name)}".rstrip())


def alarms(
    action: Annotated[str | None, typer.Argument(metavar="ack", show_default=False)] = None,
    which: Annotated[
        str | None, typer.Argument(metavar="ID", help="Acknowledge alarm ID (number or name).")
    ] = None,
    port: Port = None,
    mqtt: Mqtt = None,
    site: Site = None,
    key: KeyFile = None,
    json_output: Json = False,
) -> None:
    """Alarms with their state and remedy: active, acknowledged, shelved, or cleared and not yet acknowledged.

    \b
    greenmast alarms --mqtt mqtt://broker --site india-rural
    greenmast alarms ack 13 --port /dev/ttyUSB0
    """
    from greenmast.cli import explanation

    if action is not None and (action != "ack" or which is None):
        raise UserError("write `alarms`, or `alarms ack ID`", USAGE)
    number = None if which is None else explanation.alarm_number(which)
    with connect(port, mqtt, site, key) as link:
        link.hello()
        if number is not None:
            applied = link.call("command", {"name": "alarm.ack", "args": {"id": number}})["applied"]
        else:
            listed = [explanation.alarm(row) for row in link.call("alarms")["alarms"]]
    if number is not None:
        if json_output:
            _print_json({"applied": applied})
        else:
            typer.echo(f"alarm {number} acknowledged")
    elif json_output:
        _print_json({"alarms": listed})
    elif listed:
        for alarm in listed:
            head = f"{alarm['severity']:<9}{alarm['state']:<13} {alarm.get('id', '?'):>3} {alarm['name']:<24}"
            typer.echo(f"{head} {alarm['text']}: {alarm['remedy']}")
    else:
        typer.echo("no active alarms")


def _print_json(document: Any) -> None:
    """One line, out at once: whoever reads a stream wants it now."""
    typer.echo(json.dumps(document, ensure_ascii=False))
