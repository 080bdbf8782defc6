"""What holds outputs back after the parts have decided, and what protection's word means to them.

Rules
- After resets in a row, for a while: what stands open stays open, tiers that were off too; no starter turns.
- An output whose position has never been read stays as the hardware left it.
- What protection opens, the parts take for open: none of them goes on as if it were closed.

Decides nothing by values; how long to wait after resets is said by `resets`.
"""

from greenmast_fw.core import decision, report
from greenmast_fw.core.engine import RUNS
from greenmast_fw.core.loads import STAGGER
from greenmast_fw.core.site import BATTERY, COOLING, GENSET, GRID, LOAD2, LOAD3, PV, START

TYPE_CHECKING = False
if TYPE_CHECKING:
    from greenmast_fw.core.controller import Controller


def wait(c: "Controller", out: bytearray) -> None:
    """After resets in a row: what stands open stays open, tiers that were off too; no starter turns."""
    last = c.last_out
    was = c.resets.was
    reason = c.loads.reason
    for i in range(COOLING + 1):
        if not out[i]:
            if reason[i] == STAGGER:  # behind a tier that waits
                c.loads.hold(i, report.RESET_HOLD)
        elif last[i] and (was[i] or not LOAD2 <= i <= LOAD3):
            pass
        elif i == START:
            out[i] = 1 if c.genset.engine.evidence == RUNS else 0
        else:
            out[i] = 0
            if i == GRID or i == GENSET:
                c.source.forced_open(report.RESET_HOLD)
            else:
                c.loads.hold(i, report.RESET_HOLD)


def hold_unread(c: "Controller", out: bytearray) -> None:
    """An output whose position has never been read stays as the hardware left it."""
    proven = c.contacts.proven
    idle = c.site.idle
    for i in range(PV, LOAD3 + 1):
        if not proven[i]:
            out[i] = idle[i]


def overruled(c: "Controller", out: bytearray) -> None:
    """Tell the parts what protection has opened; that it still keeps an open one open is no event."""
    reason = c.protection.reason
    for i in (GRID, GENSET, BATTERY):
        if reason[i] and c.contacts.command[i]:
            c.decision.events.append((decision.PROTECTION, i, 0, reason[i], 0, 0))
    if reason[GRID] or reason[GENSET]:
        c.source.forced_open(reason[GRID] or reason[GENSET])
    if reason[BATTERY]:
        c.loads.all_off()
