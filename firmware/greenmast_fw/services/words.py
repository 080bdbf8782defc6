"""A few words for a person at the board's console. Text in, lines of text out; reads only."""

from greenmast_fw.services import rpc
from greenmast_protocol import points, quality, show

TYPE_CHECKING = False
if TYPE_CHECKING:
    from greenmast_fw.services.rpc import Board

HELP = (
    "help           this list",
    "status         the state of the site in a few lines",
    "explain        why each output is as it is",
    "get NAME..     values of points; NAME may be a pattern: battery.*",
    'JSON works too: {"method":"hello"}',
)
_STATUS = (
    ("mode", ("controller.mode",)),
    ("AC source", ("source.ac", "reason.ac")),
    ("bus", ("dc.bus_mv",)),
    ("battery", ("battery.soc_permille", "battery.current_ma", "battery.to_lvd_s")),
    ("grid", ("grid.voltage_mv", "grid.frequency_chz", "grid.power_w")),
    ("genset", ("genset.state", "genset.power_w", "genset.fuel_permille", "reason.genset")),
    ("solar", ("solar.power_w",)),
    ("load", ("load.power_w",)),
    ("alarms", ("controller.alarms_active",)),
)


def answer(board: "Board", line: str) -> "list[str]":
    """The lines that answer what a person typed."""
    words = line.split()
    if not words:
        return []
    try:
        if words[0] == "help":
            return list(HELP)
        if words[0] == "status":
            return _status(board)
        if words[0] == "explain":
            return [show.explanation(row) for row in board.explain()]
        if words[0] == "get":
            return _get(board, words[1:] or None)
    except rpc.RefusedError as e:
        return [e.text]
    except Exception as e:  # noqa: BLE001 (a failing word must not end the console)
        return ["%s failed: %r" % (words[0], e)]
    return ["no such word; try help"]


def _status(board: "Board") -> "list[str]":
    about = rpc.about(board)
    lines = [
        "%s %s, site %s, boot %s" % tuple([about.get(k) for k in ("product", "firmware", "site", "boot")])
    ]
    for title, names in _STATUS:
        texts = [_text(board, points.index(name)) for name in names]
        lines.append("%-10s %s" % (title, ", ".join(texts)))
    return lines


def _get(board: "Board", wanted: "list[str] | None") -> "list[str]":
    lines = []
    for i in sorted(rpc.select(board, wanted)):
        code = board.codes[i]
        word = "" if code == quality.GOOD else "stale" if code == quality.STALE else "invalid"
        lines.append("%-28s %s %s" % (board.name(i), _text(board, i), word))
    return lines


def _text(board: "Board", i: int) -> str:
    return show.value(board.name(i), board.values[i] if board.codes[i] == quality.GOOD else None)
