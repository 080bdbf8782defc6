"""PACE BMS, Modbus V1.3 (P16S100A and its many brands): battery management of one string.

Source: PACE BMS Modbus protocol for RS485 V1.3 (2017-06-27), the register log of a Gobel Power RN150
(esphome-pace-bms, issue 8) and openwatt's PACE profile. Function 3 reads, function 16 writes; one register
per value; current positive when charging; temperatures in tenths of a degree. Reserved places read as zero,
beyond register 179 there is nothing. Parameters 60..114 can be written and the flags follow them; serial
numbers too. The switches are those of the plant's battery. A real one wants 100 ms between frames.
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
    put,
)

END = 180
CELL_PLACES, SENSORS = 16, 4
VERSION, MODEL_SN, PACK_SN, TEXT_WORDS = 150, 160, 170, 10
STANDBY_BELOW_MA = 50.0
PARAMETERS = range(60, 115)
SOC_ALARM = 112
# Delay times are single bytes, the threshold is in percent
HIGHEST = {**dict.fromkeys((63, 67, 71, 75, 78, 81, 83, 111, 114), 0xFF), SOC_ALARM: 100}
# At delivery, per cell in mV: alarm, protection, release; then the delay in 0.1 s
CELL_OVER, CELL_UNDER, DELAY = (3_600, 3_650, 3_400), (2_800, 2_500, 2_900), 10
# Register of the first of alarm, protection, release -> 0.1 degC
TEMPERATURES = {
    84: (550, 600, 520),  # hot while charging
    87: (550, 600, 520),  # hot while discharging
    90: (50, 0, 40),  # cold while charging
    93: (-150, -200, -100),  # cold while discharging
    96: (900, 1_100, 850),  # switches
    99: (650, 750, 600),  # hot around
    102: (-150, -200, -100),  # cold around
}
ALARM, PROTECTION = 0, 1  # places in such a triple


class PaceBms(Device):
    profile = "pace-bms"
    role = "battery"
    functions = frozenset({READ_HOLDING, WRITE_REGISTERS})

    def __init__(self, cells: int, capacity_ah: float) -> None:
        super().__init__()
        if not 1 <= cells <= CELL_PLACES:
            raise ValueError(f"a PACE BMS manages 1..{CELL_PLACES} cells, not {cells}")
        self._cells = cells
        self._capacity_ah = capacity_ah
        self._discharged_ah = self._time_s = 0.0
        bank = self.holding
        put(bank, 60, [cell_mv * cells for cell_mv in CELL_OVER] + [DELAY, *CELL_OVER, DELAY])
        put(bank, 68, [cell_mv * cells for cell_mv in CELL_UNDER] + [DELAY, *CELL_UNDER, DELAY])
        amperes = [round(capacity_ah * part) for part in (0.52, 0.55, 1.0, 1.1, 2.0)]
        put(bank, 76, (*amperes[:2], DELAY, *amperes[2:4], DELAY, amperes[4], 8))
        for register, limits in TEMPERATURES.items():
            put(bank, register, [encoding.s16(celsius_tenths) for celsius_tenths in limits])
        put(bank, 105, (3_400, 30, 3_450 * cells, 2_000, 3_150, 5, 12, 5, amperes[4], 8))
        put(bank, VERSION, encoding.ascii_words("P16S100A-1B470-3.01", TEXT_WORDS))
        put(bank, MODEL_SN, encoding.ascii_words("1B47000000001", TEXT_WORDS))
        put(bank, PACK_SN, encoding.ascii_words("GM48300-000001", TEXT_WORDS))

    def refresh(self, plant: Plant) -> None:
        low_mv, high_mv = plant.truth("battery.cell_min_mv"), plant.truth("battery.cell_max_mv")
        current_ma = plant.truth("battery.current_ma")
        self._discharged_ah += max(-current_ma, 0.0) / 1e3 * (plant.time_s - self._time_s) / 3_600.0
        self._time_s = plant.time_s
        capacity = encoding.u16(self._capacity_ah * 100.0)
        celsius_tenths = encoding.s16(plant.truth("battery.temperature_dc"))
        put(
            self.holding,
            0,
            (
                encoding.s16(current_ma / 10.0),
                encoding.u16(plant.truth("battery.voltage_mv") / 10.0),
                encoding.u16(plant.truth("battery.soc_permille") / 10.0),
                encoding.u16(plant.truth("battery.soh_permille") / 10.0),
                encoding.u16(plant.truth("battery.remaining_mah") / 10.0),
                capacity,
                capacity,
                encoding.u16(int(self._discharged_ah / self._capacity_ah)),
                0,
                self._warnings(plant),
                self._protections(plant),
                self._status(plant, current_ma),
                0,  # balancing
            ),
        )
        put(self.holding, 15, [encoding.u16(cell_mv) for cell_mv in spread(low_mv, high_mv, self._cells)])
        put(
            self.holding,
            15 + CELL_PLACES,
            [celsius_tenths] * (SENSORS + 1) + [encoding.s16(plant.truth("site.temperature_dc"))],
        )

    def _warnings(self, plant: Plant) -> int:
        return encoding.flags(
            {
                **self._beyond(plant, ALARM),
                12: plant.truth("site.temperature_dc") > self._signed(99),
                13: plant.truth("site.temperature_dc") < self._signed(102),
                14: plant.truth("battery.temperature_dc") > self._signed(96),
                15: plant.truth("battery.soc_permille") < self.holding[SOC_ALARM] * 10.0,
            }
        )

    def _protections(self, plant: Plant) -> int:
        return encoding.flags(
            {
                **self._beyond(plant, PROTECTION),
                12: plant.truth("battery.temperature_dc") > self._signed(97),
                13: plant.truth("site.temperature_dc") > self._signed(100),
                14: plant.truth("site.temperature_dc") < self._signed(103),
            }
        )

    def _beyond(self, plant: Plant, which: int) -> dict[int, bool]:
        """What warnings and protections share, by the ALARM or the PROTECTION limits."""
        limit = self.holding
        pack_mv, current_a = plant.truth("battery.voltage_mv"), plant.truth("battery.current_ma") / 1e3
        celsius_tenths = plant.truth("battery.temperature_dc")
        return {
            0: plant.truth("battery.cell_max_mv") > limit[64 + which],
            1: plant.truth("battery.cell_min_mv") < limit[72 + which],
            2: pack_mv > limit[60 + which],
            3: pack_mv < limit[68 + which],
            4: current_a > limit[76 + which],
            5: -current_a > limit[79 + which],
            8: celsius_tenths > self._signed(84 + which),
            9: celsius_tenths > self._signed(87 + which),
            10: celsius_tenths < self._signed(90 + which),
            11: celsius_tenths < self._signed(93 + which),
        }

    def _signed(self, register: int) -> int:
        value = self.holding[register]
        return value - 0x10000 if value & 0x8000 else value

    @staticmethod
    def _status(plant: Plant, current_ma: float) -> int:
        return encoding.flags(
            {
                8: current_ma > STANDBY_BELOW_MA,  # charging
                9: current_ma < -STANDBY_BELOW_MA,
                10: plant.truth("battery.charge_blocked") < 0.5,  # switches closed
                11: plant.truth("battery.discharge_blocked") < 0.5,
            }
        )

    def hole(self, function: int, address: int) -> int:
        if address < END:
            return 0
        raise RefusedError(ILLEGAL_ADDRESS)

    def write_registers(self, function: int, address: int, values: Sequence[int]) -> None:
        places = range(address, address + len(values))
        if places[-1] >= END:
            raise RefusedError(ILLEGAL_ADDRESS)
        if not all(at in PARAMETERS or at >= MODEL_SN for at in places):
            raise RefusedError(ILLEGAL_VALUE)  # "its operation is not allowed"
        if any(value > HIGHEST.get(at, 0xFFFF) for at, value in zip(places, values, strict=True)):
            raise RefusedError(ILLEGAL_VALUE)
        put(self.holding, address, values)
