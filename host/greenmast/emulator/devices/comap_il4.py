"""ComAp InteliLite 4 (AMF20, AMF25): genset controller.

Source: InteliLite4 AMF20 Global Guide pp. 189-197 (exceptions, reserved registers, commands, examples),
InteliLite Global Guide (nominal power at 1228), Victron comap.py. Functions 3 and 4 read the same, 32 bits
high word first. A register that is not there, or that lies inside a value of several registers, is exception
2: a request must cover whole values without a gap, so the identity at 1307 is read with all its 16. A
function that does not fit the kind of object is exception 1, everything else that fails exception 4.

Single-phase set. Remote start by coil 4700 works in automatic mode; the start and stop commands are the
buttons on the front and work in manual mode. Commands that switch breakers are refused: they are the site
controller's. Which registers exist follows the configuration of a real one; this is the one of Victron.
"""

from __future__ import annotations

from collections.abc import Sequence

from greenmast.emulator.devices import encoding
from greenmast.emulator.devices.device import (
    DEVICE_FAILURE,
    ILLEGAL_ADDRESS,
    ILLEGAL_FUNCTION,
    READ_COILS,
    READ_HOLDING,
    READ_INPUT,
    WRITE_COIL,
    WRITE_REGISTER,
    WRITE_REGISTERS,
    Device,
    Plant,
    RefusedError,
    put,
)
from greenmast.emulator.devices.engine_start import StartSequence

OFF, MANUAL, AUTO, TEST = range(4)  # modes at 1382
READY, NOT_READY, CRANKING, PAUSE, STARTING, RUNNING, LOADED = 1, 2, 4, 5, 6, 7, 8  # states at 1298
STOPPING, SHUTDOWN = 11, 12
SINGLE_PHASE = 0  # connection at 1301
STATE, CONNECTION, MODE = 1298, 1301, 1382
RUN_UP_RPM = 1_350.0

IDENTITY, FIRMWARE, NAME = 1307, 1323, 3000
# First register of a value -> how many it has
LENGTHS = {
    **dict.fromkeys((1004, 1006, 1008, 1010, *range(1020, 1024), *range(1036, 1040), *range(1043, 1046)), 1),
    **dict.fromkeys((1053, 1055, 1228, STATE, CONNECTION, MODE, 4204, 4214), 1),
    **dict.fromkeys((1013, 1263, 4200, 4202, 4205, 4207, 4212), 2),
    IDENTITY: 16,
    FIRMWARE: 8,
    NAME: 8,
}
REMOTE_START = 4700
ARGUMENT, COMMAND, LAST_ERROR, ALARMS = 4207, 4209, 4205, 4214
INVALID_ARGUMENT, REFUSED = 1, 2
# Command code -> argument -> return value
COMMANDS = {
    0x01: {0x01FE0000: 0x1FF, 0x02FD0000: 0x2FE, 0x04FB0000: 0x4FC, 0x08F70000: 0x8F8},
    0x02: {
        0x11EE0000: 0x11EF, 0x11EF0000: 0x11F0, 0x11F00000: 0x11F1,
        0x12ED0000: 0x12EE, 0x12EE0000: 0x12EF, 0x12EF0000: 0x12F0,
    },
}  # fmt: skip
START, STOP, HORN_RESET, FAULT_RESET = COMMANDS[0x01]
LOW_FUEL_PERMILLE = 100.0


