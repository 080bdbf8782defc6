"""Whether the staged document may come into force: by the rules, and by what this board has been given.

Loaded for a commit where the heap has room for rules and document. Changes nothing.
"""

from greenmast_fw.services import overlay
from greenmast_fw.storage import staged
from greenmast_protocol import config as rules
from greenmast_protocol import strict_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def problems() -> "list[tuple[str, str]]":
    """Every reason against it as (place, text)."""
    try:
        document = strict_json.loads(b"".join(staged.pieces()))
    except ValueError as error:
        return [("config", str(error))]
    return rules.problems(document) or _missing(document)


def _missing(document: "Any") -> "list[tuple[str, str]]":
    """What the document needs and this board has not been given: tables are not loaded over a transaction."""
    from greenmast_fw import boards
    from greenmast_fw.devices import binding

    wanted = [("site.board", boards.load, document["site"]["board"])]
    wanted += [("device.%s" % row["role"], binding.load, row["profile"]) for row in document["devices"]]
    out = []
    for place, load, name in wanted:
        try:
            overlay.run(load, name)
        except (ImportError, KeyError):
            out.append((place, "%s is not on this board" % name))
    return out
