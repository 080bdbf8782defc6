"""Mean Well DRS-480-48: AC/DC supply with charger, standing for the whole rectifier shelf as one slave.

Source: DRS manual pp. 16 and 21, and drivers that run on it (meanwell-modbus-monitor, meanwell_modbus,
meanwell-drs-exporter): measurements by function 4, operation, settings, identity and configuration by
function 3, status words by either; settings are written by function 6. Voltages and currents 0.01, AC
voltage and temperatures 0.1. What is set out of range is held at the limit; the currents of the shelf
exceed those of a single module.
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

OPERATION, VOUT_SET, IOUT_SET = 0x0000, 0x0020, 0x0030
FAULT_STATUS, CHARGE_STATUS, SYSTEM_STATUS = 0x0040, 0x00B8, 0x00C3
READ_VIN, READ_VOUT, READ_VBAT = 0x0050, 0x0060, 0x00D3
VOUT_RANGE = (4_200, 5_800)  # 0.01 V

AC_FAIL, OUTPUT_OFF = 1 << 5, 1 << 6  # FAULT_STATUS
CONSTANT_CURRENT, CONSTANT_VOLTAGE, DISCHARGING = 1 << 1, 1 << 2, 1 << 7  # CHARGE_STATUS
DC_OK, PFC_OK, INITIALISED, UPS_MODE = 1 << 1, 1 << 2, 1 << 5, 1 << 7  # SYSTEM_STATUS
DC_OK_ABOVE_MV = 40_000.0
# Factors as nibbles, 5 = 0.01, 6 = 0.1: IOUT, VOUT | fan none, VIN | temperature
SCALING = (0x5506, 0x0600, 0x0000)


class MeanwellDrs(Device):
    profile = "meanwell-drs"
    role = "rectifier"
    functions = frozenset({READ_HOLDING, READ_INPUT, WRITE_REGISTER})

    def __init__(self) -> None:
        super().__init__()
        self._written: dict[int, int] = {}
        self._limit_ma = 0.0
        self._switched_off = False  # then the plant's own limit is zero
        self.holding = {OPERATION: 1, 0x00C4: 0, 0x00D2: 1}
        put(self.holding, 0x0080, encoding.ascii_words("MEANWELL", 6))
        put(self.holding, 0x0086, encoding.ascii_words("DRS-480-48", 6))
        put(self.holding, 0x00C0, SCALING)

    def refresh(self, plant: Plant) -> None:
        rectifier = plant.rectifier
        if not self._switched_off:
            self._limit_ma = rectifier.limit_ma
        if VOUT_SET in self._written:
            rectifier.setpoint_mv = self._written[VOUT_SET] * 10.0
        if IOUT_SET in self._written:
            self._limit_ma = self._written[IOUT_SET] * 10.0
        self._written.clear()
        self._switched_off = self.holding[OPERATION] == 0
        rectifier.limit_ma = 0.0 if self._switched_off else self._limit_ma
        self.holding[VOUT_SET] = encoding.u16(rectifier.setpoint_mv / 10.0)
        self.holding[IOUT_SET] = encoding.u16(self._limit_ma / 10.0)
        self._measure(plant)

    def _measure(self, plant: Plant) -> None:
        output_ma = plant.truth("rectifier.output_ma")
        output_mv = plant.truth("rectifier.output_mv")
        ac_present = plant.truth("rectifier.ac_present") > 0.5
        self.input[READ_VIN] = encoding.u16(plant.truth("rectifier.input_mv") / 100.0)
        put(
            self.input,
            READ_VOUT,
            (
                encoding.u16(output_mv / 10.0),
                encoding.u16(output_ma / 10.0),
                encoding.s16(plant.truth("rectifier.temperature_dc")),
            ),
        )
        put(
            self.input,
            READ_VBAT,
            (
                encoding.u16(plant.truth("battery.voltage_mv") / 10.0),
                encoding.s16(plant.truth("battery.current_ma") / 10.0),
                encoding.s16(plant.truth("battery.temperature_dc")),
            ),
        )
        on = ac_present and not self._switched_off
        regulation = CONSTANT_CURRENT if output_ma >= self._limit_ma * 0.99 else CONSTANT_VOLTAGE
        dc_ok = DC_OK if output_mv >= DC_OK_ABOVE_MV else 0
        status = {
            FAULT_STATUS: (0 if ac_present else AC_FAIL) | (0 if on else OUTPUT_OFF),
            CHARGE_STATUS: regulation if on else DISCHARGING,
            SYSTEM_STATUS: INITIALISED | dc_ok | (PFC_OK if ac_present else UPS_MODE),
        }
        self.holding.update(status)
        self.input.update(status)

    def write_registers(self, function: int, address: int, values: Sequence[int]) -> None:
        value = values[0]
        if address == OPERATION:
            if value not in (0, 1):
                raise RefusedError(ILLEGAL_VALUE)
            self.holding[OPERATION] = value
            return
        if address == VOUT_SET:
            value = min(max(value, VOUT_RANGE[0]), VOUT_RANGE[1])
        elif address != IOUT_SET:
            raise RefusedError(ILLEGAL_ADDRESS)
        self._written[address] = self.holding[address] = value
