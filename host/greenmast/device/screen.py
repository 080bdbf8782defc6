"""Tables on a terminal: the products, what was found, what a device says. Computes nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console, RenderableType
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from greenmast.device import catalogue
from greenmast.device.reading import BITS, Reading, Register
from greenmast.device.search import Call, Found, seconds
from greenmast_protocol import show

if TYPE_CHECKING:
    from greenmast_fw.devices.profile import Profile

_WORDS_A_LINE = 8
_WORDS_A_POINT = 4
_FILE_WIDTH = 160  # of what is no terminal
_WORTH_A_NOTE_S = 5.0


def _print(picture: RenderableType) -> None:
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = _FILE_WIDTH
    console.print(picture)


def _table(*columns: str) -> Table:
    return Table(*columns, box=None, padding=(0, 2, 0, 0), header_style="bold", show_edge=False)


def products(known: Iterable[Profile]) -> None:
    """One line for each product, by role."""
    table = _table("profile", "role", "leaves the factory with", "points", "product")
    for one in sorted(known, key=lambda one: (one.ROLE, one.NAME)):
        count = f"{len(catalogue.points(one))}" + (
            f", {len(one.SINGLE_SOURCE)}*" if one.SINGLE_SOURCE else ""
        )
        table.add_row(Text(one.NAME, style="bold"), one.ROLE, catalogue.link_text(one), count, one.TEXT)
    _print(table)
    _print(
        Text("* that many rest on one source only; `greenmast device list PROFILE` tells all", style="dim")
    )


def product(one: Profile) -> None:
    """All about one product."""
    table = Table.grid(padding=(0, 2))
    table.add_row(Text("role", style="dim"), one.ROLE)
    table.add_row(Text("leaves the factory with", style="dim"), catalogue.link_text(one))
    names = catalogue.points(one)
    single = [f"{name}*" if name in one.SINGLE_SOURCE else name for name in names]
    table.add_row(Text("points", style="dim"), "\n".join(single))
    if one.WRITES:
        table.add_row(Text("settings", style="dim"), "\n".join(row[0] for row in one.WRITES))
    if one.SWITCHES:
        table.add_row(Text("switches", style="dim"), "\n".join(row[0] for row in one.SWITCHES))
    table.add_row(Text("sources", style="dim"), "\n".join(one.SOURCES))
    _print(Text.assemble((one.NAME, "bold"), f": {one.TEXT}"))
    _print(table)
    if one.SINGLE_SOURCE:
        _print(Text("* rests on one source only", style="dim"))


def found(one: Found) -> None:
    """One thing that answered."""
    where = f"address {one.unit}" + (f" at {one.baud} baud" if one.baud else "")
    if one.damage:
        _print(Text.assemble((f"{where}: ", "bold"), (f"something that cannot be read: {one.damage}", "red")))
    elif not one.products:
        _print(Text.assemble((f"{where}: ", "bold"), ("a device that no profile recognises", "yellow")))
    else:
        names = " or ".join(f"{product.NAME} ({product.TEXT})" for product in one.products)
        _print(Text.assemble((f"{where}: ", "bold"), names))
    for name, text in one.identity.items():
        _print(Text.assemble((f"  {name:<13}", "dim"), text))


def reading(now: Reading) -> None:
    """Identity, points, registers."""
    _print(Text.assemble((now.product.NAME, "bold"), f" at address {now.unit}: {now.product.TEXT}"))
    for name, text in now.identity.items():
        _print(Text.assemble((f"  {name:<13}", "dim"), text))
    table = _table("point", "value", "", "register", "raw")
    table.columns[1].justify = "right"
    places = {register.name: register for register in now.registers if register.name}
    for name, value in now.values.items():
        at = places.get(name)
        table.add_row(
            name,
            Text(show.value(name, value), style="bold" if value is not None else "red"),
            Text(now.notes.get(name, ""), style="red"),
            Text("" if at is None else _place(at.function, at.address), style="dim"),
            Text("" if at is None else _beginning(at), style="dim"),
        )
    _print(Text())
    if now.values:
        _print(table)
        _print(Text())
    _print(Text("registers as read (function, address, words)", style="bold"))
    for function, address, words in _runs(now):
        for start in range(0, len(words), _WORDS_A_LINE):
            line = _words(words[start : start + _WORDS_A_LINE], function)
            _print(Text(f"  {_place(function, address + start)}  {line}"))
    for (function, address), why in now.lost.items():
        _print(Text(f"  {_place(function, address)}  {why}", style="red"))


def note(text: str) -> None:
    """A line beside the result, on stderr."""
    Console(stderr=True, highlight=False).print(Text(text, style="dim"), soft_wrap=True)


@contextmanager
def progress(calls: Sequence[Call]) -> Iterator[Callable[[Call], None]]:
    """What a search tells: how long it may take, and on a terminal a bar; both on stderr."""
    units = {call.unit for call in calls}
    left_s = seconds(calls)
    if left_s < _WORTH_A_NOTE_S:
        yield lambda call: None
        return
    addresses = "1 address" if len(units) == 1 else f"{len(units)} addresses"
    note(f"asking {addresses}: {show.duration(round(left_s))} if all are silent; Ctrl-C ends it")
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("", total=len(calls))

        def tell(call: Call) -> None:
            rate = f" at {call.baud} baud" if call.baud else ""
            bar.update(task, advance=1, description=f"address {call.unit}{rate}")

        yield tell


def _place(function: int, address: int) -> str:
    return f"{function}:0x{address:04X}"


def _beginning(register: Register) -> str:
    words = _words(register.raw[:_WORDS_A_POINT], register.function)
    return words + (" .." if len(register.raw) > _WORDS_A_POINT else "")


def _words(words: Iterable[int], function: int) -> str:
    return " ".join(str(word) if function in BITS else f"{word:04X}" for word in words)


def _runs(now: Reading) -> Iterator[tuple[int, int, list[int]]]:
    """The words of neighbouring registers together: function, first address, words."""
    words = {
        (register.function, register.address + i): word
        for register in now.registers
        for i, word in enumerate(register.raw)
    }
    run: tuple[int, int, list[int]] | None = None
    for function, address in sorted(words):
        if run is None or (function, address) != (run[0], run[1] + len(run[2])):
            if run is not None:
                yield run
            run = (function, address, [])
        run[2].append(words[function, address])
    if run is not None:
        yield run
