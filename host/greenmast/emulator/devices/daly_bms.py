"""Daly BMS, Modbus variant "D2": the battery as its management system sees it.

Source: esphome-daly-bms (register map of D2, captures of 62 and 80 registers). Function 3 from 0x0000 at
address 0xD2; current is (raw - 30000) x 0.1 A, positive when charging; temperatures are raw - 40. Places
without a meaning read as zero. The switches at 0xA5/0xA6 are refused: the plant has no BMS switches to
turn, and pretending would mislead.
"""

from __future__ import annotations

from greenmast.emulator.devices import encoding
from greenmast.emulator.devices.cells import spread
from greenmast.emulator.devices.device import ILLEGAL_ADDRESS, READ_HOLDING, Device, Plant, RefusedError, put

BLOCK_END = 0x50
CELL_PLACES = 0x20
SENSORS = 4
IDLE, CHARGING, DISCHARGING = range(3)
ZERO_CURRENT = 30_000


class DalyBms(Device):
    profile = "daly-bms"
    role = "battery"
    functions = frozenset({READ_HOLDING})

    def __init__(self, cells: int) -> None:
        super().__init__()
        if not 1 <= cells <= CELL_PLACES:
            raise ValueError(f"a Daly BMS manages 1..{CELL_PLACES} cells, not {cells}")
        self._cells = cells

    def refresh(self, plant: Plant) -> None:
        low_mv = plant.truth("battery.cell_min_mv")
        high_mv = plant.truth("battery.cell_max_mv")
        volts = plant.truth("battery.voltage_mv") / 1e3
        amperes = plant.truth("battery.current_ma") / 1e3
        celsius = plant.truth("battery.temperature_dc") / 10.0
        temperature = encoding.u16(celsius + 40.0)
        current = encoding.u16(amperes * 10.0 + ZERO_CURRENT)
        lowest, highest = encoding.u16(low_mv), encoding.u16(high_mv)
        cells = spread(low_mv, high_mv, self._cells)
        bank = self.holding
        put(bank, 0x00, [encoding.u16(cell_mv) for cell_mv in cells])
        put(bank, 0x20, [temperature] * SENSORS)
        state = CHARGING if current > ZERO_CURRENT else DISCHARGING if current < ZERO_CURRENT else IDLE
        put(
            bank,
            0x28,
            (
                encoding.u16(volts * 10.0),
                current,
                encoding.u16(plant.truth("battery.soc_permille")),
                highest,
                lowest,
                temperature,
                temperature,
                state,
                encoding.u16(plant.truth("battery.remaining_mah") / 100.0),
                self._cells,
                SENSORS,
                0,  # cycles
                0,  # balancing
                1,  # charge switch closed
                1,  # discharge switch closed
                encoding.u16(sum(cells) / self._cells),
                highest - lowest,
                encoding.u16(abs(volts * amperes)),
            ),
        )
        bank[0x40] = ZERO_CURRENT  # balance current, mA
        bank[0x42] = temperature  # of the switches

    def hole(self, function: int, address: int) -> int:
        if address < BLOCK_END:
            return 0
        raise RefusedError(ILLEGAL_ADDRESS)
