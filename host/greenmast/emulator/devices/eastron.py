"""What Eastron's SDM meters have in common: floats in pairs of registers, settings, identity.

Source: the protocol documents of SDM120 (v2.5), SDM230 (v1.1) and SDM630 (v2.0), drivers sdm_modbus, mbmd and
esphome sdm_meter. Function 4 reads floats, high word first, even start and even count, at most 80 registers;
function 3/16 the settings, floats as well; identity and settings from 0xF000 on are single registers.
Parameters that a meter does not have read as zero inside its table. Must not know which value is where.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import acos, degrees, sqrt
from typing import ClassVar, NamedTuple

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

SINGLES = 0xF000  # from here on a register is a value of its own
PULSE_DIVISOR, MEASUREMENT_MODE = 0xF910, 0xF920
SERIAL, METER_CODE, SOFTWARE = 0xFC00, 0xFC02, 0xFC03


class Setting(NamedTuple):
    """A float at delivery and the values that may be written; None: read only."""

    value: float
    writable: tuple[float, float] | None


class Reading(NamedTuple):
    """One line, or all of them together."""

    volts: float
    amperes: float
    watts: float

    @property
    def apparent(self) -> float:
        return max(self.volts * self.amperes, abs(self.watts))

    @property
    def reactive(self) -> float:
        return sqrt(max(self.apparent**2 - self.watts**2, 0.0))

    @property
    def factor(self) -> float:
        return self.watts / self.apparent if self.apparent > 0.0 else 1.0

    @property
    def angle(self) -> float:
        """Degrees."""
        return degrees(acos(self.factor))


class EastronMeter(Device):
    """Subclasses say what is measured where (`values`) and which settings there are."""

    role = "grid"
    functions = frozenset({READ_HOLDING, READ_INPUT, WRITE_REGISTERS})
    max_read = 80
    table_end: ClassVar[int] = 0x015A  # one past total kvarh
    settings: ClassVar[Mapping[int, Setting]]
    singles: ClassVar[Mapping[int, int]] = {}  # settings and identity that are one register each

    def __init__(self) -> None:
        super().__init__()
        self.holding.update(self.singles)
        for address, setting in self.settings.items():
            put(self.holding, address, encoding.f32_high_first(setting.value))
        self._highest: dict[str, float] = {}

    def refresh(self, plant: Plant) -> None:
        line = Reading(
            plant.truth("grid.voltage_mv") / 1e3,
            plant.truth("grid.current_ma") / 1e3,
            plant.truth("grid.power_w"),
        )
        hertz = plant.truth("grid.frequency_chz") / 1e2
        for address, value in self.values(line, hertz, plant.truth("grid.energy_wh") / 1e3).items():
            put(self.input, address, encoding.f32_high_first(value))

    def values(self, line: Reading, hertz: float, import_kwh: float) -> Mapping[int, float]:
        """Address -> value of function 4; what is not among them reads as zero."""
        raise NotImplementedError

    def highest(self, name: str, value: float) -> float:
        """The highest `value` so far: what the meter calls maximum demand."""
        self._highest[name] = max(self._highest.get(name, 0.0), value)
        return self._highest[name]

    def hole(self, function: int, address: int) -> int:
        if function == READ_INPUT and address < self.table_end:
            return 0
        raise RefusedError(ILLEGAL_ADDRESS)

    def read_registers(self, function: int, address: int, count: int) -> list[int]:
        if (address % 2 or count % 2) and (function == READ_INPUT or address < SINGLES):
            raise RefusedError(ILLEGAL_ADDRESS)  # half of a float
        return super().read_registers(function, address, count)

    def write_registers(self, function: int, address: int, values: Sequence[int]) -> None:
        setting = self.settings.get(address)
        if setting is None or setting.writable is None or len(values) != 2:
            raise RefusedError(ILLEGAL_ADDRESS)
        low, high = setting.writable
        if not low <= encoding.f32_value(*values) <= high:
            raise RefusedError(ILLEGAL_VALUE)
        put(self.holding, address, values)


def serial(number: int) -> dict[int, int]:
    """The serial number as two registers of `singles`."""
    high, low = encoding.u32_high_first(number)
    return {SERIAL: high, SERIAL + 1: low}
