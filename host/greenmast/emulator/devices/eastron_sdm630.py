"""Eastron SDM630-Modbus V2: three-phase energy meter of the grid.

Source: SDM630 protocol v2.0, drivers sdm_modbus, mbmd and esphome sdm_meter; captures of mbmd (issue 63, pull
request 56) and solaredge_meterproxy (issues 16, 33). The rules are in `eastron`. What captures show beyond
the document: settings that do not exist read as zero, and a single register answers with an instrument code,
here zero. Where the document's columns differ (system type, 40011 or 0x0008) the captures decide: 0x0006
holds volts and 0x0008 amperes, so the register number is right.
The plant has one phase: each line of the meter has its voltage and a third of its current, and the totals
are those of the plant. Settings behind the password (system type, pulse width) are refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from math import sqrt
from typing import ClassVar

from greenmast.emulator.devices.device import READ_HOLDING
from greenmast.emulator.devices.eastron import SINGLES, EastronMeter, Reading, Setting, serial

LINES = 3
THREE_PHASES_FOUR_WIRES = 3.0
NUMBER = 63_000_001


class EastronSdm630(EastronMeter):
    profile = "eastron-sdm630"
    table_end = 0x017E  # one past total kvarh of line 3
    settings: ClassVar[Mapping[int, Setting]] = {
        0x0000: Setting(60.0, None),  # demand time, minutes
        0x0002: Setting(60.0, (0.0, 60.0)),  # demand period, minutes
        0x0006: Setting(230.0, None),  # system volts
        0x0008: Setting(10.0, None),  # system amperes
        0x000A: Setting(THREE_PHASES_FOUR_WIRES, None),
        0x000C: Setting(200.0, None),  # pulse width, ms
        0x000E: Setting(0.0, None),  # password lock: locked
        0x0012: Setting(0.0, (0.0, 3.0)),  # parity and stop bits, from the next power-up on
        0x0014: Setting(1.0, (1.0, 247.0)),  # address
        0x0016: Setting(3.0, (2.0, 6.0)),  # pulse divisor
        0x0018: Setting(0.0, None),  # password: reads as zero
        0x001C: Setting(2.0, (0.0, 4.0)),  # baud rate code
        0x001E: Setting(0.0, (0.0, 0.0)),  # energy in kWh
        0x0028: Setting(2141.0, (2141.0, 2141.0)),  # register order: high word first
        0x002A: Setting(float(NUMBER // 10_000), None),
        0x002C: Setting(float(NUMBER % 10_000), None),
        0x0056: Setting(37.0, (0.0, 39.0)),  # what the pulse outputs count
        0x0058: Setting(37.0, (0.0, 39.0)),
    }
    singles = serial(NUMBER)

    def values(self, line: Reading, hertz: float, import_kwh: float) -> Mapping[int, float]:
        each = Reading(line.volts, line.amperes / LINES, line.watts / LINES)
        linked = line.volts * sqrt(3.0)  # line to line
        values = {
            0x002A: line.volts,  # averages and sums
            0x002E: each.amperes,
            0x0030: line.amperes,
            0x0034: line.watts,
            0x0038: line.apparent,
            0x003C: line.reactive,
            0x003E: line.factor,
            0x0042: line.angle,
            0x0046: hertz,
            0x0048: import_kwh,
            0x0054: line.watts,  # demand over a short period
            0x0056: self.highest("w", line.watts),
            0x0064: line.apparent,
            0x0066: self.highest("va", line.apparent),
            0x00CE: linked,
            0x00FE: -line.factor,
            0x0156: import_kwh,
        }
        for first, value in (
            (0x0000, line.volts),
            (0x0006, each.amperes),
            (0x000C, each.watts),
            (0x0012, each.apparent),
            (0x0018, each.reactive),
            (0x001E, each.factor),
            (0x0024, each.angle),
            (0x00C8, linked),
            (0x0102, each.amperes),
            (0x0108, self.highest("a", each.amperes)),
            (0x015A, import_kwh / LINES),
            (0x0166, import_kwh / LINES),
        ):
            values.update({first + 2 * number: value for number in range(LINES)})
        return values

    def hole(self, function: int, address: int) -> int:
        if function == READ_HOLDING:
            return 0
        return super().hole(function, address)

    def read_registers(self, function: int, address: int, count: int) -> list[int]:
        if count == 1 and not (function == READ_HOLDING and address >= SINGLES):
            return [0]
        return super().read_registers(function, address, count)
