"""The command that plans: a forecast in, a table with reasons out, and to the board if that is wanted."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from greenmast.cli.options import Json, KeyFile, Mqtt, Port, connect
from greenmast.errors import USAGE, UserError

if TYPE_CHECKING:
    from greenmast.link.base import Link
    from greenmast.plant import PlantConfig
    from greenmast.simulate.forecast import Forecast
    from greenmast.simulate.planner import Plan, State
    from greenmast.site import Site

_CHARGE = ("to the reserve", "fully", "battery carries")
_GENSET = ("by its rules", "runs", "bus voltage only")
_LONGEST_ID = (1 << 31) - 1


def plan(
    site: Annotated[str, typer.Argument(help="A shipped site's name or a site file.")],
    forecast: Annotated[
        str,
        typer.Option(
            "--forecast", metavar="NAME|FILE", help="climatology, persistence or a CSV of your own."
        ),
    ] = "climatology",
    history: Annotated[
        str | None, typer.Option("--history", metavar="FILE", help="CSV of what has been until now.")
    ] = None,
    soc: Annotated[
        str | None, typer.Option("--soc", metavar="PERCENT", help="State of charge; else the board is asked.")
    ] = None,
    at: Annotated[
        str | None, typer.Option("--at", metavar="TIME", help="Local time instead of now: 2025-06-21T18:00.")
    ] = None,
    send: Annotated[bool, typer.Option("--send", help="Send it to the board as plan.set.")] = False,
    port: Port = None,
    mqtt: Mqtt = None,
    site_id: Annotated[
        str | None, typer.Option("--site", metavar="ID", help="Site behind the broker, if not the file's id.")
    ] = None,
    key: KeyFile = None,
    json_output: Json = False,
) -> None:
    """What to buy, keep and burn in the next day and a half, hour by hour, and why.

    With --send the controller follows it until it expires; its own rules and protection stay above it.

    \b
    greenmast plan india-rural --soc 62%
    greenmast plan mast-7.toml --forecast tomorrow.csv --send --mqtt mqtt://broker --key ops.key
    """
    from greenmast import site as sites
    from greenmast.plant import PlantConfig
    from greenmast.simulate import planner
    from greenmast.simulate.tariff import Tariff
    from greenmast_protocol import params

    if send and at is not None:
        raise UserError("--send and --at exclude each other: a plan that is sent begins now", USAGE)
    known = sites.load(site)
    now = _now(known, at)
    link = connect(port, mqtt, site_id or known.id, key) if send or soc is None else None
    try:
        if link is not None:
            link.hello()
        state = _state(link, soc)
        plant = PlantConfig.from_site(known.plant)
        foreseen = _forecast(forecast, history, plant, now)
        every = params.complete(dict(known.params))
        made = planner.plan(foreseen, state, plant, every, Tariff.of(known), now)
        if link is not None and send:
            made = _fitting(link, made)
            _send(link, made)
    finally:
        if link is not None:
            link.close()
    _print(made, Tariff.of(known).currency, sent=send, json_output=json_output)


def _now(site: Site, at: str | None) -> datetime:
    """The present, or `at`, in the site's time as it is at that moment, with a fixed offset."""
    from datetime import timezone

    if at is None:
        moment = datetime.now(site.timezone)
    else:
        try:
            moment = datetime.fromisoformat(at)
        except ValueError:
            raise UserError(f"--at {at!r} is no time: write 2025-06-21T18:00", USAGE) from None
        moment = (
            moment.replace(tzinfo=site.timezone)
            if moment.tzinfo is None
            else moment.astimezone(site.timezone)
        )
    offset = moment.utcoffset()
    return moment.replace(tzinfo=timezone(offset if offset is not None else timedelta(0)))


