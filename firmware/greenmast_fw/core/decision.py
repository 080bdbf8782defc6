"""What one step of the controller decides: outputs, values, setpoints, alarms, and what changed.

One object is built once and filled anew by every step; whoever wants to keep a part copies it.
"""

from greenmast_protocol import points

TYPE_CHECKING = False
if TYPE_CHECKING:
    Event = tuple[int, int, int, int, int, int]

# Kinds of events. An event is (kind, subject, new, reason code, value, limit), all integers.
OUTPUT = 0  # subject: output; new: 0 open, 1 closed
SOURCE = 1  # subject: 0; new: AC source that feeds the rectifier
GRID = 2  # subject: 0; new: 1 usable, 0 lost
GENSET = 3  # subject: 0; new: genset state
DEMAND = 4  # subject: 0; new: mask of the demands for the genset
SHED = 5  # subject: 0; new: number of stages disconnected by rule
ALARM = 6  # subject: alarm; new: its state (`greenmast_protocol.alarms.STATES`); 1 is raised
PROTECTION = 7  # subject: output that protection opened; new: 0
CONTACTOR = 8  # subject: output; new: fault (see `contactor`)
COMMAND = 9  # subject: number in the command table; new: 1 accepted, 0 refused
BLIND = 10  # subject: 0; new: 0 data again, 1 holding, 2 default state
RESET = 11  # subject: 0; new: resets in a row; value: seconds for which nothing is closed or cranked
POLICY = 12  # subject: 0 charging, 1 reserve; new: permille charged to, or kept


class Decision:
    """What goes out.

    `outputs[i]`: 0 or 1 in the order of `points.OUTPUTS`; 1 means main contacts closed, whatever the coil
    does. `points[i]`: the value of point `i` where the controller determines it, else None. `accepted[i]`:
    the measured value that the controller goes by, None where there is none; `codes[i]`: the quality code for
    which it was refused, 0 where it was not. `setpoints`: by point name. `alarms`: numbers of the active
    ones, ascending. `events`: what changed in this step. `worth_storing`: what `Controller.memory` returns
    should be stored now.
    """

    def __init__(self, idle: bytes) -> None:
        self.accepted: "tuple[int | None, ...]" = (None,) * points.COUNT
        self.outputs = bytearray(idle)
        self.points: "list[int | None]" = [None] * points.COUNT
        self.setpoints: "dict[str, int]" = {}
        self.codes = bytearray(points.COUNT)
        self.alarms: "tuple[int, ...]" = ()
        self.events: "list[Event]" = []
        self.worth_storing = False
