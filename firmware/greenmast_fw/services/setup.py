"""What a boot begins with: its number and, from what is stored, what the application is made of.

Loaded for one call, before anything else is there: rules, tables and profiles take much memory for a moment.
A configuration on trial comes first; where it does not serve, the confirmed one is in force again.
"""

from greenmast_fw import boards
from greenmast_fw.devices import binding
from greenmast_fw.storage import files, revisions
from greenmast_protocol import config, strict_json
from greenmast_protocol import params as parameters

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from greenmast_fw.devices.profile import Device

    # The configuration document, the board's module, all parameters, the devices in the document's order, the
    # controller's record, the seconds that a configuration on trial has left (0: it is confirmed).
    Setup = tuple[Any, Any, dict[str, int], list[Device], dict[str, object], int]


def read() -> "tuple[int, Setup | None, list[tuple[str, str]]]":
    """Number of this boot, the setup, and why there is none as (place, text)."""
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
        return _make(strict_json.loads(files.read(revisions.TRIAL) or b""), left_s)
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
    wanted = [(device["role"], device["profile"], device["address"]) for device in document["devices"]]
    try:
        board, devices = boards.load(document["site"]["board"]), binding.bind(wanted)
    except (ImportError, KeyError) as error:
        return None, [("config", "unknown board or profile here: %s" % error)]
    return (document, board, parameters.complete(document["params"]), devices, files.record(), left_s), []
