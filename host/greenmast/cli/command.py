"""The command that commands: words become arguments of the command table, the board's verdict is printed."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from greenmast.cli.options import Json, KeyFile, Mqtt, Port, Site, connect
from greenmast.errors import USAGE, UserError


def command(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="None: lists the commands.", show_default=False)
    ] = None,
    words: Annotated[
        list[str] | None, typer.Argument(metavar="[KEY=VALUE]..", help="Arguments; lists as 1,2,3.")
    ] = None,
    port: Port = None,
    mqtt: Mqtt = None,
    site: Site = None,
    key: KeyFile = None,
    json_output: Json = False,
) -> None:
    """Ask the controller to do something.

    It answers with what it has applied, or refuses and says why; protection has the last word afterwards too.
    Without NAME the commands and their arguments are listed.

    \b
    greenmast command genset.start for_s=3600 --port /dev/ttyUSB0
    greenmast command load.shed tier=3 for_s=1800 --mqtt mqtt://broker --site mast-7 --key ops.key
    greenmast command
    """
    from greenmast.link.base import RefusedError
    from greenmast_protocol import commands

    if name is None:
        _list(json_output)
        return
    args = _arguments(name, words or [])
    code, problem = commands.problem(name, args)
    if code:
        raise UserError(f"{problem}; `greenmast command` lists what there is", USAGE)
    with connect(port, mqtt, site, key) as link:
        link.hello()
        try:
            applied = link.call("command", {"name": name, "args": args})["applied"]
        except RefusedError as e:
            if json_output:
                typer.echo(
                    json.dumps({"name": name, "refused": e.code, "text": e.message}, ensure_ascii=False)
                )
            raise UserError(f"{name} refused: {e.message}", e.exit_code) from e
    if json_output:
        typer.echo(json.dumps({"name": name, "applied": applied}, ensure_ascii=False))
    else:
        typer.echo(f"{name} applied{': ' if applied else ''}{_told(applied)}")


def _arguments(name: str, words: list[str]) -> dict[str, Any]:
    """KEY=VALUE words with their values as the command table wants them. Raises UserError."""
    from greenmast_protocol import commands

    rows = {row[0]: row for command, rows in commands.COMMANDS if command == name for row in rows}
    args: dict[str, Any] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or not key:
            raise UserError(f"{word!r}: write KEY=VALUE", USAGE)
        if key in args:
            raise UserError(f"{key} is given twice", USAGE)
        row = rows.get(key)
        if row is not None and isinstance(row[1], tuple):
            args[key] = value
        elif row is not None and len(row) > 4:
            args[key] = [_number(key, part) for part in value.split(",")]
        else:
            args[key] = _number(key, value) if row is not None else value
    return args


def _number(key: str, text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise UserError(f"{key} must be an integer, not {text!r}", USAGE) from None


def _told(applied: dict[str, Any]) -> str:
    return " ".join(f"{key}={value}" for key, value in applied.items())


def _list(json_output: bool) -> None:
    from greenmast_protocol import commands

    if json_output:
        listed = {name: {row[0]: _range(row) for row in rows} for name, rows in commands.COMMANDS}
        typer.echo(json.dumps({"commands": listed}))
        return
    for name, rows in commands.COMMANDS:
        told = [f"{row[0]}={_range(row)}" if row[3] else f"[{row[0]}={_range(row)}]" for row in rows]
        typer.echo(f"{name:<18}{' '.join(told)}".rstrip())


def _range(row: tuple[Any, ...]) -> str:
    """ "grid|genset", "1..3", "0..2,.. (168 at most)"."""
    if isinstance(row[1], tuple):
        return "|".join(row[1])
    numbers = f"{row[1]}..{row[2]}"
    return f"{numbers},.. ({row[4]} at most)" if len(row) > 4 else numbers
