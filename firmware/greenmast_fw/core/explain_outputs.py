"""Why the contactors of the AC and solar sources and the relays are as they are: rows as in `explain`."""

from greenmast_fw.core import report
from greenmast_fw.core.contactor import CHATTER, FAIL_TO_CLOSE, WELDED
from greenmast_fw.core.explain_values import reason, seconds, values_of
from greenmast_fw.core.site import GENSET, GRID, MAJOR, PV, START
from greenmast_fw.core.source import DEAD_TIME
from greenmast_protocol import points, reasons

TYPE_CHECKING = False
if TYPE_CHECKING:
    from greenmast_fw.core.controller import Controller
    from greenmast_fw.core.explain import Reason, Row

_FAULTS = {
    WELDED: reasons.code("welded"),
    FAIL_TO_CLOSE: reasons.code("fail_to_close"),
    CHATTER: reasons.code("feedback_fault"),
}


def row(c: "Controller", i: int) -> "Row":
    """The row of output `i`, which is neither a load tier's nor the battery's."""
    if i == GRID or i == GENSET:
        return _source(c, i)
    name = points.OUTPUTS[i]
    on = c.decision.outputs[i]
    code = report.output_reason(c, i)
    if i >= MAJOR:
        active = c.alarms.of_weight(1 if i == MAJOR else 0)
        return (name, _word(i, on), code, (active[0], len(active)) if active else (), (), ())
    upcoming: "tuple[str, int] | tuple[()]" = ()
    if code == report.RESET_HOLD and i != START:
        upcoming = (_word(i, 1), seconds(c.resets.left_ms))
    return (name, _word(i, on), code, values_of(c, code), _fault(c, i, code), upcoming)


def _word(i: int, on: int) -> str:
    if i <= PV:
        return "closed" if on else "open"
    return "on" if on else "off"


def _fault(c: "Controller", i: int, code: int) -> "tuple[Reason, ...]":
    """What is wrong with contactor `i`, unless `code` says so already."""
    fault = _FAULTS.get(c.contacts.fault[i], 0) if i < len(c.contacts.fault) else 0
    return ((fault,),) if fault and fault != code else ()


def _source(c: "Controller", i: int) -> "Row":
    """The contactor of an AC source: closed for the reason of `ac`, open for its source's own."""
    on = c.decision.outputs[i]
    given_up_ms = c.source.given_up_ms[i]
    upcoming: "tuple[str, int] | tuple[()]" = ()
    code = c.protection.reason[i] or report.ac_reason(c)
    if given_up_ms:
        code = _FAULTS[FAIL_TO_CLOSE]
        upcoming = ("tried again", seconds(given_up_ms))
    elif not on and not c.protection.reason[i]:
        if i == GRID and not c.grid.ok:
            code = c.grid.reason
        elif i == GENSET and not c.genset.ready:
            code = report.genset_reason(c)
        elif code == DEAD_TIME:
            upcoming = ("closed", seconds(c.source.dead_left_ms(c.contacts)))
        elif code == report.RESET_HOLD:
            upcoming = ("closed", seconds(c.resets.left_ms))
    blocked = _fault(c, i, code)
    if not on and c.resets.left_ms and code != report.RESET_HOLD:
        blocked += (reason(c, report.RESET_HOLD),)
    if not on and not c.decision.outputs[1 - i] and c.contacts.closed[1 - i] != 0:
        blocked += (reason(c, report.INTERLOCK),)
    return ("output." + points.OUTPUTS[i], _word(i, on), code, values_of(c, code), blocked, upcoming)
