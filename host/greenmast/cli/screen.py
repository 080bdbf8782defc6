"""The terminal's pictures of a site: energy flow, reasons, values with quality and age. Computes nothing.

A value that is not good is never shown as a number; when the board falls silent nothing stays good.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from rich.columns import Columns
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from greenmast.link.reading import NEVER_MS, Reading
from greenmast_protocol import points, reason_text
from greenmast_protocol import show as values

# What the overview tells about, with the reason point that explains it.
_OUTPUTS = (
    ("AC source", "source.ac", "reason.ac"),
    ("genset", "genset.state", "reason.genset"),
    ("battery", "feedback.battery", "reason.battery"),
    ("load tier 1", "feedback.load1", "reason.load1"),
    ("load tier 2", "feedback.load2", "reason.load2"),
    ("load tier 3", "feedback.load3", "reason.load3"),
)
_FIGURES = (
    "dc.bus_mv",
    "battery.soc_permille",
    "battery.current_ma",
    "battery.temperature_dc",
    "battery.to_lvd_s",
    "grid.voltage_mv",
    "grid.frequency_chz",
    "genset.fuel_permille",
    "rectifier.output_ma",
    "site.temperature_dc",
)
_STYLE = {"good": "", "stale": "yellow", "invalid": "red"}
_TO_BUS, _FROM_BUS = "─▶", "◀─"


def show(picture: RenderableType) -> None:
    """Print a picture on stdout."""
    Console(highlight=False).print(picture)


def overview(hello: dict[str, Any], now: Reading, why: list[str]) -> RenderableType:
    """One screen: who, energy flow, the lines `why`, key figures."""
    lines = Group(*(Text(line) for line in why))
    return Group(_title(hello, now), Text(), flow(now), Text(), lines, Text(), _figures(now))


def everything(hello: dict[str, Any], now: Reading) -> RenderableType:
    """Energy flow, reasons, all points by subsystem; those that nobody has ever supplied are only counted."""
    known = [name for name in now.names if not _never(now, name)]
    subsystems = dict.fromkeys(name.split(".")[0] for name in known if not name.startswith("reason."))
    tables = [_subsystem(s, [n for n in known if n.split(".")[0] == s], now) for s in subsystems]
    absent = Text(f"{len(now.values) - len(known)} points without a supplier", style="dim")
    parts: list[RenderableType] = [_title(hello, now), Text(), flow(now), Text()]
    if "source.ac" in now.values:
        parts += [_why(now), Text()]
    return Group(*parts, Columns(tables, padding=(0, 3)), absent)


def live(hello: dict[str, Any], readings: Iterator[Reading | None], end: float | None) -> None:
    """Show readings as they come, until `end` (monotonic, s) or for ever."""
    last = Reading({})
    heard = time.monotonic()
    with Live(console=Console(highlight=False), auto_refresh=False, screen=end is None) as screen:
        for now in readings:
            if now is None:
                silent_s = round(time.monotonic() - heard)
                banner = Text(f"no answer for {silent_s} s: nothing below is current", style="bold red")
                old = Reading(dict.fromkeys(last.values), dict.fromkeys(last.values, "stale"), last.age_ms)
                screen.update(Group(banner, everything(hello, old)), refresh=True)
            else:
                last, heard = now, time.monotonic()
                screen.update(everything(hello, now), refresh=True)
            if end is not None and time.monotonic() >= end:
                return


def flow(now: Reading) -> Text:
    """Where energy comes from and goes to, on one line."""
    line = Text()
    for title, name in (("solar", "solar.power_w"), ("grid", "grid.power_w"), ("genset", "genset.power_w")):
        if name in now.values:
            _source(line, title, name, now)
    _value(line, "═ bus ", "dc.bus_mv", now)
    line.append(" ═  ")
    if "load.power_w" in now.values:
        _value(line, f"{_TO_BUS} load ", "load.power_w", now)
        line.append("   ")
    if "battery.current_ma" in now.values:
        current_ma = now.values["battery.current_ma"]
        arrow = "──" if not current_ma else _TO_BUS if current_ma > 0 else _FROM_BUS
        _value(line, f"{arrow} battery ", "battery.soc_permille", now)
        _value(line, " ", "battery.current_ma", now)
    return line


def _source(line: Text, title: str, name: str, now: Reading) -> None:
    power_w = now.values[name]
    _value(line, f"{title} ", name, now)
    line.append(f" {_TO_BUS if power_w else '  '}  ")


def _value(line: Text, label: str, name: str, now: Reading) -> None:
    line.append(label, style="dim")
    line.append(now.text(name), style=_STYLE[now.quality_of(name)] or "bold")


def _title(hello: dict[str, Any], now: Reading) -> Text:
    line = Text(str(hello.get("site", "?")), style="bold")
    line.append(
        f"   {hello.get('product', '?')} {hello.get('firmware', '?')} on {hello.get('board', '?')}, "
        f"boot {hello.get('boot', '?')}",
        style="dim",
    )
    if "controller.mode" in now.values:
        line.append(f"   mode {now.text('controller.mode')}")
    if "controller.alarms_active" in now.values:
        count = now.values["controller.alarms_active"]
        line.append(f"   alarms {now.text('controller.alarms_active')}", style="bold red" if count else "")
    return line


def _why(now: Reading) -> Table:
    table = Table.grid(padding=(0, 2))
    for title, name, reason in _OUTPUTS:
        if name in now.values:
            code = now.values.get(reason)
            why = "?" if code is None else reason_text.brief(code)
            table.add_row(
                Text(title, style="dim"),
                Text(now.text(name), style=_STYLE[now.quality_of(name)] or "bold"),
                Text(why),
            )
    return table


def _figures(now: Reading) -> Table:
    table = Table.grid(padding=(0, 2))
    for name in _FIGURES:
        if name in now.values and not _never(now, name):
            table.add_row(Text(name, style="dim"), *_cells(name, now))
    return table


def _subsystem(title: str, names: list[str], now: Reading) -> Table:
    table = Table(
        title=title, title_justify="left", title_style="bold", show_header=False, box=None, padding=(0, 1)
    )
    table.add_column()
    table.add_column(justify="right")
    table.add_column()
    for name in names:
        table.add_row(Text(name.split(".", 1)[1], style="dim"), *_cells(name, now))
    return table


def _cells(name: str, now: Reading) -> tuple[Text, Text]:
    style = _STYLE[now.quality_of(name)]
    return Text(values.value(name, now.values[name]), style=style), Text(now.note(name), style=style or "dim")


def _never(now: Reading, name: str) -> bool:
    return now.values[name] is None and now.age_ms.get(name, NEVER_MS) >= NEVER_MS and points.find(name) >= 0
