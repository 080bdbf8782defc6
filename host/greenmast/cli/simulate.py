"""The command that simulates site-years: thin, the room is imported when it runs."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from greenmast.cli.options import Json
from greenmast.errors import USAGE, UserError


def simulate(
    site: Annotated[str, typer.Argument(help="A shipped site's name or a site file.")],
    days: Annotated[int, typer.Option("--days", min=1, max=3660, help="Length.")] = 365,
    policy: Annotated[str | None, typer.Option("--policy", help="Instead of the site file's.")] = None,
    seed: Annotated[
        int, typer.Option("--seed", min=0, help="Of weather, outages, load; the first of --seeds.")
    ] = 1,
    seeds: Annotated[int, typer.Option("--seeds", min=1, max=1000, help="So many, counted up.")] = 1,
    start: Annotated[str, typer.Option("--start", metavar="DATE", help="First day.")] = "2025-01-01",
    compare: Annotated[
        list[str] | None,
        typer.Option("--compare", metavar="BASELINE", help="Others' rules; may be repeated."),
    ] = None,
    bound: Annotated[bool, typer.Option("--bound", help="And the limit of the same year.")] = False,
    plan: Annotated[
        str | None,
        typer.Option("--plan", metavar="NAME", help="Daily plans: persistence, climatology, perfect."),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="A key of the site file or a parameter."),
    ] = None,
    sweep: Annotated[
        list[str] | None,
        typer.Option("--sweep", metavar="KEY=A:B:STEP", help="Map over one or two keys: solar.kwp=3:9:1"),
    ] = None,
    figure: Annotated[
        str, typer.Option("--figure", help="Of the map: cost, diesel_l, grid_kwh, co2_kg.")
    ] = "cost",
    outage: Annotated[
        int,
        typer.Option("--outage", metavar="HOURS", help="One long outage each, at a random hour of the year."),
    ] = 0,
    weather: Annotated[
        str | None, typer.Option("--weather", metavar="FILE", help="Your own, CSV or EPW.")
    ] = None,
    load: Annotated[str | None, typer.Option("--load", metavar="FILE", help="Your own, CSV.")] = None,
    report: Annotated[Path | None, typer.Option("--report", metavar="FILE.html", help="With plots.")] = None,
    keep: Annotated[
        Path | None, typer.Option("--keep", metavar="DIR", help="Finished runs, found again the next time.")
    ] = None,
    jobs: Annotated[
        int | None, typer.Option("--jobs", min=1, help="Processes [number of processors].")
    ] = None,
    dask: Annotated[str | None, typer.Option("--dask", metavar="URL", help="A Dask cluster instead.")] = None,
    json_output: Json = False,
) -> None:
    """The controller as it is shipped, second by second, over site-years.

    \b
    greenmast simulate india-rural --seeds 5 --compare dg-first --compare vrla-legacy --bound --report a.html
    greenmast simulate mast-7.toml --plan climatology --weather patna.epw --load load.csv
    greenmast simulate off-grid --sweep solar.kwp=3:9:1 --sweep battery.capacity_ah=200:600:100
    """
    from greenmast.simulate import command
    from greenmast.simulate.case import Case, value

    try:
        first = date.fromisoformat(start)
    except ValueError:
        raise UserError(f"--start {start!r} is no date: write 2025-01-01", USAGE) from None
    if figure not in ("cost", "diesel_l", "grid_kwh", "co2_kg"):
        raise UserError(f"--figure {figure}: one of cost, diesel_l, grid_kwh, co2_kg", USAGE)
    changes = []
    for each in set_ or []:
        key, equals, word = each.partition("=")
        if not equals:
            raise UserError(f"--set {each!r}: write KEY=VALUE", USAGE)
        changes.append((key, value(word)))
    case = Case(
        site,
        days,
        seed,
        first,
        policy=policy,
        overrides=tuple(changes),
        weather=weather,
        load=load,
        plan=plan,
    )
    raise typer.Exit(
        command.run(
            command.Wanted(
                case=case,
                seeds=tuple(range(seed, seed + seeds)),
                compare=tuple(compare or ()),
                bound=bound,
                sweep=tuple(command.sweep_of(each) for each in sweep or ()),
                figure=figure,
                outage_h=outage,
                report=report,
                jobs=jobs,
                dask=dask,
                keep=keep,
                as_json=json_output,
            )
        )
    )
