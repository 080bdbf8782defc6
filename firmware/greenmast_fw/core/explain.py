"""Why everything is as it is: rows for people, built only when somebody asks.

A row is (subject, state, reason code, values, blocked, next). `values` are the integers that decided and
their limits, as the reason's text takes them. `blocked` lists what stands in the way of a change, and what
does not and is worth saying (`greenmast_protocol.show` tells them apart), each (reason code, value..). `next`
is (what happens next, seconds until then), or () when nothing is under way. `greenmast_protocol.show` makes a
sentence of a row.
"""

from greenmast_fw.core.site import BATTERY, COOLING, LOAD1, LOAD3
from greenmast_protocol import points, quality, reasons

TYPE_CHECKING = False
if TYPE_CHECKING:
    from greenmast_fw.core.controller import Controller

    Reason = tuple[int, ...]
    Row = tuple[str, str, int, tuple[int, ...], tuple[Reason, ...], tuple[str, int] | tuple[()]]

PARTS = 3
# By quality code, from RATE on.
_DISTRUST = tuple(
    [reasons.code(name) for name in ("reading_jumps", "reading_frozen", "reading_contradicted")]
)


def rows(c: "Controller") -> "list[Row]":
    """Rows for AC source, grid, genset, charge, every output of the site, and what energy is kept.

    And one for every reading that is not believed.
    """
    return [row for n in range(PARTS) for row in part(c, n)]


def part(c: "Controller", n: int) -> "list[Row]":
    """Part `n` of `rows`: each loads what it needs, so that not all has to be in the heap at once."""
    if n == 0:
        from greenmast_fw.core import explain_sources

        return explain_sources.rows(c)
    if n == 1:
        return _dc(c)
    from greenmast_fw.core import explain_policy

    out: "list[Row]" = []
    codes = c.decision.codes
    for i in range(len(codes)):
        if codes[i]:
            out.append((points.name(i), "distrusted", _DISTRUST[codes[i] - quality.RATE], (), (), ()))
    return out + explain_policy.rows(c)


def _dc(c: "Controller") -> "list[Row]":
    from greenmast_fw.core import explain_loads, explain_outputs

    out = [explain_loads.charge_known(c)]
    if c.has_rectifier:
        out.append(explain_loads.charging(c))
    for i in range(len(points.OUTPUTS)):
        if not c.site.exists[i]:
            continue
        if i == BATTERY or LOAD1 <= i <= LOAD3:
            out.append(explain_loads.load(c, i))
        elif i == COOLING and c.cooling is not None:
            out.append(explain_loads.cooled(c, c.cooling))
        else:
            out.append(explain_outputs.row(c, i))
    return out
