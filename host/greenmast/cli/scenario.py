"""Commands about scenarios: thin, the room is imported when one runs."""

from __future__ import annotations

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
    json_output: Json = False,
) -> None:
    """Play scenario files and say of each whether it holds.

    \b
    greenmast scenario run hil_tests/scenarios/*.toml --level core
    greenmast scenario run outage.toml --json
    """
    if level is not None and level not in LEVELS:
        raise UserError(f"no such level: {level}; one of {', '.join(LEVELS)}", USAGE)
    from greenmast.scenario import run as room

    raise typer.Exit(room.run(files, level, jobs, json_output=json_output))
