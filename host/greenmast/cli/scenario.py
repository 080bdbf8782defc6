"""Commands about scenarios: thin, the room is imported when one runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from greenmast.cli.options import Json
from greenmast.errors import USAGE, UserError

LEVELS = ("core", "sim", "hil", "board")


def run(
    files: Annotated[list[str], typer.Argument(metavar="FILE..", help="Scenario files.")],
    level: Annotated[
        str | None,
        typer.Option("--level", metavar="LEVEL", help="core, sim, hil or board; none: all that run here."),
    ] = None,
    jobs: Annotated[
        int | None, typer.Option("--jobs", min=1, help="Files at the same time [number of processors].")
    ] = None,
    port: Annotated[
        str | None, typer.Option("--port", metavar="DEVICE", help="Level board: serial port of its console.")
    ] = None,
    bus: Annotated[
        list[str] | None,
        typer.Option("--bus", metavar="DEVICE", help="Level board: serial port on a bus, one for each bus."),
    ] = None,
    speed: Annotated[
        int | None, typer.Option("--speed", min=1, max=10, help="Level hil: times real time [by length].")
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", help="Seed of everything random [that of the file].")
    ] = None,
    traces: Annotated[
        Path | None, typer.Option("--traces", metavar="DIR", help="Keep what was seen of each failure there.")
    ] = None,
    json_output: Json = False,
) -> None:
    """Play scenario files and say of each whether it holds.

    \b
    greenmast scenario run hil_tests/scenarios/*.toml --level core
    greenmast scenario run outage.toml --json --traces traces
    greenmast scenario run outage.toml --level board --port /dev/ttyUSB0 --bus /dev/ttyUSB1
    """
    if level is not None and level not in LEVELS:
        raise UserError(f"no such level: {level}; one of {', '.join(LEVELS)}", USAGE)
    from greenmast.scenario import run as room

    how = room.How(speed=speed, seed=seed, port=port, buses=tuple(bus or ()), traces=traces)
    raise typer.Exit(room.run(files, level, jobs, json_output=json_output, how=how))
