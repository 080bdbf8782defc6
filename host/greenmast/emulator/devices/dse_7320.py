"""Deep Sea DSE7320 MkII: genset controller with mains sensing, GenComm registers.

Source: GenComm manual pages, DSE 056-051 (control keys), Victron dse.py. Address = page x 256 + offset,
function 3 to read, 16 to write, 32 bits high word first. What the controller does not measure reads as a
sentinel, not an exception. Single-phase set: L2, L3 and line-to-line read as not implemented. The engine
is started and stopped by control keys: key and one's complement in one write; telemetry start only works
in automatic mode.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

from greenmast.emulator.devices import dse_alarms, encoding
from greenmast.emulator.devices.device import (
    ILLEGAL_ADDRESS,
    READ_HOLDING,
    WRITE_REGISTERS,
    Device,
    Plant,
    RefusedError,
    put,
)
from greenmast.emulator.devices.engine_start import StartSequence

MANUFACTURER, MODEL_7320_MKII, SERIAL = 1, 32841, 7_320_001
STOP, AUTO, MANUAL = 0, 1, 2  # modes at 0x0304
ENGINE_STOPPED, ENGINE_PRE_START, ENGINE_RUNNING, ENGINE_POST_RUN = 0, 1, 3, 6

KEY_STOP, KEY_AUTO, KEY_MANUAL, KEY_START, KEY_MUTE, KEY_RESET = 35700, 35701, 35702, 35705, 35706, 35707
KEY_TELEMETRY_START, KEY_TELEMETRY_STOP, KEY_RESET_ALARMS, KEY_CLEAR_TELEMETRY = 35732, 35733, 35734, 35735
FIRST_KEY = 35700
KEYS = frozenset(
    {KEY_STOP, KEY_AUTO, KEY_MANUAL, KEY_START, KEY_MUTE, KEY_RESET, KEY_TELEMETRY_START, KEY_TELEMETRY_STOP}
    | {KEY_RESET_ALARMS, KEY_CLEAR_TELEMETRY}
)
SUPPORTED, KEY_REGISTER = 0x1000, 0x1008
SHUTDOWN_BIT, WARNING_BIT = 13, 11

PAGES = frozenset({0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x10, 0x9A})
ABSENT_U16, ABSENT_S16 = 0xFFFF, 0x7FFF
ABSENT_32 = (0xFFFF, 0xFFFF)
ABSENT_S32 = (0x7FFF, 0xFFFF)
NO_VALUE = {"u16": 0xFFFB, "s16": 0x7FFB, "u32": 0xFFFFFFFB, "s32": 0x7FFFFFFB}  # "bad data"
LOW_FUEL_PERMILLE = 100.0
SERVICE_INTERVAL_S = 250 * 3600


class Dse7320(Device):
    profile = "dse-7320"
    role = "genset"
    functions = frozenset({READ_HOLDING, WRITE_REGISTERS})
    no_value = NO_VALUE

    def __init__(self, rating_w: float) -> None:
        super().__init__()
        self._rating_w = rating_w
        self._mode = AUTO
        self._telemetry_start = self._manual_start = False
        self._start = StartSequence()
        self._has_run = False
        put(self.holding, 0x0300, (MANUFACTURER, MODEL_7320_MKII, *encoding.u32_high_first(SERIAL)))
        put(self.holding, SUPPORTED, [0] * 8)
        for key in KEYS:
            number = key - FIRST_KEY
            self.holding[SUPPORTED + number // 16] |= 0x8000 >> number % 16
        for at in (0x041E, 0x0420, 0x060C, 0x060E):  # signed power of the phases that are not there
            put(self.holding, at, ABSENT_S32)

    def refresh(self, plant: Plant) -> None:
        running = plant.truth("genset.running") > 0.5
        asked = self._telemetry_start if self._mode == AUTO else self._manual_start
        plant.genset.remote_start(self._start.update(plant.time_s, asked, running))
        rpm = plant.truth("genset.rpm")
        self._has_run = running or (self._has_run and rpm > 0.0)
        self.holding[0x0304] = self._mode
        self.holding[0x0580] = self._engine_state(running, rpm)
        self._show_instruments(plant, rpm)
        self._show_power(plant)
        self._show_counters(plant)
        self._show_alarms(plant.truth("genset.fuel_permille"))

    def _engine_state(self, running: bool, rpm: float) -> int:
        if running:
            return ENGINE_RUNNING
        if self._has_run:
            return ENGINE_POST_RUN
        return ENGINE_PRE_START if rpm > 0.0 or self._start.state != "stopped" else ENGINE_STOPPED

    def _show_instruments(self, plant: Plant, rpm: float) -> None:
        charging = rpm > 500.0
        put(
            self.holding,
            0x0400,
            (
                _u16(plant.truth("genset.oil_kpa")),
                _s16(plant.truth("genset.coolant_dc") / 10.0),
                ABSENT_S16,  # oil temperature
                _u16(plant.truth("genset.fuel_permille") / 10.0),
                140 if charging else 0,  # charge alternator, 0.1 V
                138 if charging else 126,  # starter battery, 0.1 V
                _u16(rpm),
                _u16(plant.truth("genset.frequency_chz") / 10.0),
                *_u32(plant.truth("genset.voltage_mv") / 100.0),
                *(ABSENT_32 * 5),  # L2, L3, line to line
                *_u32(plant.truth("genset.current_ma") / 100.0),
            ),
        )
        put(self.holding, 0x0423, (_u16(plant.truth("grid.frequency_chz") / 10.0),))
        put(self.holding, 0x0424, _u32(plant.truth("grid.voltage_mv") / 100.0))
        put(self.holding, 0x0431, (0, 0))  # phase rotation: undetermined with one phase

    def _show_power(self, plant: Plant) -> None:
        watts = plant.truth("genset.power_w")
        apparent = max(plant.truth("genset.voltage_mv") * plant.truth("genset.current_ma") / 1e6, abs(watts))
        reactive = _s32(sqrt(max(apparent**2 - watts**2, 0.0)))
        put(self.holding, 0x041C, _s32(watts))
        put(self.holding, 0x0600, (*_s32(watts), *_u32(apparent), *(ABSENT_32 * 2), *_u32(apparent)))
        put(self.holding, 0x060A, reactive)
        put(self.holding, 0x0610, reactive)
        self.holding[0x0616] = _s16(watts / self._rating_w * 1e3)

    def _show_counters(self, plant: Plant) -> None:
        run_s = plant.truth("genset.run_s")
        to_service = _s32(SERVICE_INTERVAL_S - run_s % SERVICE_INTERVAL_S)
        put(self.holding, 0x0702, (*to_service, *ABSENT_32, *_u32(run_s)))
        put(self.holding, 0x0708, (*_u32(plant.truth("genset.energy_wh") / 100.0), 0, 0))
        put(self.holding, 0x0710, _u32(plant.truth("genset.starts")))

    def _show_alarms(self, fuel_permille: float) -> None:
        active = {}
        if fuel_permille < LOW_FUEL_PERMILLE:
            active["low_fuel_level"] = dse_alarms.WARNING
        if self._start.shutdown:
            active[self._start.shutdown] = dse_alarms.SHUTDOWN
        levels = active.values()
        shutdown, warning = dse_alarms.SHUTDOWN in levels, dse_alarms.WARNING in levels
        self.holding[0x0306] = shutdown << SHUTDOWN_BIT | warning << WARNING_BIT
        put(self.holding, 0x0800, dse_alarms.registers(dse_alarms.PAGE_8, active, 25))
        put(self.holding, 0x9A00, dse_alarms.registers(dse_alarms.PAGE_154, active, 20))

    def hole(self, function: int, address: int) -> int:
        if address >> 8 not in PAGES or address in (KEY_REGISTER, KEY_REGISTER + 1):
            raise RefusedError(ILLEGAL_ADDRESS)
        return ABSENT_U16

    def write_registers(self, function: int, address: int, values: Sequence[int]) -> None:
        """A control key and its complement. GenComm has no exception 3: what is wrong is exception 2."""
        if (
            address != KEY_REGISTER
            or len(values) != 2
            or values[0] ^ values[1] != 0xFFFF
            or values[0] not in KEYS
        ):
            raise RefusedError(ILLEGAL_ADDRESS)
        key = values[0]
        if key == KEY_STOP:
            self._mode = STOP
            self._telemetry_start = self._manual_start = False
        elif key == KEY_AUTO:
            self._mode = AUTO
            self._manual_start = False
        elif key == KEY_MANUAL:
            self._manual_start = (
                self._mode == AUTO and self._telemetry_start
            )  # a running engine keeps running
            self._mode = MANUAL
            self._telemetry_start = False
        elif key == KEY_START:
            self._manual_start = self._mode == MANUAL
        elif key == KEY_TELEMETRY_START:
            self._telemetry_start = self._mode == AUTO
        elif key == KEY_TELEMETRY_STOP:
            self._telemetry_start = False
        elif key in (KEY_RESET, KEY_RESET_ALARMS):
            self._start.reset()
            self._telemetry_start = self._manual_start = False


def _u16(value: float) -> int:
    """Under and over range are sentinels of their own."""
    return 0xFFFD if value < 0.0 else 0xFFFE if value > 0xFFF7 else encoding.u16(value)


def _s16(value: float) -> int:
    return 0x7FFD if value < -0x8000 else 0x7FFE if value > 0x7FF7 else encoding.s16(value)


def _u32(value: float) -> encoding.Words:
    return encoding.u32_high_first(0xFFFFFFFD if value < 0.0 else min(value, 0xFFFFFFFE))


def _s32(value: float) -> encoding.Words:
    return encoding.s32_high_first(0x7FFFFFFD if value < -0x80000000 else min(value, 0x7FFFFFFE))
