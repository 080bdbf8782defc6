"""Eastron SDM230-Modbus: single-phase energy meter of the grid, upstream of K_GRID.

Source: SDM230 protocol v1.1 and the drivers sdm_modbus, mbmd and esphome sdm_meter. The rules are in
`eastron`. Drivers read 0x0000..0x004F in one request.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from greenmast.emulator.devices.eastron import EastronMeter, Reading, Setting, serial


class EastronSdm230(EastronMeter):
    profile = "eastron-sdm230"
    settings: ClassVar[Mapping[int, Setting]] = {
        0x000C: Setting(100.0, (60.0, 200.0)),  # pulse width, ms
        0x0012: Setting(0.0, (0.0, 3.0)),  # parity and stop bits, from the next power-up on
        0x0014: Setting(1.0, (1.0, 247.0)),  # address
        0x001C: Setting(2.0, (0.0, 5.0)),  # baud rate code
    }
    singles = serial(23_000_001)

    def values(self, line: Reading, hertz: float, import_kwh: float) -> Mapping[int, float]:
        highest_w = self.highest("w", line.watts)
        return {
            0x0000: line.volts,
            0x0006: line.amperes,
            0x000C: line.watts,
            0x0012: line.apparent,
            0x0018: line.reactive,
            0x001E: line.factor,
            0x0024: line.angle,
            0x0046: hertz,
            0x0048: import_kwh,
            0x0054: line.watts,  # demand over a short period
            0x0056: highest_w,
            0x0058: line.watts,
            0x005A: highest_w,
            0x0102: line.amperes,
            0x0108: self.highest("a", line.amperes),
            0x0156: import_kwh,
        }
