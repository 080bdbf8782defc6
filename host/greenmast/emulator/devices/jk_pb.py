"""JK BMS of the PB series (JK-PB2A16S20P): battery management of one string.

Source: JK BMS RS485 Modbus V1.0 and V1.1, the ESPHome example for the PB (esphome-jk-bms), jkbms_pb.py of
venus-os_dbus-serialbattery and the bytes recorded there and in bsc_fw (issue 118), which fix the offsets.
Function 3 reads, function 16 writes; 32 bits high word first. Addresses are byte offsets: a register is two
addresses wide, an answer of several registers is consecutive. Three blocks: settings 0x1000, data 0x1200,
identity 0x1400. Places without a meaning read as zero, odd addresses and everything outside are exception 2.

Alarms follow the settings; the switches are those of the plant's battery and cannot be written. The triggers
0x161C..0x1620, which make a real one send frames of its own protocol, are refused: those are not Modbus. A
real one wants 75 ms between requests.
"""

from __future__ import annotations

from collections.abc import Sequence

from greenmast.emulator.devices import encoding
from greenmast.emulator.devices.cells import spread
from greenmast.emulator.devices.device import (
    ILLEGAL_ADDRESS,
    ILLEGAL_VALUE,
    READ_HOLDING,
    WRITE_REGISTERS,
    Device,
    Plant,
    RefusedError,
)

SETTINGS, DATA, IDENTITY = 0x1000, 0x1200, 0x1400
BLOCKS = ((SETTINGS, 0x11C), (DATA, 0x100), (IDENTITY, 0x28))  # address, bytes
MAX_CELLS = 16
ALL_SENSORS = 0xFF
MODEL, HARDWARE, SOFTWARE = "JK-PB2A16S20P", "15A", "15.41"

CELL_UNDER_MV, CELL_OVER_MV, CHARGE_OVER_MA, DISCHARGE_OVER_MA = 0x04, 0x0C, 0x2C, 0x38
CHARGE_HOT, DISCHARGE_HOT, CHARGE_COLD, SWITCH_HOT = 0x4C, 0x54, 0x5C, 0x64
CELLS, CHARGE_ENABLE, DISCHARGE_ENABLE, BALANCE_ENABLE, CAPACITY = 0x6C, 0x70, 0x74, 0x78, 0x7C
ADDRESS, SIGNED = 0x108, frozenset(range(CHARGE_HOT, 0x6C, 4))
# Settings at delivery: byte offset -> value in mV, mA, s, us, 0.1 degC. Where a release value belongs to a
# limit it is the next one.
DELIVERED = {
    0x00: 3_500, CELL_UNDER_MV: 2_500, 0x08: 2_900, CELL_OVER_MV: 3_650, 0x10: 3_400,
    0x14: 5, 0x18: 3_445, 0x1C: 2_900, 0x20: 3_450, 0x24: 3_350, 0x28: 2_450,
    0x30: 3, 0x34: 60, 0x3C: 300, 0x40: 60,
    0x44: 5, 0x48: 2_000, CHARGE_HOT: 600, 0x50: 520, DISCHARGE_HOT: 600, 0x58: 520,
    CHARGE_COLD: 0, 0x60: 40, SWITCH_HOT: 800, 0x68: 700,
    CHARGE_ENABLE: 1, DISCHARGE_ENABLE: 1, BALANCE_ENABLE: 1, 0x80: 1_500, 0x84: 3_440, ADDRESS: 1,
}  # fmt: skip
READ_ONLY = frozenset({CELLS, CHARGE_ENABLE, DISCHARGE_ENABLE, CAPACITY})
# Alarm bits
CELL_OVER, CHARGE_CURRENT, CHARGE_TOO_HOT, CHARGE_TOO_COLD = 4, 6, 8, 9
CELL_UNDER, DISCHARGE_CURRENT, DISCHARGE_TOO_HOT, SWITCHES_HOT = 11, 13, 15, 1


