"""The first act of a boot: every output of the board without current, whatever it was before.

A processor that restarts lets go of its own pins; chips beside it keep theirs. The board's table alone tells
all outputs, so this needs no configuration. Loaded for one call.
"""

import machine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def drive(board: "Any") -> None:
    """Enable lines high, then all output terminals at rest."""
    for pin in board.HIGH:
        machine.Pin(pin, machine.Pin.OUT, value=1)
    for _, pin in board.TERMINALS_OUT:
        if pin < 100:
            machine.Pin(pin, machine.Pin.OUT, value=1 - board.RELAY_ACTIVE)
    if board.EXPANDERS:
        from greenmast_fw.drivers import expander

        for chip in expander.chips(board)[0]:
            chip.write()  # when it fails now, it is written again at every scan