class ComapIl4(Device):
    """`mode` is turned on the front of the controller, not by Modbus."""

    profile = "comap-il4"
    role = "genset"
    functions = frozenset({READ_COILS, READ_HOLDING, READ_INPUT, WRITE_COIL, WRITE_REGISTER, WRITE_REGISTERS})

    def __init__(self, rating_w: float) -> None:
        super().__init__()
        self.mode = AUTO
        self._remote_start = self._manual_start = False
        self._start = StartSequence()
        self._has_run = False
        self._argument = 0
        put(self.holding, IDENTITY, encoding.ascii_words("InteliLite4-AMF20".ljust(32, "\0"), 16))
        put(self.holding, FIRMWARE, encoding.ascii_words("1.9.0.5".ljust(16, "\0"), 8))
        put(self.holding, NAME, encoding.ascii_words("InteliLite4".ljust(16, "\0"), 8))
        put(self.holding, 1228, (encoding.u16(rating_w / 1e3),))
        self._rating_w = rating_w
        for address in (4200, 4202, LAST_ERROR, ARGUMENT, 4212):
            put(self.holding, address, (0, 0))
        self.holding[4204] = 0

    def refresh(self, plant: Plant) -> None:
        running = plant.truth("genset.running") > 0.5
        if self.mode != AUTO:
            self._remote_start = False
        asked = {AUTO: self._remote_start, MANUAL: self._manual_start, TEST: True}.get(self.mode, False)
        plant.genset.remote_start(self._start.update(plant.time_s, asked, running))
        self.coils[REMOTE_START] = self._remote_start
        rpm = plant.truth("genset.rpm")
        self._has_run = running or (self._has_run and rpm > 0.0)
        watts = plant.truth("genset.power_w")
        fuel_permille = plant.truth("genset.fuel_permille")
        kilowatts, amperes = encoding.s16(watts / 1e3), encoding.u16(plant.truth("genset.current_ma") / 1e3)
        for address, words in (
            (1004, (encoding.u16(rpm),)),
            (1006, (encoding.s16(plant.truth("genset.coolant_dc") / 10.0),)),
            (1008, (encoding.s16(plant.truth("genset.oil_kpa") / 10.0),)),
            (1010, (encoding.u16(watts / self._rating_w * 100.0),)),
            (1013, encoding.u32_high_first(plant.truth("genset.run_s") / 360.0)),
            (1020, (kilowatts, kilowatts, 0, 0)),
            (1036, (encoding.u16(plant.truth("genset.frequency_chz") / 10.0),)),
            (1037, (encoding.u16(plant.truth("genset.voltage_mv") / 1e3), 0, 0)),
            (1043, (amperes, 0, 0)),
            (1053, (138 if rpm > 500.0 else 126,)),  # starter battery, 0.1 V
            (1055, (encoding.u16(fuel_permille / 10.0),)),
            (1263, encoding.u32_high_first(plant.truth("genset.energy_wh") / 1e3)),
            (STATE, (self._state(running, rpm, watts),)),
            (CONNECTION, (SINGLE_PHASE,)),
            (MODE, (self.mode,)),
            (ALARMS, (bool(self._start.shutdown) + (fuel_permille < LOW_FUEL_PERMILLE),)),
        ):
            put(self.holding, address, words)

    def _state(self, running: bool, rpm: float, watts: float) -> int:
        if running:
            return LOADED if watts > 0.0 else RUNNING if rpm >= RUN_UP_RPM else STARTING
        if self._has_run:
            return SHUTDOWN if self._start.shutdown else STOPPING
        if self._start.shutdown or self.mode == OFF:
            return NOT_READY
        return {"cranking": CRANKING, "running": CRANKING, "resting": PAUSE}.get(self._start.state, READY)

    def bank(self, function: int) -> dict[int, int]:
        return self.holding

    def read_registers(self, function: int, address: int, count: int) -> list[int]:
        if address == REMOTE_START:
            raise RefusedError(ILLEGAL_FUNCTION)
        at = address
        while at < address + count:
            if at not in LENGTHS:
                raise RefusedError(ILLEGAL_ADDRESS)
            at += LENGTHS[at]
        if at != address + count:
            raise RefusedError(ILLEGAL_ADDRESS)  # ends inside a value
        return super().read_registers(function, address, count)

    def write_coils(self, function: int, address: int, values: Sequence[bool]) -> None:
        if address != REMOTE_START:
            raise RefusedError(ILLEGAL_ADDRESS)
        self._remote_start = values[0] and self.mode == AUTO

    def write_registers(self, function: int, address: int, values: Sequence[int]) -> None:
        """The argument, then the command code; both may come in one write."""
        if address == REMOTE_START:
            raise RefusedError(ILLEGAL_FUNCTION)
        if (address, len(values)) not in ((ARGUMENT, 2), (ARGUMENT, 3), (COMMAND, 1)):
            raise RefusedError(ILLEGAL_ADDRESS)
        if values[-1] not in COMMANDS and len(values) != 2:
            raise RefusedError(DEVICE_FAILURE)
        if address == ARGUMENT:
            self._argument = values[0] << 16 | values[1]
        if len(values) != 2:
            put(self.holding, ARGUMENT, encoding.u32_high_first(self._carry_out(values[-1])))

    def _carry_out(self, command: int) -> int:
        """Return value of `command` with the argument written before."""
        done = COMMANDS[command].get(self._argument)
        if done is None:
            return INVALID_ARGUMENT
        if self._argument == FAULT_RESET:
            self._start.reset()
        elif self._argument in (START, STOP) and self.mode == MANUAL:
            self._manual_start = self._argument == START
        elif self._argument != HORN_RESET:
            return REFUSED
        return done
