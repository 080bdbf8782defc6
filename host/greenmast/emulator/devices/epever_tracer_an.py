"""EPEver Tracer AN, 100 A class at 48 V: MPPT charger between the array and the bus.

Source: B-series protocol V2.3/V2.4, registers.py and captures of kasbert/epsolar-tracer. Function 4 reads
measurements, 32 bits low word first, 0.01 units; 3/16 the settings; 5 and 1 coils, 2 discrete inputs. A
range read by the other function, and every hole, is exception 2. The charger is powered from the bus: its
load output stays unused.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from greenmast.emulator.devices import encoding
from greenmast.emulator.devices.device import (
    DEVICE_FAILURE,
    ILLEGAL_ADDRESS,
    ILLEGAL_VALUE,
    READ_COILS,
    READ_DISCRETE,
    READ_HOLDING,
    READ_INPUT,
    WRITE_COIL,
    WRITE_COILS,
    WRITE_REGISTERS,
    Device,
    Plant,
    RefusedError,
    put,
)

RATED_PV_V, RATED_A, SYSTEM_V = 150.0, 100.0, 48.0
MPPT = 2
POWER_UP = datetime(2025, 1, 1)  # what the clock shows until a master sets it
CLEAR_STATISTICS = 0x14
OVER_TEMPERATURE, NIGHT = 0x2000, 0x200C
NIGHT_BELOW_V = 20.0
RUNNING, BOOST, NO_INPUT = 1 << 0, 2 << 2, 1 << 14  # charging status

# Battery set-points from 0x9003, 0.01 V of a 12 V system, times four for 48 V
SETPOINTS = 0x9003
(
    OVD,
    LIMIT,
    OV_RECONNECT,
    EQUALISE,
    BOOST_V,
    FLOAT_V,
    BOOST_RECONNECT,
    LV_RECONNECT,
    UV_RECOVER,
    UV_WARN,
    LVD,
    DISCHARGE,
) = range(12)
SETPOINTS_12V = (1600, 1500, 1500, 1460, 1440, 1380, 1320, 1260, 1220, 1200, 1110, 1060)
ABOVE = (  # of each pair the first must lie above the second
    (OVD, LIMIT), (OVD, OV_RECONNECT), (FLOAT_V, BOOST_RECONNECT), (LV_RECONNECT, LVD),
    (UV_RECOVER, UV_WARN), (UV_WARN, LVD), (LVD, DISCHARGE),
)  # fmt: skip
NOT_BELOW = ((LIMIT, EQUALISE), (EQUALISE, BOOST_V), (BOOST_V, FLOAT_V))
BATTERY_BLOCK, BATTERY_BLOCK_END = 0x9000, 0x900F
CLOCK = 0x9013
SETTINGS = {  # other settings as delivered
    0x9000: 0, 0x9001: 300, 0x9002: 0,
    0x9016: 30, 0x9017: 6500, 0x9018: 0xF060, 0x9019: 8500, 0x901A: 7500, 0x901B: 8500, 0x901C: 7500,
    0x901D: 0, 0x901E: 500, 0x901F: 10, 0x9020: 600, 0x9021: 10,
    0x903D: 0, 0x903E: 0x0100, 0x903F: 0x0100,
    **dict.fromkeys(range(0x9042, 0x904E), 0),
    0x9067: 4, 0x906A: 0, 0x906B: 120, 0x906C: 120, 0x906D: 80, 0x906E: 100, 0x9070: 0,
}  # fmt: skip


class EpeverTracerAn(Device):
    profile = "epever-tracer-an"
    role = "solar"
    functions = frozenset(
        {READ_COILS, READ_DISCRETE, READ_HOLDING, READ_INPUT, WRITE_COIL, WRITE_COILS, WRITE_REGISTERS}
    )

    def __init__(self) -> None:
        super().__init__()
        self.coils = dict.fromkeys((0, 1, 2, 3, 5, 6, 0x13, CLEAR_STATISTICS), False) | {0: True}
        self.holding = dict(SETTINGS)
        put(self.holding, SETPOINTS, [4 * value for value in SETPOINTS_12V])
        rated_w = encoding.u32_low_first(RATED_A * SYSTEM_V * 100.0)
        put(self.input, 0x3000, (_centi(RATED_PV_V), _centi(RATED_A), *rated_w))
        put(self.input, 0x3004, (_centi(SYSTEM_V), _centi(RATED_A), *rated_w, MPPT))
        put(self.input, 0x300D, (_centi(SYSTEM_V), 2000, *encoding.u32_low_first(20.0 * SYSTEM_V * 100.0)))
        self.input[0x311D] = _centi(SYSTEM_V)
        self._clear = False
        self._clock_s = 0.0  # plant time at which the clock showed `_clock`
        self._clock = POWER_UP
        self._time_s = 0.0
        self._energy_wh = self._cleared_wh = self._day_wh = 0.0
        self._day: date | None = None
        self._pv_v: tuple[float, float] = (0.0, 0.0)
        self._battery_v: tuple[float, float] = (0.0, 0.0)

    def refresh(self, plant: Plant) -> None:
        pv_v = plant.truth("solar.voltage_mv") / 1e3
        pv_a = plant.truth("solar.current_ma") / 1e3
        charge_w = plant.truth("solar.power_w")
        battery_v = plant.truth("dc.bus_mv") / 1e3
        charge_a = charge_w / battery_v if battery_v > 0.0 else 0.0
        temperature = encoding.s16(plant.truth("battery.temperature_dc") * 10.0)
        case = encoding.s16(plant.truth("site.temperature_dc") * 10.0)
        self._account(plant, pv_v, battery_v)
        bank = self.input
        put(bank, 0x3100, (_centi(pv_v), _centi(pv_a), *encoding.u32_low_first(pv_v * pv_a * 100.0)))
        put(bank, 0x3104, (_centi(battery_v), _centi(charge_a), *encoding.u32_low_first(charge_w * 100.0)))
        put(bank, 0x310C, (0, 0, 0, 0, temperature, case, case))
        put(bank, 0x311A, (encoding.u16(plant.truth("battery.soc_permille") / 10.0), temperature))
        dark = pv_v < NIGHT_BELOW_V
        put(bank, 0x3200, (0, RUNNING | (BOOST if charge_w > 0.0 else 0) | (NO_INPUT if dark else 0), 0))
        put(bank, 0x331A, (_centi(battery_v), *encoding.s32_low_first(charge_a * 100.0), temperature, case))
        self.discrete = {OVER_TEMPERATURE: False, NIGHT: dark}

    def _account(self, plant: Plant, pv_v: float, battery_v: float) -> None:
        """Extremes and energy of the clock's day, and the total, which stands for month and year as well."""
        self._energy_wh = plant.truth("solar.energy_wh")
        if self._clear:
            self._clear = False
            self._cleared_wh = self._energy_wh
            self._day = None
        now = self._clock + timedelta(seconds=plant.time_s - self._clock_s)
        self._time_s = plant.time_s
        put(
            self.holding,
            CLOCK,
            (now.minute << 8 | now.second, now.day << 8 | now.hour, (now.year - 2000) << 8 | now.month),
        )
        if now.date() != self._day:
            self._day, self._day_wh = now.date(), self._energy_wh
            self._pv_v, self._battery_v = (pv_v, pv_v), (battery_v, battery_v)
        self._pv_v = (max(self._pv_v[0], pv_v), min(self._pv_v[1], pv_v))
        self._battery_v = (max(self._battery_v[0], battery_v), min(self._battery_v[1], battery_v))
        put(self.input, 0x3300, [_centi(volts) for volts in (*self._pv_v, *self._battery_v)])
        put(self.input, 0x3304, [0] * 8)  # consumed by the load output
        today = encoding.u32_low_first((self._energy_wh - self._day_wh) / 10.0)
        total_wh = self._energy_wh - self._cleared_wh
        total = encoding.u32_low_first(total_wh / 10.0)
        put(self.input, 0x330C, (*today, *(total * 3), *encoding.u32_low_first(total_wh / 10_000.0)))

    def write_registers(self, function: int, address: int, values: Sequence[int]) -> None:
        """Battery set-points only as a whole and in order (else exception 4), the clock only as a whole."""
        end = address + len(values)
        if any(at not in self.holding for at in range(address, end)):
            raise RefusedError(ILLEGAL_ADDRESS)
        if address < BATTERY_BLOCK_END:
            whole = end == BATTERY_BLOCK_END and address in (BATTERY_BLOCK, SETPOINTS)
            if not whole or not _ordered(values[-len(SETPOINTS_12V) :]):
                raise RefusedError(DEVICE_FAILURE)
        elif address < CLOCK + 3:
            self._set_clock(address, values)
        put(self.holding, address, values)

    def _set_clock(self, address: int, values: Sequence[int]) -> None:
        if address != CLOCK or len(values) != 3:
            raise RefusedError(ILLEGAL_VALUE)
        (minute, second), (day, hour), (year, month) = (divmod(word, 256) for word in values)
        try:
            self._clock = datetime(2000 + year, month, day, hour, minute, second)
        except ValueError:
            raise RefusedError(ILLEGAL_VALUE) from None
        self._clock_s = self._time_s

    def write_coils(self, function: int, address: int, values: Sequence[bool]) -> None:
        if function == WRITE_COILS or address not in self.coils:
            raise RefusedError(ILLEGAL_ADDRESS)
        if address == CLEAR_STATISTICS:
            self._clear = self._clear or values[0]
        else:
            self.coils[address] = values[0]


def _centi(value: float) -> int:
    return encoding.u16(value * 100.0)


def _ordered(volts: Sequence[int]) -> bool:
    return all(volts[a] > volts[b] for a, b in ABOVE) and all(volts[a] >= volts[b] for a, b in NOT_BELOW)
