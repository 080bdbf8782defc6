"""Mean Well CMU2C: controller of a rack of 48 V power supplies, which stand for the whole rectifier shelf.

Source: CMU2C installation manual pp. 36-41 (tables and worked frames). Modbus TCP; settings and identity
by function 3 and written by 6 or 16, measurements by function 4, each register by the functions that its
table names and no other. The identity block ends at 0x0229 and has the order of Mean Well's other tables
(DRS manual, 0x0080..0x0099), so it begins at 0x0210. Output voltage 0.01 V as in the worked frame; for
current (0.01 A), temperature (0.1 degC) and the bits of FAULT_STATUS, which the stored pages do not show,
Mean Well's common table. Settings hold for every supply: the shelf's limit is IOUT_SET times the supplies
that are on. What is set out of range is held at the limit. Slots without a supply have no registers.
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

OPERATION_ALL, OPERATION = 0x0000, 0x0001  # all supplies (write only); bit n of 0x0001 + n // 16
VOUT_SET, IOUT_SET = 0x0010, 0x0011
OUTPUTS = range(0x0030, 0x0039)  # four relays, five digital outputs
VOUT_RANGE = (420, 580)  # 0.1 V
PSU, PSU_STEP, SLOTS = 0x0200, 0x30, 48
FAULT_STATUS, READ_VOUT, IDENTITY = 0x00, 0x01, 0x10
AC_FAIL, OUTPUT_OFF = 1 << 5, 1 << 6
FAN_RPM = 6000


class MeanwellCmu2c(Device):
    profile = "meanwell-cmu2c"
    role = "rectifier"
    functions = frozenset({READ_HOLDING, READ_INPUT, WRITE_REGISTER, WRITE_REGISTERS})

    def __init__(self, supplies: int = 4) -> None:
        super().__init__()
        if not 1 <= supplies <= SLOTS:
            raise ValueError(f"a CMU2C controls 1..{SLOTS} power supplies, not {supplies}")
        self._supplies = supplies
        self._written: dict[int, int] = {}
        self._limit_ma: float | None = None  # of one supply
        self.holding = dict.fromkeys(OUTPUTS, 0) | {VOUT_SET: 0, IOUT_SET: 0}
        self._switch((1 << supplies) - 1)
        for number in range(supplies):
            put(self.holding, PSU + PSU_STEP * number + IDENTITY, _identity(number))

    def refresh(self, plant: Plant) -> None:
        rectifier = plant.rectifier
        on = self._on()
        if self._limit_ma is None:
            self._limit_ma = rectifier.limit_ma / self._supplies
        if VOUT_SET in self._written:
            rectifier.setpoint_mv = self._written[VOUT_SET] * 100.0
        if IOUT_SET in self._written:
            self._limit_ma = self._written[IOUT_SET] * 100.0
        if IOUT_SET in self._written or OPERATION in self._written:
            rectifier.limit_ma = self._limit_ma * on.bit_count()
        elif on:
            self._limit_ma = rectifier.limit_ma / on.bit_count()
        self._written.clear()
        self.holding[VOUT_SET] = encoding.u16(rectifier.setpoint_mv / 100.0)
        self.holding[IOUT_SET] = encoding.u16(self._limit_ma / 100.0)
        self._measure(plant, on)

    def _measure(self, plant: Plant, on: int) -> None:
        ac_fail = 0 if plant.truth("rectifier.ac_present") > 0.5 else AC_FAIL
        volts = encoding.u16(plant.truth("rectifier.output_mv") / 10.0)
        amperes = encoding.u16(plant.truth("rectifier.output_ma") / 10.0 / max(on.bit_count(), 1))
        temperature = encoding.s16(plant.truth("rectifier.temperature_dc"))
        for number in range(self._supplies):
            at = PSU + PSU_STEP * number
            runs = bool(on >> number & 1) and not ac_fail
            self.holding[at + FAULT_STATUS] = ac_fail | (0 if runs else OUTPUT_OFF)
            fans = (FAN_RPM, FAN_RPM) if runs else (0, 0)
            shown_v, shown_a = (volts, amperes) if on >> number & 1 else (0, 0)
            put(self.input, at + READ_VOUT, (shown_v, shown_a, temperature, *fans))

    def write_registers(self, function: int, address: int, values: Sequence[int]) -> None:
        for at, value in enumerate(values, address):
            if at not in (OPERATION_ALL, VOUT_SET, IOUT_SET, *range(OPERATION, OPERATION + 3), *OUTPUTS):
                raise RefusedError(ILLEGAL_ADDRESS)
            if at in (OPERATION_ALL, *OUTPUTS) and value > 1:
                raise RefusedError(ILLEGAL_VALUE)
        for at, value in enumerate(values, address):
            self._set(at, value)

    def _set(self, address: int, value: int) -> None:
        if address == OPERATION_ALL:
            self._switch((1 << self._supplies) - 1 if value else 0)
            self._written[OPERATION] = value
            return
        if OPERATION <= address < OPERATION + 3:
            shift = 16 * (address - OPERATION)
            self._switch(self._on() & ~(0xFFFF << shift) | value << shift)
            self._written[OPERATION] = value
            return
        if address == VOUT_SET:
            value = min(max(value, VOUT_RANGE[0]), VOUT_RANGE[1])
        self._written[address] = self.holding[address] = value

    def _on(self) -> int:
        """Bit n: power supply n is switched on."""
        return sum(self.holding[OPERATION + word] << 16 * word for word in range(3))

    def _switch(self, on: int) -> None:
        on &= (1 << self._supplies) - 1
        put(self.holding, OPERATION, [on >> 16 * word & 0xFFFF for word in range(3)])


def _identity(number: int) -> list[int]:
    """Manufacturer, model, three firmware revisions, location, date and serial number of a supply."""
    return [
        *encoding.ascii_words("MEANWELL", 6),
        *encoding.ascii_words("RCP-2000-48", 6),
        0x0A0A, 0x0AFF, 0xFFFF,
        *encoding.ascii_words("TWN", 2),
        *encoding.ascii_words("230401", 3),
        *encoding.ascii_words(f"230401{number + 1:06d}", 6),
    ]  # fmt: skip