def _state(link: Link | None, soc: str | None) -> State:
    """Charge, grid and genset as the board says; the charge as `soc` says where it is given."""
    from greenmast.link import reading
    from greenmast.simulate.planner import State
    from greenmast_protocol import points

    given = _permille(soc) if soc is not None else None
    if link is None:
        assert given is not None
        return State(given)
    values = reading.get(link).values
    charge = given if given is not None else values.get("battery.soc_permille")
    if charge is None:
        raise UserError("the board does not know its state of charge: give --soc PERCENT")
    ac = values.get("source.ac")
    if ac is None:
        return State(charge)
    return State(charge, ac == points.AC_SOURCES.index("grid"), ac == points.AC_SOURCES.index("genset"))


def _permille(soc: str) -> float:
    try:
        percent = float(soc.strip().removesuffix("%"))
    except ValueError:
        percent = -1.0
    if not 0.0 <= percent <= 100.0:
        raise UserError(f"--soc {soc!r}: write 0% .. 100%", USAGE)
    return 10.0 * percent


def _forecast(name: str, history: str | None, plant: PlantConfig, now: datetime) -> Forecast:
    from greenmast.simulate import forecast, forecast_file
    from greenmast.simulate.dispatch import HORIZON_H

    start = now.replace(minute=0, second=0, microsecond=0)
    if start < now:
        start += timedelta(hours=1)
    past = forecast_file.history(history, start) if history is not None else None
    if name == "persistence":
        if past is None:
            raise UserError("persistence needs to know yesterday: give --history FILE", USAGE)
        return forecast.persistence(past, plant, HORIZON_H)
    usual = forecast.climatology(past, plant, start, HORIZON_H)
    return usual if name == "climatology" else forecast_file.forecast(name, usual)


def _fitting(link: Link, made: Plan) -> Plan:
    """As many hours as one request to this board holds."""
    from greenmast_protocol import frame, message

    if link.request_bytes is None:
        return made
    for hours in range(len(made.rows), 0, -1):
        shorter = made.first(hours)
        request = message.request(_LONGEST_ID, "command", {"name": "plan.set", "args": shorter.args})
        if len(frame.encode(request)) <= link.request_bytes:
            if hours < len(made.rows):
                typer.echo(f"greenmast: over a serial line it is the first {hours} hours", err=True)
            return shorter
    raise UserError("not an hour of the plan fits into a request")


def _send(link: Link, made: Plan) -> None:
    from greenmast.link.base import RefusedError

    try:
        link.call("command", {"name": "plan.set", "args": made.args})
    except RefusedError as e:
        raise UserError(f"plan.set refused: {e.message}", e.exit_code) from e


def _print(made: Plan, currency: str, *, sent: bool, json_output: bool) -> None:
    if json_output:
        rows = [_document(row) for row in made.rows]
        typer.echo(json.dumps({"args": made.args, "sent": sent, "hours": rows}, ensure_ascii=False))
        return
    price = f"{currency}/kWh" if currency else "per kWh"
    typer.echo(f"{'hour':<12}{price:>8}{'sun W':>7}{'load W':>8}{'grid':>6}{'charge':>8}  reserve  why")
    for row in made.rows:
        words = row.words
        typer.echo(
            f"{row.time:%d %b %H:%M}{row.price:>8.2f}{row.solar_wh:>7.0f}{row.load_wh:>8.0f}{row.grid:>6.0%}"
            f"{words.soc:>8.0%}  {words.reserve / 1_000:>7.0%}  {row.why}"
        )
    end_s = made.args["expires_s"]
    typer.echo(f"{'Sent' if sent else 'Not sent (--send)'}; over {end_s // 3600} h after its receipt.")


def _document(row: Any) -> dict[str, Any]:
    words = row.words
    return {
        "time": row.time.isoformat(),
        "price": row.price,
        "solar_wh": round(row.solar_wh),
        "load_wh": round(row.load_wh),
        "grid": round(row.grid, 3),
        "soc_permille": round(1_000 * words.soc),
        "reserve": words.reserve,
        "charge": _CHARGE[words.charge],
        "genset": _GENSET[words.genset],
        "genset_share": round(words.genset_share, 3),
        "why": row.why,
    }
