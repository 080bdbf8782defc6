"""Peacefair PZEM-017: DC meter of the loads. Bus voltage and unsigned load current; it knows no direction.

Source: PZEM-003/017 manual and esphome pzemdc. Function 4 reads 0.01 V, 0.01 A, 0.1 W and 1 Wh, 32 bits
low word first; functions 3/6 the settings; 0x42 clears the energy. Outside: exception 2.
"""

from __future__ import annotations

from collections.abc import Sequence

from greenmast.emulator.devices import encoding
from greenmast.emulator.devices.device import (
    ILLEGAL_ADDRESS,
    ILLEGAL_VALUE,
    READ_HOLDING,
    READ_INPUT,
    WRITE_REGISTER,
    Device,
    Plant,
    RefusedError,
    put,
)

RESET_ENERGY = 0x42
ALARM = 0xFFFF
HIGH_LIMIT, LOW_LIMIT, ADDRESS, SHUNT = range(4)
# Settings: register -> (value at delivery, lowest, highest); limits in 0.01 V, shunt as a code
SETTINGS = {
    HIGH_LIMIT: (30_000, 500, 35_000),
    LOW_LIMIT: (700, 100, 35_000),
    ADDRESS: (1, 1, 0xF7),
    SHUNT: (0, 0, 3),
}


class Pzem017(Device):
    profile = "pzem-017"
    role = "load"
    functions = frozenset({READ_HOLDING, READ_INPUT, WRITE_REGISTER, RESET_ENERGY})
    custom_functions = frozenset({RESET_ENERGY})

    def __init__(self) -> None:
        super().__init__()
        self.holding = {register: row[0] for register, row in SETTINGS.items()}
        self._energy_wh = self._cleared_wh = 0.0

    def refresh(self, plant: Plant) -> None:
        volts = plant.truth("dc.bus_mv") / 1e3
        watts = plant.truth("load.power_w")
        self._energy_wh = plant.truth("load.energy_wh")
        centivolts = encoding.u16(volts * 100.0)
        put(
            self.input,
            0,
            (
                centivolts,
                encoding.u16(watts / volts * 100.0) if volts > 0.0 else 0,
                *encoding.u32_low_first(watts * 10.0),
                *encoding.u32_low_first(self._energy_wh - self._cleared_wh),
                ALARM if centivolts > self.holding[HIGH_LIMIT] else 0,
                ALARM if centivolts < self.holding[LOW_LIMIT] else 0,
            ),
        )

    def write_registers(self, function: int, address: int, values: Sequence[int]) -> None:
        if address not in SETTINGS:
            raise RefusedError(ILLEGAL_ADDRESS)
        _, low, high = SETTINGS[address]
        if not low <= values[0] <= high:
            raise RefusedError(ILLEGAL_VALUE)
        self.holding[address] = values[0]

    def custom(self, function: int) -> None:
        self._cleared_wh = self._energy_wh
        put(self.input, 4, (0, 0))
