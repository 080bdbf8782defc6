"""What a boot begins with: its number and, from what is stored, what the application is made of.

Loaded for one call, before anything else is there: rules, tables and profiles take much memory for a moment.
A configuration on trial comes first; where it does not serve, the confirmed one is in force again.
"""

from greenmast_fw import boards
from greenmast_fw.devices import binding
from greenmast_fw.storage import files, revisions
from greenmast_protocol import config, points, strict_json
from greenmast_protocol.settings import Settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from greenmast_fw.devices.binding import Channel
    from greenmast_fw.devices.profile import Device

    # Local outputs (number, pin, level for open contacts, level at rest), outputs on the bus (number,
    # channel of the relay module or -1, level for open contacts), local inputs (point, pin, level where the
    # point is 0).
    Wires = tuple[list[tuple[int, int, int, int]], list[tuple[int, int, int]], list[tuple[int, int, int]]]
    # The configuration document, the board's module, all parameters (`Settings`), the devices in the
    # document's order, the wires, the controller's record, the seconds that a configuration on trial has left
    # (0: it is confirmed).
    Setup = tuple[Any, Any, Any, list[Device], Wires, dict[str, object], int]


def read() -> "tuple[int, Setup | None, list[tuple[str, str]]]":
    """Number of this boot, the setup, and why there is none as (place, text). First, outputs come to rest."""
    here: "Any" = boards.deployed()
    if here.TERMINALS_OUT:
        from greenmast_fw.drivers import at_rest  # a board without terminals does without

        at_rest.drive(here)
    boot = files.count_boot()
    left_s = revisions.boot()
    if left_s:
        parts, problems = _of_trial(left_s)
        if parts:
            return boot, parts, []
        _refuse(problems)
    stored, problems = files.configuration()
    if problems:
        return boot, None, problems
    parts, problems = _make(stored, 0)
    return boot, parts, problems


def _of_trial(left_s: int) -> "tuple[Setup | None, list[tuple[str, str]]]":
    try:
        return _make(strict_json.loads(b"".join(files.trial())), left_s)
    except ValueError as error:
        return None, [("config", str(error))]


def _refuse(problems: "list[tuple[str, str]]") -> None:
    for problem in problems:
        print("config: on trial, refused: %s: %s" % problem)
    try:
        revisions.refuse(problems)
    except OSError as error:
        print("config: that is not stored: %r" % error)


def _make(stored: object, left_s: int) -> "tuple[Setup | None, list[tuple[str, str]]]":
    """The setup of the document `stored`, or every reason why there is none as (place, text)."""
    problems = config.problems(stored)
    if problems:
        return None, problems
    document: "Any" = stored
    board: "Any" = None
    wanted = [
        (device["role"], device["profile"], device["address"], device.get("phases", 1))
        for device in document["devices"]
    ]
    try:
        board = boards.load(document["site"]["board"])
        wired, on_module = wires(document, board)
        devices = binding.bind(wanted, on_module)
    except (KeyError, ImportError) as error:
        return None, [("config", "unknown board or profile here: %s" % error)]
    lines = len([1 for bus in document["buses"] if not bus.get("tcp")])
    if lines > len(board.UARTS):
        return None, [("bus", "%d lines, and the board has %d" % (lines, len(board.UARTS)))]
    settings = Settings(document["params"])
    return (document, board, settings, devices, wired, files.record(), left_s), []


def wires(document: "Any", board: "Any") -> "tuple[Wires, list[Channel]]":
    """Which pins lead where, and which of their levels means what; inputs of the relay module apart."""
    outputs = []
    on_bus = []
    inputs = []
    terminals = [pin for _, pin in board.TERMINALS_OUT]
    for name, row in document["outputs"].items():
        number = points.OUTPUTS.index(name)
        idle = 1 if row["idle"] == "closed" else 0
        pin = row["pin"]
        if pin is None:
            on_bus.append((number, -1, idle))
        elif pin >= config.MODULE:
            on_bus.append((number, pin - config.MODULE, idle))
        else:
            rest = 1 - board.RELAY_ACTIVE if pin in terminals else 0
            outputs.append((number, pin, idle ^ rest, rest))
        if row["feedback"] is not None:
            inputs.append((points.index("feedback." + name), row["feedback"], 0))
    for name, row in document["inputs"].items():
        point, inverse = config.INPUTS[name]
        inputs.append((points.index(point), row["pin"], inverse ^ (row["active"] == "open")))
    inverted = 1 if board.INPUTS_INVERTED else 0
    local = [(point, pin, flip ^ inverted) for point, pin, flip in inputs if pin < config.MODULE]
    module = [(point, pin - config.MODULE, flip) for point, pin, flip in inputs if pin >= config.MODULE]
    return (outputs, on_bus, local), module
