"""`greenmast log pull`: the controller's events from the board's flash, in words. Changes nothing."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from greenmast.cli.options import Json, Mqtt, Port, Site, connect
from greenmast.errors import USAGE, UserError

_EVENT = ("subject", "new", "reason", "value", "limit")


def pull(
    since: Annotated[
        str | None,
        typer.Option(
            metavar="SEQ", help="Only what follows this number of the present boot; BOOT:SEQ for another."
        ),
    ] = None,
    port: Port = None,
    mqtt: Mqtt = None,
    site: Site = None,
    json_output: Json = False,
) -> None:
    """What the controller did and why, oldest first, from all boots that the board's flash still holds.

    \b
    greenmast log pull --port /dev/ttyUSB0
    greenmast log pull --since 812 --json
    """
    params = _since(since)
    before: dict[str, int] = {"boot": 0, "n": 0}
    with connect(port, mqtt, site) as link:
        link.hello()
        more = True
        while more:
            told = link.call("log.read", params)
            for record in told["records"]:
                gone = _missing(before, record, begins=since is None)
                if gone and not json_output:
                    typer.echo(f"(events gone: {gone})")
                typer.echo(json.dumps(_document(record)) if json_output else _line(record))
                before = record
                params = {"boot": record["boot"], "since": record["seq"]}
            more = told["more"] and bool(told["records"])


def _since(text: str | None) -> dict[str, int]:
    """Parameters of the first request. Raises UserError."""
    if text is None:
        return {}
    boot, colon, seq = text.rpartition(":")
    if not seq.isdecimal() or (colon and not boot.isdecimal()):
        raise UserError(f"--since {text}: a record's number, or BOOT:NUMBER", USAGE)
    return {"since": int(seq)} | ({"boot": int(boot)} if colon else {})


def _missing(before: dict[str, int], record: dict[str, Any], *, begins: bool) -> int:
    """How many events of the record's boot are missing before it."""
    if record["boot"] == before["boot"]:
        return int(record["n"]) - before["n"] - 1
    return int(record["n"]) - 1 if begins or before["boot"] else 0


def _document(record: dict[str, Any]) -> dict[str, Any]:
    from greenmast_protocol import event_text

    event = record["event"]
    told = {name: value for name, value in record.items() if name != "event"}
    return {
        **told,
        "kind": event_text.kind(event),
        **dict(zip(_EVENT, event[1:], strict=False)),
        "text": event_text.text(event),
    }


def _line(record: dict[str, Any]) -> str:
    from greenmast_protocol import event_text, show

    when = f"boot {record['boot']} + {show.duration(record['up'])}"
    if record["trusted"]:
        when = datetime.fromtimestamp(record["ts"], UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    return f"{record['boot']:>4}:{record['seq']:<6} {when:<22} {event_text.text(record['event'])}"
