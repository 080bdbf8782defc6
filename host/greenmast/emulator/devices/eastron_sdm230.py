"""Eastron SDM230-Modbus: single-phase energy meter of the grid, upstream of K_GRID.

Source: SDM230 protocol v1.1 and the drivers sdm_modbus, mbmd and esphome sdm_meter. The map is the SDM120's
with a phase angle, resettable energies and two tariffs, of which the first always applies. Drivers read
0x0000..0x004F in one request. The rules are in `eastron`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from greenmast.emulator.devices.eastron import (
    MEASUREMENT_MODE,
    PULSE_DIVISOR,
    Reading,
    Setting,
    serial,
)
from greenmast.emulator.devices.eastron_sdm120 import IMPORT_PLUS_EXPORT, EastronSdm120

# Of both tariffs and in both directions: read as zero unless said otherwise
TARIFFS = (
    *range(0x130C, 0x1310, 2), *range(0x1314, 0x1318, 2), *range(0x131C, 0x1320, 2),  # active energy
    *range(0x1324, 0x1328, 2), *range(0x132C, 0x1330, 2), *range(0x1334, 0x1338, 2),  # reactive energy
    0x13D2, 0x13D4, 0x1454, 0x1456, 0x1560, 0x1566, 0x156E, 0x1574,  # highest demand
)  # fmt: skip


class EastronSdm230(EastronSdm120):
    profile = "eastron-sdm230"
    settings: ClassVar[Mapping[int, Setting]] = {
        **EastronSdm120.settings,
        0x001C: Setting(2.0, (0.0, 5.0)),  # baud rate code: 9600
    }
    singles: ClassVar[Mapping[int, int]] = {
        PULSE_DIVISOR: 0,
        MEASUREMENT_MODE: IMPORT_PLUS_EXPORT,
        **serial(23_000_001),
    }

    def values(self, line: Reading, hertz: float, import_kwh: float) -> Mapping[int, float]:
        highest_w = self.highest("w", line.watts)
        return {
            **super().values(line, hertz, import_kwh),
            0x0024: line.angle,
            0x0180: import_kwh,  # since the last reset
            0x0182: 0.0,
            **dict.fromkeys(TARIFFS, 0.0),
            0x130C: import_kwh,  # total, import
            0x1314: import_kwh,
            0x13D2: highest_w / 1e3,
            0x1560: highest_w,
            0x1566: self.highest("a", line.amperes),
        }
