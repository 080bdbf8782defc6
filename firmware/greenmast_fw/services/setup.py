"""What a boot begins with: its number and, from the stored configuration, what the application is made of.

Loaded for one call, before anything else is there: rules, tables and profiles take much memory for a moment.
"""

from greenmast_fw import boards
from greenmast_fw.devices import binding
from greenmast_fw.storage import files
from greenmast_protocol import config
from greenmast_protocol import params as parameters

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from greenmast_fw.devices.profile import Device

    # The configuration document, the board's module, all parameters, the devices in the document's order.
    Setup = tuple[Any, Any, dict[str, int], list[Device]]


def read() -> "tuple[int, Setup | None, list[tuple[str, str]]]":
    """Number of this boot, the setup, and why there is none as (place, text)."""
    boot = files.count_boot()
    stored, problems = files.configuration()
    problems = problems or config.problems(stored)
    if problems:
        return boot, None, problems
    document: "Any" = stored
    board: "Any" = None
    wanted = [
        (device["role"], device["profile"], device["address"], device.get("phases", 1))
        for device in document["devices"]
    ]
    try:
        board, devices = boards.load(document["site"]["board"]), binding.bind(wanted)
    except KeyError as error:
        return boot, None, [("config", "unknown board or profile: %s" % error)]
    lines = len([1 for bus in document["buses"] if not bus.get("tcp")])
    if lines > len(board.UARTS):
        return boot, None, [("bus", "%d lines, and the board has %d" % (lines, len(board.UARTS)))]
    return boot, (document, board, parameters.complete(document["params"]), devices), []
