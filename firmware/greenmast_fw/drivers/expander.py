"""Port expanders on I2C: eight relays, or eight contacts, behind two wires.

Owns the order in which a chip is written: what its port shall show before that its pins become outputs, so
that no relay twitches. A chip keeps its outputs while the processor restarts and forgets them when its own
supply dips, so all of it is written at every turn and read back. A bus that fails costs a few milliseconds
and gives False, never an exception.
"""

import machine

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_TIMEOUT_US = 5_000  # for one exchange; at 100 kHz the longest lasts about 0.4 ms
_INPUT, _OUTPUT, _DIRECTION = 0, 1, 3  # registers of a TCA9554
_ONES = b"\xff"
_ZEROS = b"\x00"


class Chip:
    """One chip. `level`: bits of its port, as they shall be or as they were read."""

    def __init__(self, bus: "Any", chip: str, address: int, level: int) -> None:
        self._bus = bus
        self._address = address
        self._has_registers = chip == "tca9554"
        self._out = bytearray(1)
        self._in = bytearray(1)
        self.level = level

    def write(self) -> bool:
        """Make the port show `level`. False when the chip does not confirm that."""
        out, back = self._out, self._in
        out[0] = self.level
        back[0] = ~self.level & 0xFF
        try:
            if self._has_registers:
                self._bus.writeto_mem(self._address, _OUTPUT, out)
                self._bus.writeto_mem(self._address, _DIRECTION, _ZEROS)
                self._bus.readfrom_mem_into(self._address, _INPUT, back)
            else:
                self._bus.writeto(self._address, out)
                self._bus.readfrom_into(self._address, back)
        except OSError:
            return False
        return out[0] == back[0]

    def read(self) -> bool:
        """Read the port into `level`. False when there is no answer."""
        back = self._in
        try:
            if self._has_registers:
                self._bus.writeto_mem(self._address, _DIRECTION, _ONES)
                self._bus.readfrom_mem_into(self._address, _INPUT, back)
            else:  # its pins read true only while they are driven high, which they are but weakly
                self._bus.writeto(self._address, _ONES)
                self._bus.readfrom_into(self._address, back)
        except OSError:
            return False
        self.level = back[0]
        return True


class Bit:
    """One pin of a chip, as `machine.Pin` is one of the processor. Moves with the chip's next turn."""

    def __init__(self, chip: Chip, number: int) -> None:
        self._chip = chip
        self._mask = 1 << number

    def value(self, x: "int | None" = None) -> int:
        """The level, or set it."""
        chip = self._chip
        if x is None:
            return 1 if chip.level & self._mask else 0
        if x:
            chip.level |= self._mask
        else:
            chip.level &= ~self._mask & 0xFF
        return x


def chips(board: "Any") -> "tuple[list[Chip], list[Chip]]":
    """The board's output chips, every relay at rest but not yet written, and its input chips."""
    scl, sda, hertz = board.I2C
    bus = machine.I2C(0, scl=machine.Pin(scl), sda=machine.Pin(sda), freq=hertz, timeout=_TIMEOUT_US)
    level = 0 if board.RELAY_ACTIVE else 0xFF
    outputs: "list[Chip]" = []
    inputs: "list[Chip]" = []
    for chip, address, way in board.EXPANDERS:
        (outputs if way == "out" else inputs).append(Chip(bus, chip, address, level))
    return outputs, inputs
