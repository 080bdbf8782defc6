"""What a boot begins with: its number and, from what is stored, what the application is made of.

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

    # The configuration document, the board's module, all parameters, the devices in the document's order, the
    # controller's record.
    Setup = tuple[Any, Any, dict[str, int], list[Device], dict[str, object]]


def read() -> "tuple[int, Setup | None, list[tuple[str, str]]]":
    """Number of this boot, the setup, and why there is none as (place, text)."""
    boot = files.count_boot()
    stored, problems = files.configuration()
    problems = problems or config.problems(stored)
    if problems:
        return boot, None, problems
    document: "Any" = stored
    wanted = [(device["role"], device["profile"], device["address"]) for device in document["devices"]]
    try:
        board, devices = boards.load(document["site"]["board"]), binding.bind(wanted)
    except KeyError as error:
        return boot, None, [("config", "unknown board or profile: %s" % error)]
    setup = (document, board, parameters.complete(document["params"]), devices, files.record())
    return boot, setup, []