class JkPb(Device):
    profile = "jk-pb"
    role = "battery"
    functions = frozenset({READ_HOLDING, WRITE_REGISTERS})

    def __init__(self, cells: int, capacity_ah: float) -> None:
        super().__init__()
        if not 1 <= cells <= MAX_CELLS:
            raise ValueError(f"a JK PB manages 1..{MAX_CELLS} cells, not {cells}")
        self._cells = cells
        self._capacity_mah = capacity_ah * 1e3
        self._settings = {
            **DELIVERED,
            CHARGE_OVER_MA: round(0.55 * self._capacity_mah),
            DISCHARGE_OVER_MA: round(1.1 * self._capacity_mah),
            CELLS: cells,
            CAPACITY: round(self._capacity_mah),
        }
        self._discharged_mah = self._time_s = 0.0
        for at, text, places in ((0x00, MODEL, 8), (0x10, HARDWARE, 4), (0x18, SOFTWARE, 4)):
            self._put(IDENTITY + at, encoding.ascii_words(text.ljust(2 * places, "\0"), places))
        self._put(IDENTITY + 0x24, encoding.u32_high_first(1))  # times switched on
        for at, value in self._settings.items():
            self._set(at, value)

    def refresh(self, plant: Plant) -> None:
        low_mv, high_mv = plant.truth("battery.cell_min_mv"), plant.truth("battery.cell_max_mv")
        cells = [encoding.u16(cell_mv) for cell_mv in spread(low_mv, high_mv, self._cells)]
        pack_mv = plant.truth("battery.voltage_mv")
        current_ma = plant.truth("battery.current_ma")
        celsius_tenths = encoding.s16(plant.truth("battery.temperature_dc"))
        self._discharged_mah += max(-current_ma, 0.0) * (plant.time_s - self._time_s) / 3_600.0
        self._time_s = plant.time_s
        cycles = self._discharged_mah / self._capacity_mah
        seconds = encoding.u32_high_first(plant.time_s)
        soc = encoding.u16(plant.truth("battery.soc_permille") / 10.0)
        soh = encoding.u16(plant.truth("battery.soh_permille") / 10.0)
        charge = plant.truth("battery.charge_blocked") < 0.5
        discharge = plant.truth("battery.discharge_blocked") < 0.5
        highest, lowest = max(cells), min(cells)
        for at, words in (
            (0x00, cells),
            (0x40, encoding.u32_high_first((1 << self._cells) - 1)),  # cells that are there
            (0x44, (encoding.u16(sum(cells) / len(cells)), highest - lowest)),
            (0x48, (cells.index(highest) << 8 | cells.index(lowest),)),
            (0x8A, (celsius_tenths,)),  # of the switches
            (0x90, encoding.u32_high_first(pack_mv)),
            (0x94, encoding.u32_high_first(abs(pack_mv * current_ma / 1e3))),
            (0x98, encoding.s32_high_first(current_ma)),
            (0x9C, (celsius_tenths, celsius_tenths)),
            (0xA0, encoding.u32_high_first(self._alarms(plant, current_ma))),
            (0xA6, (soc,)),
            (0xA8, encoding.s32_high_first(plant.truth("battery.remaining_mah"))),
            (0xAC, encoding.u32_high_first(self._capacity_mah)),
            (0xB0, encoding.u32_high_first(int(cycles))),
            (0xB4, encoding.u32_high_first(self._discharged_mah)),
            (0xB8, (soh << 8,)),
            (0xBC, seconds),
            (0xC0, (charge << 8 | discharge,)),
            (0xD0, (ALL_SENSORS << 8,)),
            (0xE4, (encoding.u16(pack_mv / 10.0),)),
            (0xF0, encoding.u32_high_first(plant.time_s * 10.0)),
            (0xF8, [celsius_tenths] * 3),
        ):
            self._put(DATA + at, words)
        self._put(IDENTITY + 0x20, seconds)

    def _alarms(self, plant: Plant, current_ma: float) -> int:
        limits = self._settings
        celsius_tenths = plant.truth("battery.temperature_dc")
        return encoding.flags(
            {
                SWITCHES_HOT: celsius_tenths > limits[SWITCH_HOT],
                CELL_OVER: plant.truth("battery.cell_max_mv") > limits[CELL_OVER_MV],
                CHARGE_CURRENT: current_ma > limits[CHARGE_OVER_MA],
                CHARGE_TOO_HOT: celsius_tenths > limits[CHARGE_HOT],
                CHARGE_TOO_COLD: celsius_tenths < limits[CHARGE_COLD],
                CELL_UNDER: plant.truth("battery.cell_min_mv") < limits[CELL_UNDER_MV],
                DISCHARGE_CURRENT: -current_ma > limits[DISCHARGE_OVER_MA],
                DISCHARGE_TOO_HOT: celsius_tenths > limits[DISCHARGE_HOT],
            }
        )

    def _put(self, address: int, words: Sequence[int]) -> None:
        for number, word in enumerate(words):
            self.holding[address + 2 * number] = word

    def _set(self, at: int, value: int) -> None:
        self._settings[at] = value
        words = encoding.s32_high_first(value) if at in SIGNED else encoding.u32_high_first(value)
        self._put(SETTINGS + at, words)

    def hole(self, function: int, address: int) -> int:
        if any(start <= address < start + length for start, length in BLOCKS):
            return 0
        raise RefusedError(ILLEGAL_ADDRESS)

    def read_registers(self, function: int, address: int, count: int) -> list[int]:
        if address % 2:
            raise RefusedError(ILLEGAL_ADDRESS)  # half of a register
        bank = self.holding
        places = range(address, address + 2 * count, 2)
        return [bank[at] if at in bank else self.hole(function, at) for at in places]

    def write_registers(self, function: int, address: int, values: Sequence[int]) -> None:
        at = address - SETTINGS
        if at not in self._settings or at in READ_ONLY or len(values) != 2:
            raise RefusedError(ILLEGAL_ADDRESS)
        value = values[0] << 16 | values[1]
        if at in SIGNED and value >= 1 << 31:
            value -= 1 << 32
        if at not in SIGNED and value >= 1 << 31:
            raise RefusedError(ILLEGAL_VALUE)
        self._set(at, value)
