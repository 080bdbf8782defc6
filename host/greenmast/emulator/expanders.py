"""The chips on the I2C bus of one board, and what their pins are there: numbers from 100 on.

Owns which chip sits at which address and which of its pins is which of the board's. Knows no plant. The chips
have their own supply: a reset of the processor does not reach them.
"""

from __future__ import annotations

from collections.abc import Iterator

from greenmast import wiring
from greenmast.emulator.i2c import EXPANDERS, Chip, Expander, Pcf85063a
from greenmast_protocol import config


class I2cBus:
    """`chips`: by address."""

    def __init__(self, table: wiring.Board) -> None:
        self.chips: dict[int, Chip] = {}
        self._by_direction: dict[str, list[Expander]] = {"out": [], "in": []}
        for name, address, direction in table.EXPANDERS:
            chip = EXPANDERS[name]()
            self.chips[address] = chip
            self._by_direction[direction].append(chip)
        if table.RTC:
            self.chips[table.RTC[1]] = Pcf85063a()
        self._rest = 1 - table.RELAY_ACTIVE
        self._told: dict[int, int] = {}

    def exchange(self, address: int, data: bytes, count: int) -> bytes | None:
        """Write `data`, then read `count` bytes; None when no chip answers."""
        chip = self.chips.get(address)
        if chip is None or not chip.present:
            return None
        chip.write(data)
        return chip.read(count)

    def set_input(self, pin: int, level: int) -> None:
        """Somebody drives the input `pin`."""
        number, bit = divmod(pin - config.EXPANDER, 8)
        self._by_direction["in"][number].outside(bit, level)

    def changes(self) -> Iterator[tuple[int, int]]:
        """(pin, level) of the outputs that have changed; one that no chip drives is at rest."""
        for number, chip in enumerate(self._by_direction["out"]):
            for bit in range(8):
                pin = config.EXPANDER + 8 * number + bit
                driven = chip.driven(bit)
                level = self._rest if driven is None else driven
                if self._told.get(pin, self._rest) != level:
                    yield pin, level
                self._told[pin] = level
