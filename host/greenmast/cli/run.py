"""Commands that run something: thin, each imports its room when it starts."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Annotated

import typer

from greenmast.cli.options import Json, Seed, Speed, duration
from greenmast.errors import USAGE, UserError


@contextlib.contextmanager
def needs(extra: str) -> Iterator[None]:
    """Around the imports of a command: says which extra is missing. Raises UserError."""
    try:
        yield
    except ModuleNotFoundError as e:
        if not e.name or e.name.split(".")[0] in ("greenmast", "greenmast_protocol", "greenmast_fw"):
            raise
        raise UserError(
            f"this command needs: pip install 'greenmast[{extra}]' ({e.name} is missing)", USAGE
        ) from e


def demo(
    site: Annotated[str, typer.Argument(help="A shipped site's name or a site file.")] = "india-rural",
    headless: Annotated[bool, typer.Option("--headless", help="No live screen.")] = False,
    for_s: Annotated[
        float | None, typer.Option("--for", parser=duration, metavar="DURATION", help="End after this long.")
    ] = None,
    speed: Annotated[int, typer.Option("--speed", min=1, max=20, help="Seconds of the site per second.")] = 1,
    seed: Seed = 1,
    json_output: Json = False,
) -> None:
    """Firmware, emulated site, broker, hub and screens here.

    \b
    greenmast demo
    greenmast demo --headless --for 60s --json
    """
    with needs("hub,emulator"):
        from greenmast import demo as room
    raise typer.Exit(
        room.run(site, headless=headless, for_s=for_s, speed=speed, json_output=json_output, seed=seed)
    )


def emulate(
    site: Annotated[str, typer.Argument(help="A shipped site's name or a site file.")],
    tcp: Annotated[
        str | None,
        typer.Option("--tcp", metavar="HOST:PORT", help="Modbus TCP; further buses take the next ports."),
    ] = None,
    pty: Annotated[bool, typer.Option("--pty", help="Modbus RTU on pseudo-terminals.")] = False,
    speed: Speed = 1.0,
    seed: Seed = 1,
    json_output: Json = False,
) -> None:
    """A site's Modbus devices for any Modbus master.

    Prints their ports as one JSON document and runs until Ctrl-C.

    \b
    greenmast emulate india-rural --tcp 127.0.0.1:5020
    greenmast emulate india-rural --pty
    """
    del json_output  # its output is JSON in any case
    with needs("emulator"):
        from greenmast.emulator import emulate as room
    room.run(site, tcp=tcp, pty=pty, speed=speed, seed=seed)


def bench(
    names: Annotated[
        list[str] | None, typer.Argument(metavar="[NAME]..", help="Some of the ratios only.")
    ] = None,
    json_output: Json = False,
) -> None:
    """The project's ratios, measured side by side.

    \b
    greenmast bench
    """
    with needs("all"):
        from greenmast import bench as room
    raise typer.Exit(room.run(names or [], json_output=json_output))


def hub_run(
    broker: Annotated[
        str | None, typer.Option("--broker", metavar="URL", help="MQTT broker; none: one of its own.")
    ] = None,
    db: Annotated[
        str | None, typer.Option("--db", metavar="URL", help="Database; none: a SQLite file.")
    ] = None,
    web: Annotated[
        str, typer.Option("--web", metavar="HOST:PORT", help="Where the page and the API listen.")
    ] = "127.0.0.1:8080",
    json_output: Json = False,
) -> None:
    """Take in what boards publish, store it, show it.

    \b
    greenmast hub run
    greenmast hub run --broker mqtt://broker:1883 --web 0.0.0.0:8080
    """
    with needs("hub"):
        from greenmast import hub as room
    raise typer.Exit(room.run(broker, db, web, json_output=json_output))


def hub_query(
    site: Annotated[str | None, typer.Argument(help="A site; none: all of them in a line each.")] = None,
    point: Annotated[str | None, typer.Argument(help="A point; none: the newest values of all.")] = None,
    db: Annotated[
        str | None, typer.Option("--db", metavar="URL", help="Database; none: a SQLite file.")
    ] = None,
    since_s: Annotated[
        float, typer.Option("--since", parser=duration, metavar="DURATION", help="How far back.")
    ] = "1h",  # type: ignore[assignment]
    step_s: Annotated[
        float, typer.Option("--step", parser=duration, metavar="DURATION", help="Low, mean and high of each.")
    ] = "1m",  # type: ignore[assignment]
    gaps: Annotated[bool, typer.Option("--gaps", help="What is missing: records that never came.")] = False,
    json_output: Json = False,
) -> None:
    """What the hub's store knows: sites, newest values, history, gaps.

    \b
    greenmast hub query
    greenmast hub query india-rural
    greenmast hub query india-rural battery.soc_permille --since 24h --step 15m --json
    greenmast hub query india-rural --gaps
    """
    with needs("hub"):
        from greenmast.hub import query as room
    raise typer.Exit(room.run(site, point, db, since_s, step_s, json_output, gaps))
