"""Seplos BMS V3 (XZH protocol V0.3): battery management as an alternative to Daly.

Source: XZH BMS Modbus-RTU protocol with its worked examples, captures of esphome-seplos-bms. Function 4
reads packs (PIA 0x1000, PIB 0x1100) and the system (EIA 0x2000, 32 bits low word first), function 1 the
events (PIC 0x1200). Temperatures are tenths of a kelvin: raw = 2731 + 10 x degC. Control registers are
refused: the plant has no BMS switches to turn.
"""

from __future__ import annotations

from greenmast.emulator.devices import encoding
from greenmast.emulator.devices.cells import spread
from greenmast.emulator.devices.device import READ_COILS, READ_INPUT, Device, Plant, put

PIA, PIB, PIC, EIA = 0x1000, 0x1100, 0x1200, 0x2000
CELL_PLACES = 16
NO_PROBE = 0x0AAB
ZERO_CELSIUS = 2731
MAX_A = 180
EVENT_BYTES = 18
STATE_BYTE, FET_BYTE = 8, 15
DISCHARGING, CHARGING, STANDBY = 1 << 0, 1 << 1, 1 << 4
BOTH_FETS = 0b11
STANDBY_BELOW_MA = 50.0


class SeplosV3(Device):
    profile = "seplos-v3"
    role = "battery"
    functions = frozenset({READ_COILS, READ_INPUT})

    def __init__(self, cells: int, capacity_ah: float) -> None:
        super().__init__()
        if not 1 <= cells <= CELL_PLACES:
            raise ValueError(f"a Seplos BMS manages 1..{CELL_PLACES} cells, not {cells}")
        self._cells = cells
        self._capacity_ah = capacity_ah
        self._discharged_ah = self._time_s = 0.0

    def refresh(self, plant: Plant) -> None:
        pack_mv = plant.truth("battery.voltage_mv")
        current_ma = plant.truth("battery.current_ma")
        soc = encoding.u16(plant.truth("battery.soc_permille"))
        soh = encoding.u16(plant.truth("battery.soh_permille"))
        remaining_ah = plant.truth("battery.remaining_mah") / 1e3
        low_mv, high_mv = plant.truth("battery.cell_min_mv"), plant.truth("battery.cell_max_mv")
        cells = spread(low_mv, high_mv, self._cells)
        kelvin = encoding.u16(plant.truth("battery.temperature_dc") + ZERO_CELSIUS)
        ambient = encoding.u16(plant.truth("site.temperature_dc") + ZERO_CELSIUS)
        self._discharged_ah += max(-current_ma, 0.0) / 1e3 * (plant.time_s - self._time_s) / 3600.0
        self._time_s = plant.time_s
        cycles = encoding.u16(self._discharged_ah / self._capacity_ah)
        put(
            self.input,
            PIA,
            (
                encoding.u16(pack_mv / 10.0),
                encoding.s16(current_ma / 10.0),
                encoding.u16(remaining_ah * 100.0),
                encoding.u16(self._capacity_ah * 100.0),
                encoding.u16(self._discharged_ah / 10.0),
                soc,
                soh,
                cycles,
                encoding.u16(sum(cells) / self._cells),
                kelvin,
                encoding.u16(high_mv),
                encoding.u16(low_mv),
                kelvin,
                kelvin,
                0,
                MAX_A,
                MAX_A,
                1000,  # pre-charge complete
            ),
        )
        put(
            self.input,
            PIB,
            [encoding.u16(cell_mv) for cell_mv in cells]
            + [0] * (CELL_PLACES - self._cells)
            + [kelvin] * 4
            + [NO_PROBE] * 4
            + [ambient, kelvin],
        )
        put(
            self.input,
            EIA,
            (
                *encoding.u32_low_first(pack_mv / 10.0),
                *encoding.s32_low_first(current_ma / 100.0),
                *encoding.u32_low_first(remaining_ah * 100.0),
                *encoding.u32_low_first(self._capacity_ah * 100.0),
                *encoding.u32_low_first(self._discharged_ah / 10.0),
                *encoding.u32_low_first(self._capacity_ah * 100.0),
                *encoding.u32_low_first(1),  # packs on line
                *encoding.u32_low_first(0),  # packs in protection
                *encoding.u32_low_first(MAX_A * 10),
                *encoding.u32_low_first(MAX_A * 10),
                encoding.u16(self._cells * 36.0),  # over-voltage and under-voltage advice, 0.1 V
                encoding.u16(self._cells * 29.0),
                1,  # packs in parallel
                cycles,
                soc,
                soh,
            ),
        )
        events = bytearray(EVENT_BYTES)
        events[STATE_BYTE] = (
            STANDBY if abs(current_ma) < STANDBY_BELOW_MA else CHARGING if current_ma > 0 else DISCHARGING
        )
        events[FET_BYTE] = BOTH_FETS
        self.coils = {PIC + bit: bool(events[bit >> 3] >> (bit & 7) & 1) for bit in range(8 * EVENT_BYTES)}
