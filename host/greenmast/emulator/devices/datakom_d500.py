"""Datakom D-500 (D-300, D-700 alike): genset controller with mains sensing.

Source: D-500 user manual rev. 06 (short list of Modbus registers), Modbus Application Manual V5.6, Victron
datakom.py, D-100 MK2 manual p. 120 (operation status codes). Function 3 reads, 6 and 16 write; 32 bits low
word first. Registers that are not in the list are exception 2, also in the middle of a request: no reading
across gaps. Single-phase set: the other phases read as zero.

The engine is started and stopped by pressing the buttons: a write of button bits to 8193. AUTO here means
ready; starting on mains failure is the site controller's affair, and so are the contactors: the GCB button
does nothing. STOP clears a latched alarm.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

from greenmast.emulator.devices import encoding
from greenmast.emulator.devices.device import (
    ILLEGAL_ADDRESS,
    ILLEGAL_VALUE,
    READ_HOLDING,
    WRITE_REGISTER,
    WRITE_REGISTERS,
    Device,
    Plant,
    RefusedError,
    put,
)
from greenmast.emulator.devices.encoding import u32_low_first
from greenmast.emulator.devices.engine_start import StartSequence

BUTTONS = 8193
PRESS_STOP, PRESS_MANUAL, PRESS_AUTO, PRESS_TEST, PRESS_RUN = 1, 2, 4, 8, 16
KNOWN_BUTTONS = 0xC7BF  # bits 0-5, 7-10, 14 and 15
MODE_STOP, MODE_RUN, MODE_AUTO, MODE_TEST = 1, 2, 4, 8  # at 10605
AT_REST, CRANK_REST, CRANKING, OFF_LOAD, ON_LOAD, STOPPING = 0, 4, 5, 8, 13, 25  # at 10604
TOPOLOGY, ONE_PHASE_TWO_WIRES = 321, 7
STATUS, MODE, DEVICE_ID, HARDWARE, SOFTWARE, SERIAL = 10604, 10605, 10609, 10610, 10611, 11687
D_500 = 0xD500
NOT_CONNECTED = 0x7FFF
NOTHING = (0, 0)


class DatakomD500(Device):
    profile = "datakom-d500"
    role = "genset"
    functions = frozenset({READ_HOLDING, WRITE_REGISTER, WRITE_REGISTERS})

    def __init__(self) -> None:
        super().__init__()
        self._mode = MODE_AUTO
        self._run = False
        self._start = StartSequence()
        self._has_run = False
        bank = self.holding
        bank.update({TOPOLOGY: ONE_PHASE_TWO_WIRES, DEVICE_ID: D_500, HARDWARE: 0x0006, SOFTWARE: 0x0058})
        put(bank, SERIAL, (0x0500, 0x0042, 0x2A01, 0x1137, 0x0009, 0x20C5))

    def refresh(self, plant: Plant) -> None:
        running = plant.truth("genset.running") > 0.5
        asked = self._run if self._mode == MODE_RUN else self._mode == MODE_TEST
        plant.genset.remote_start(self._start.update(plant.time_s, asked, running))
        rpm, watts = plant.truth("genset.rpm"), plant.truth("genset.power_w")
        self._has_run = running or (self._has_run and rpm > 0.0)
        put(self.holding, STATUS, (self._status(running, watts), self._mode))
        self._show_lines(plant)
        self._show_engine(plant, rpm)

    def _status(self, running: bool, watts: float) -> int:
        if running:
            return ON_LOAD if watts > 0.0 else OFF_LOAD
        if self._has_run:
            return STOPPING
        return {"cranking": CRANKING, "running": CRANKING, "resting": CRANK_REST}.get(
            self._start.state, AT_REST
        )

    def _show_lines(self, plant: Plant) -> None:
        """Mains and genset alike: volts and amperes of three phases, then totals, side by side."""
        bank = self.holding
        for source, volts, amperes, kilowatts, vars_, va, factor, hertz in (
            ("grid", 10240, 10264, 10292, 10308, 10324, 10334, 10338),
            ("genset", 10246, 10270, 10294, 10310, 10326, 10335, 10339),
        ):
            millivolts = plant.truth(f"{source}.voltage_mv")
            milliamperes = plant.truth(f"{source}.current_ma")
            watts = plant.truth(f"{source}.power_w")
            apparent = max(millivolts * milliamperes / 1e6, abs(watts))
            put(bank, volts, (*u32_low_first(millivolts / 100.0), *NOTHING, *NOTHING))
            put(bank, amperes, (*u32_low_first(milliamperes / 100.0), *NOTHING, *NOTHING))
            put(bank, kilowatts, encoding.s32_low_first(watts / 100.0))
            reactive = sqrt(max(apparent**2 - watts**2, 0.0))
            put(bank, vars_, encoding.s32_low_first(reactive / 100.0))
            put(bank, va, u32_low_first(apparent / 100.0))
            bank[factor] = encoding.s16(watts / apparent * 10.0 if apparent > 0.0 else 10.0)
            bank[hertz] = encoding.u16(plant.truth(f"{source}.frequency_chz"))
        put(bank, 10252, NOTHING * 6)  # line to line
        put(bank, 10276, NOTHING * 2)  # neutral currents
        put(bank, 10286, (*encoding.s32_low_first(plant.truth("genset.power_w") / 100.0), *NOTHING, *NOTHING))

    def _show_engine(self, plant: Plant, rpm: float) -> None:
        bank = self.holding
        bank[10341] = 1_380 if rpm > 500.0 else 1_260  # starter battery, 0.01 V
        put(
            bank,
            10361,
            (
                encoding.u16(plant.truth("genset.oil_kpa") / 10.0),
                encoding.s16(plant.truth("genset.coolant_dc")),
                encoding.u16(plant.truth("genset.fuel_permille")),
                NOT_CONNECTED,  # oil temperature
            ),
        )
        bank[10376] = encoding.u16(rpm)
        put(bank, 10616, u32_low_first(plant.truth("genset.starts")))
        put(bank, 10622, u32_low_first(plant.truth("genset.run_s") / 36.0))
        put(bank, 10628, u32_low_first(plant.truth("genset.energy_wh") / 100.0))

    def write_registers(self, function: int, address: int, values: Sequence[int]) -> None:
        if address != BUTTONS or len(values) != 1:
            raise RefusedError(ILLEGAL_ADDRESS)
        pressed = values[0]
        if pressed & ~KNOWN_BUTTONS:
            raise RefusedError(ILLEGAL_VALUE)
        if pressed & PRESS_STOP:
            self._mode, self._run = MODE_STOP, False
            self._start.reset()
        elif pressed & PRESS_RUN:
            self._mode, self._run = MODE_RUN, True
        elif pressed & PRESS_MANUAL:
            self._run = self._start.state != "stopped"  # a running engine keeps running
            self._mode = MODE_RUN
        elif pressed & PRESS_AUTO:
            self._mode, self._run = MODE_AUTO, False
        elif pressed & PRESS_TEST:
            self._mode = MODE_TEST
