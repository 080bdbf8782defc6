"""Eastron SDM120-Modbus: single-phase energy meter of the grid, one module wide.

Source: SDM120M protocol v2.5 and the drivers sdm_modbus, mbmd (sdm120.go) and Tasmota xnrg_08. A real one
answered drivers with a phase angle of zero, which the document does not list (sdm_modbus issue 27). At
delivery 2400 baud. It names itself: meter code 0x0020. The rules are in `eastron`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from greenmast.emulator.devices.eastron import (
    MEASUREMENT_MODE,
    METER_CODE,
    PULSE_DIVISOR,
    SOFTWARE,
    EastronMeter,
    Reading,
    Setting,
    serial,
)

SCROLL_S = 0xF900
IMPORT_PLUS_EXPORT = 2


class EastronSdm120(EastronMeter):
    profile = "eastron-sdm120"
    settings: ClassVar[Mapping[int, Setting]] = {
        0x000C: Setting(100.0, (60.0, 200.0)),  # pulse width, ms
        0x0012: Setting(0.0, (0.0, 3.0)),  # parity and stop bits, from the next power-up on
        0x0014: Setting(1.0, (1.0, 247.0)),  # address
        0x001C: Setting(0.0, (0.0, 5.0)),  # baud rate code: 2400
        0x0056: Setting(4.0, (1.0, 8.0)),  # what pulse output 1 counts
    }
    singles: ClassVar[Mapping[int, int]] = {
        SCROLL_S: 0,
        PULSE_DIVISOR: 0,
        MEASUREMENT_MODE: IMPORT_PLUS_EXPORT,
        **serial(12_000_001),
        METER_CODE: 0x0020,
        SOFTWARE: 0x0205,
    }

    def values(self, line: Reading, hertz: float, import_kwh: float) -> Mapping[int, float]:
        highest_w = self.highest("w", line.watts)
        return {
            0x0000: line.volts,
            0x0006: line.amperes,
            0x000C: line.watts,
            0x0012: line.apparent,
            0x0018: line.reactive,
            0x001E: line.factor,
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
