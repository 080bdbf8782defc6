"""The comparison for a terminal: a row for each figure, a column for each controller and the limit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from greenmast.simulate import compared
from greenmast.simulate.compared import LIMIT, Compared, Limit, Spread
from greenmast.simulate.result import Result


def text(results: Iterable[Result], limits: Mapping[int, Limit] | None = None, width: int = 100) -> str:
    """Medians over the seeds, "lowest..highest" below them where there are several, and ours by theirs.

    More controllers than fit into `width` go into further blocks, each beside ours.
    """
    found = Compared.of(results, limits)
    seeds = f"{len(found.seeds)} seeds" if len(found.seeds) > 1 else f"seed {found.seeds[0]}"
    lines = [f"{found.shown.case['site']}, {found.days} days, {seeds}"]
    table = [["", *found.columns]]
    for figure, heading, unit, less, factor in found.rows:
        said = compared.unit_of(unit, found.currency)
        spreads = [found.spread(column, figure) for column in found.columns]
        table.append(
            [
                f"{heading} {said}".strip(),
                *("–" if each is None else compared.shown(figure, each.median * factor) for each in spreads),
            ]
        )
        if any(each and each.high > each.low for each in spreads):
            ranges = ["" if each is None else _range(figure, each, factor) for each in spreads]
            table.append(["", *ranges])
        ratios = [found.ratio(figure, column) if less else None for column in found.columns[1:]]
        if any(ratio is not None for ratio in ratios):
            table.append(["  ours by theirs", "", *("" if r is None else f"{r:.2f} ×" for r in ratios)])
    for n, block in enumerate(_blocks(table, width)):
        lines += ([""] if n else []) + columns(block)
    for run in found.ours:
        broken = ", ".join(f"{name} × {count}" for name, count in sorted(run.violations.items()) if count)
        if broken:
            lines.append(f"seed {run.case['seed']}: invariants did not hold: {broken}")
    if found.limits:
        lines.append(f"{LIMIT}: perfect foresight of the whole run, at best")
    return "\n".join(lines)


def _range(figure: str, spread: Spread, factor: float) -> str:
    return f"{compared.shown(figure, spread.low * factor)}..{compared.shown(figure, spread.high * factor)}"


def _blocks(table: list[list[str]], width: int) -> list[list[list[str]]]:
    """The table as tables that are narrow enough: the first two columns in each."""
    widths = [max(len(row[n]) for row in table) + 2 for n in range(len(table[0]))]
    room = width - sum(widths[:2])
    picked: list[list[int]] = [[]]
    for n in range(2, len(widths)):
        if picked[-1] and sum(widths[m] for m in picked[-1]) + widths[n] > room:
            picked.append([])
        picked[-1].append(n)
    return [[[row[0], row[1], *(row[n] for n in each)] for row in table] for each in picked]


def columns(table: Sequence[Sequence[str]]) -> list[str]:
    """Lines with cells under each other, the first to the left and the others to the right."""
    widths = [max(len(row[n]) for row in table) for n in range(len(table[0]))]
    return [
        "  ".join(
            cell.ljust(width) if n == 0 else cell.rjust(width)
            for n, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in table
    ]
