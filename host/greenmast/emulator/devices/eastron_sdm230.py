"""Eastron SDM230-Modbus: single-phase energy meter of the grid, upstream of K_GRID.

Source: SDM230 protocol v1.1 and the drivers sdm_modbus, mbmd and esphome sdm_meter. Function 4 reads
floats, high word first, even start and even count, at most 80 registers; function 3/16 the settings,
floats as well. Parameters that a single-phase meter does not have read as zero inside the table (drivers
read 0x0000..0x004F in one request).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import acos, degrees, sqrt

from greenmast.emulator.devices import encoding
from greenmast.emulator.devices.device import (
    ILLEGAL_ADDRESS,
    ILLEGAL_VALUE,
    READ_HOLDING,
    READ_INPUT,
    WRITE_REGISTERS,
    Device,
    Plant,
    RefusedError,
    put,
)

TABLE_END = 0x015A  # one past total kvarh, the last parameter
SERIAL = 23_000_001
# Settings: address -> (value at delivery, values the meter takes)
SETTINGS: dict[int, tuple[float, tuple[float, float]]] = {
    0x000C: (100.0, (60.0, 200.0)),  # pulse width, ms
    0x0012: (0.0, (0.0, 3.0)),  # parity and stop bits, from the next power-up on
    0x0014: (1.0, (1.0, 247.0)),  # address
    0x001C: (2.0, (0.0, 5.0)),  # baud rate code
}


class EastronSdm230(Device):
    profile = "eastron-sdm230"
    role = "grid"
    functions = frozenset({READ_HOLDING, READ_INPUT, WRITE_REGISTERS})
    max_read = 80

    def __init__(self) -> None:
        super().__init__()
        for address, (value, _) in SETTINGS.items():
            put(self.holding, address, encoding.f32_high_first(value))
        put(self.holding, 0xFC00, encoding.u32_high_first(SERIAL))
        self._demand_w = self._demand_a = 0.0

    def refresh(self, plant: Plant) -> None:
        volts = plant.truth("grid.voltage_mv") / 1e3
        amperes = plant.truth("grid.current_ma") / 1e3
        watts = plant.truth("grid.power_w")
        apparent = max(volts * amperes, abs(watts))
        factor = watts / apparent if apparent > 0.0 else 1.0
        import_kwh = plant.truth("grid.energy_wh") / 1e3
        self._demand_w = max(self._demand_w, watts)
        self._demand_a = max(self._demand_a, amperes)
        for address, value in (
            (0x0000, volts),
            (0x0006, amperes),
            (0x000C, watts),
            (0x0012, apparent),
            (0x0018, sqrt(max(apparent**2 - watts**2, 0.0))),
            (0x001E, factor),
            (0x0024, degrees(acos(factor))),
            (0x0046, plant.truth("grid.frequency_chz") / 1e2),
            (0x0048, import_kwh),
            (0x0054, watts),  # demand over a short period
            (0x0056, self._demand_w),
            (0x0058, watts),
            (0x005A, self._demand_w),
            (0x0102, amperes),
            (0x0108, self._demand_a),
            (0x0156, import_kwh),
        ):
            put(self.input, address, encoding.f32_high_first(value))

    def hole(self, function: int, address: int) -> int:
        if function == READ_INPUT and address < TABLE_END:
            return 0
        raise RefusedError(ILLEGAL_ADDRESS)

    def read_registers(self, function: int, address: int, count: int) -> list[int]:
        if address % 2 or count % 2:
            raise RefusedError(ILLEGAL_ADDRESS)  # half of a float
        return super().read_registers(function, address, count)

    def write_registers(self, function: int, address: int, values: Sequence[int]) -> None:
        if address not in SETTINGS or len(values) != 2:
            raise RefusedError(ILLEGAL_ADDRESS)
        low, high = SETTINGS[address][1]
        if not low <= encoding.f32_value(*values) <= high:
            raise RefusedError(ILLEGAL_VALUE)
        put(self.holding, address, values)
