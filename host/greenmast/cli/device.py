"""Commands about one Modbus device on a laptop: thin, the room is imported when one runs."""

from __future__ import annotations

from typing import Annotated

import typer

from greenmast.cli.options import Json
from greenmast.errors import USAGE, UserError

Url = Annotated[
    str,
    typer.Option(
        "--url", metavar="URL", help="serial:///dev/ttyUSB0?baud=9600&parity=N, or tcp://host:port."
    ),
]


def list_(
    profile: Annotated[
        str | None, typer.Argument(metavar="[PROFILE]", help="All about this one.", show_default=False)
    ] = None,
    json_output: Json = False,
) -> None:
    """The products that Greenmast knows.

    \b
    greenmast device list
    greenmast device list dse-7320
    """
    from greenmast.device import run as room

    raise typer.Exit(room.list_products(profile, json_output=json_output))


def probe(
    url: Url,
    address: Annotated[
        int | None,
        typer.Option("--address", min=0, max=255, help="Only this one [factory addresses, then all]."),
    ] = None,
    baud: Annotated[
        str | None, typer.Option("--baud", metavar="all", help="all: try the common rates one by one.")
    ] = None,
    all_addresses: Annotated[
        bool, typer.Option("--all", help="Ask every address even when a factory address answers.")
    ] = False,
    json_output: Json = False,
) -> None:
    """What answers on a line, and which product it looks like. Writes nothing.

    \b
    greenmast device probe --url 'serial:///dev/ttyUSB0?baud=9600'
    greenmast device probe --url serial:///dev/ttyUSB0 --baud all
    greenmast device probe --url tcp://192.168.1.20:502 --address 1 --json
    """
    if baud is not None and baud != "all":
        raise UserError(f"--baud takes only all; write the rate into --url: ?baud={baud}", USAGE)
    from greenmast.device import run as room

    raise typer.Exit(
        room.probe(
            url, address, all_bauds=baud is not None, all_addresses=all_addresses, json_output=json_output
        )
    )


def read(
    profile: Annotated[str, typer.Argument(metavar="PROFILE", help="A name of `greenmast device list`.")],
    url: Url,
    address: Annotated[
        int | None, typer.Option("--address", min=0, max=255, help="[that of the factory]")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Read even what does not look like this product.")
    ] = False,
    json_output: Json = False,
) -> None:
    """What one device says: points, registers, identity. Writes nothing.

    \b
    greenmast device read eastron-sdm230 --url serial:///dev/ttyUSB0
    greenmast device read dse-7320 --url 'serial:///dev/ttyUSB0?baud=19200' --address 5 --json
    """
    from greenmast.device import run as room

    raise typer.Exit(room.read(url, profile, address, force=force, json_output=json_output))
