"""The command `commission`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from greenmast.cli.options import Json, Port
from greenmast.errors import USAGE, UserError


def commission(
    port: Port = None,
    report: Annotated[
        Path | None,
        typer.Option("--report", metavar="FILE.html", help="The sheet to sign; its record goes beside it."),
    ] = None,
    technician: Annotated[str, typer.Option("--technician", metavar="NAME", help="Who is doing it.")] = "",
    yes: Annotated[bool, typer.Option("--yes", help="Consent to every switching beforehand.")] = False,
    critical: Annotated[
        bool, typer.Option("--critical", help="Switch the critical load off and on, too.")
    ] = False,
    scan: Annotated[
        bool, typer.Option("--scan", help="Look for devices at every address of every bus (minutes).")
    ] = False,
    no_wait: Annotated[
        bool, typer.Option("--no-wait", help="Do not wait until the genset has stopped by itself.")
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with the visit whose record lies beside the report.")
    ] = False,
    json_output: Json = False,
) -> None:
    """Prove a site before it goes into service, and write the report to be signed.

    Recognises every device through the board, checks readings and signs, opens and closes each contactor and
    runs the genset, each after consent and only as the board's own interlocks allow.

    \b
    greenmast commission --port /dev/ttyUSB0 --technician "A. Kumar"
    greenmast commission --port /dev/ttyUSB0 --resume
    """
    from greenmast.commission import run as room
    from greenmast.link.serial import SerialLink

    port = port or os.environ.get("GREENMAST_PORT")
    if not port:
        raise UserError("which board? give --port DEVICE: commissioning is done on the spot", USAGE)
    with SerialLink(port) as link:
        code = room.run(
            link,
            ask=room.asking(yes),
            technician=technician,
            report_file=report,
            resume=resume,
            everywhere=scan,
            critical=critical,
            wait_for_stop=not no_wait,
            json_output=json_output,
        )
    raise typer.Exit(code)
