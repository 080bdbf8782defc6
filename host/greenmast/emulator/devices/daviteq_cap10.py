"""Daviteq CAP10: capacitive fuel level sensor in the genset's tank.

Source: CAP10CNR user guide, section 10 (memory map). The guide's numbers are those of Modicon: 30001 is
input register 0, 40007 holding register 6. Function 4 reads level in per mille of the probe, damped and
undamped, and temperature in 0.1 degC; 3 and 6 or 16 the settings, which a real sensor takes up when it is
powered again.
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
    WRITE_REGISTERS,
    Device,
    Plant,
    RefusedError,
    put,
)

# Settings: address -> (value at delivery, lowest, highest)
SETTINGS = {
    6: (30, 1, 247),  # address
    7: (1, 0, 1),  # baud rate: 9600, 19200
    8: (0, 0, 2),  # parity: none, odd, even
}
DAMPING_S = 10.0
EMPTY_PF, FULL_PF = 200.0, 420.0  # capacitance of the probe
FIRMWARE = 120


class DaviteqCap10(Device):
    profile = "daviteq-cap10"
    role = "fuel"
    functions = frozenset({READ_HOLDING, READ_INPUT, WRITE_REGISTER, WRITE_REGISTERS})

    def __init__(self) -> None:
        super().__init__()
        self.holding = {address: setting[0] for address, setting in SETTINGS.items()}
        self._damped: float | None = None
        self._time_s = 0.0
        self._minute: tuple[float, float] | None = (
            None  # when a minute of watching the level began, and where
        )
        self._tilt = 0.0

    def refresh(self, plant: Plant) -> None:
        level = plant.truth("genset.fuel_permille")
        elapsed_s, self._time_s = plant.time_s - self._time_s, plant.time_s
        if self._damped is None:
            self._damped = level
        self._damped += (level - self._damped) * min(1.0, elapsed_s / DAMPING_S)
        self._watch(plant.time_s, self._damped)
        put(
            self.input,
            0,
            (
                encoding.u16(min(self._damped, 1000.0)),
                encoding.u16(min(level, 1000.0)),
                encoding.u16(EMPTY_PF + (FULL_PF - EMPTY_PF) * level / 1000.0),
                encoding.s16(plant.truth("site.temperature_dc")),
                FIRMWARE,
                encoding.s16(self._tilt),
            ),
        )

    def _watch(self, time_s: float, level: float) -> None:
        """Change of the level over the last full minute."""
        began_s, before = self._minute or (time_s, level)
        if time_s - began_s >= 60.0:
            self._tilt = (level - before) * 60.0 / (time_s - began_s)
            began_s, before = time_s, level
        self._minute = began_s, before

    def write_registers(self, function: int, address: int, values: Sequence[int]) -> None:
        for at, value in enumerate(values, address):
            if at not in SETTINGS:
                raise RefusedError(ILLEGAL_ADDRESS)
            _, low, high = SETTINGS[at]
            if not low <= value <= high:
                raise RefusedError(ILLEGAL_VALUE)
        put(self.holding, address, values)
