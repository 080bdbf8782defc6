"""Commands about a board's configuration: thin, the room is imported when one runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from greenmast.cli.options import Json, KeyFile, Mqtt, Port, Site, connect, duration

if TYPE_CHECKING:
    from greenmast.link.base import Link

File = Annotated[
    str,
    typer.Argument(metavar="FILE", help="Site file (TOML), or what `config show --json` printed (.json)."),
]


def show(port: Port = None, mqtt: Mqtt = None, site: Site = None, json_output: Json = False) -> None:
    """The configuration in force.

    \b
    greenmast config show --port /dev/ttyUSB0
    greenmast config show --port /dev/ttyUSB0 --json > board.json
    """
    from greenmast.config import run as room

    raise typer.Exit(room.show(lambda: connect(port, mqtt, site), json_output=json_output))


def check(file: File, json_output: Json = False) -> None:
    """Every reason against a file, with line and remedy. Needs no board.

    \b
    greenmast config check mast-7.toml
    """
    from greenmast.config import run as room

    raise typer.Exit(room.check(file, json_output=json_output))


def diff(
    file: File, port: Port = None, mqtt: Mqtt = None, site: Site = None, json_output: Json = False
) -> None:
    """What `apply` would change, parameter by parameter. Changes nothing.

    \b
    greenmast config diff mast-7.toml --port /dev/ttyUSB0
    """
    from greenmast.config import run as room

    raise typer.Exit(room.diff(lambda: connect(port, mqtt, site), file, json_output=json_output))


def apply(
    file: File,
    within_s: Annotated[
        float | None,
        typer.Option(
            "--confirm-within",
            parser=duration,
            metavar="DURATION",
            help="Leave the confirmation to somebody: unless it comes in time, the board goes back.",
        ),
    ] = None,
    other_site: Annotated[
        bool, typer.Option("--other-site", help="The board becomes that of another site.")
    ] = False,
    port: Port = None,
    mqtt: Mqtt = None,
    site: Site = None,
    key: KeyFile = None,
    json_output: Json = False,
) -> None:
    """Make a file the board's configuration, whole or not at all.

    The board restarts with it on trial. When it is seen to run it is confirmed; else the board goes back.

    \b
    greenmast config apply mast-7.toml --port /dev/ttyUSB0
    greenmast config apply mast-7.toml --confirm-within 10m --port /dev/ttyUSB0
    greenmast config apply mast-7.toml --mqtt mqtt://broker --site mast-7 --key ops.key
    """
    from greenmast.config import run as room

    def open_link() -> Link:
        return connect(port, mqtt, site, key)

    code = room.apply(open_link, file, within_s=within_s, other_site=other_site, json_output=json_output)
    raise typer.Exit(code)


def confirm(
    port: Port = None, mqtt: Mqtt = None, site: Site = None, key: KeyFile = None, json_output: Json = False
) -> None:
    """Keep the configuration that is on trial.

    \b
    greenmast config confirm --port /dev/ttyUSB0
    """
    from greenmast.config import run as room

    raise typer.Exit(room.confirm(lambda: connect(port, mqtt, site, key), json_output=json_output))


def rollback(
    port: Port = None, mqtt: Mqtt = None, site: Site = None, key: KeyFile = None, json_output: Json = False
) -> None:
    """Back to the revision before; the board restarts with it.

    \b
    greenmast config rollback --port /dev/ttyUSB0
    """
    from greenmast.config import run as room

    raise typer.Exit(room.rollback(lambda: connect(port, mqtt, site, key), json_output=json_output))


def schema() -> None:
    """The JSON Schema of a site file, for editors.

    \b
    greenmast config schema > site.schema.json
    """
    from greenmast.config import run as room

    raise typer.Exit(room.print_schema())
