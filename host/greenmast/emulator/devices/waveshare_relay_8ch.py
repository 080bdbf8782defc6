"""Waveshare Modbus RTU Relay (D): eight relays and eight inputs on RS-485.

Source: waveshare.com wiki, Modbus RTU Relay (D), development protocol V2/V3, and drivers that run on it.
`coils` are the relays (True: coil energised), `discrete` the inputs (True: closed or powered): whoever owns
the wiring reads the first and sets the second. Relays begin de-energised; the module has no watchdog and
keeps what it was told. Beside on and off function 5 takes 0x5500 (toggle) and special addresses: all
relays, toggle, and flash, whose value is a duration in 0.1 s. Functions 3 and 6 or 16: how inputs act on
relays, and the port, which a real module takes up when it is powered again.
"""

from __future__ import annotations

from collections.abc import Sequence

from greenmast.emulator.devices.device import (
    COIL_VALUES,
    ILLEGAL_ADDRESS,
    ILLEGAL_VALUE,
    READ_COILS,
    READ_DISCRETE,
    READ_HOLDING,
    WRITE_COIL,
    WRITE_COILS,
    WRITE_REGISTER,
    WRITE_REGISTERS,
    Device,
    Plant,
    RefusedError,
    put,
)

CHANNELS = 8
TOGGLE = 0x5500
ALL, TOGGLES, FLASH_ON, FLASH_OFF = 0x00FF, 0x0100, 0x0200, 0x0400  # channel or ALL in the low byte
MODES, UART, ADDRESS, VERSION = 0x1000, 0x2000, 0x4000, 0x8000
NORMAL, LINKAGE, TOGGLE_MODE, EDGE = range(4)  # how an input acts on the relay of its number
BAUD_CODES, PARITY_CODES = 8, 3


class WaveshareRelay8ch(Device):
    profile = "waveshare-relay-8ch"
    role = "io"
    functions = frozenset(
        {READ_COILS, READ_DISCRETE, READ_HOLDING, WRITE_COIL, WRITE_COILS, WRITE_REGISTER, WRITE_REGISTERS}
    )

    def __init__(self) -> None:
        super().__init__()
        self.coils = dict.fromkeys(range(CHANNELS), False)
        self.discrete = dict.fromkeys(range(CHANNELS), False)
        put(self.holding, MODES, [NORMAL] * CHANNELS)
        self.holding.update({UART: 0x0001, ADDRESS: 1, VERSION: 200})
        self._inputs_before = dict(self.discrete)
        self._time_s = 0.0
        self._flashes: dict[int, tuple[float, bool]] = {}  # relay -> when the flash ends, and its state then

    def refresh(self, plant: Plant) -> None:
        """End what flashes, and let inputs act on relays that are set to follow them."""
        self._time_s = plant.time_s
        for channel, (end_s, state) in list(self._flashes.items()):
            if self._time_s >= end_s:
                self._switch(channel, state)
        for channel, closed in self.discrete.items():
            mode = self.holding[MODES + channel]
            changed = closed != self._inputs_before[channel]
            if mode == LINKAGE:
                self.coils[channel] = closed
            elif changed and (mode == EDGE or (mode == TOGGLE_MODE and closed)):
                self._switch(channel, not self.coils[channel])
            self._inputs_before[channel] = closed

    def _switch(self, channel: int, state: bool) -> None:
        self._flashes.pop(channel, None)
        self.coils[channel] = state

    def write_coil(self, address: int, value: int) -> None:
        channel = address & 0xFF
        special = address - channel
        if special in (FLASH_ON, FLASH_OFF) and channel in self.coils:
            state = special == FLASH_ON
            self._switch(channel, state)
            self._flashes[channel] = self._time_s + value / 10.0, not state
            return
        channels = range(CHANNELS) if channel == ALL else (channel,)
        if special not in (0, TOGGLES) or any(number not in self.coils for number in channels):
            raise RefusedError(ILLEGAL_ADDRESS)
        if value != TOGGLE and value not in COIL_VALUES:
            raise RefusedError(ILLEGAL_VALUE)
        toggles = value == TOGGLE or special == TOGGLES
        for number in channels:
            self._switch(number, not self.coils[number] if toggles else COIL_VALUES[value])

    def write_coils(self, function: int, address: int, values: Sequence[bool]) -> None:
        if address + len(values) > CHANNELS:
            raise RefusedError(ILLEGAL_ADDRESS)
        for channel, state in enumerate(values, address):
            self._switch(channel, state)

    def write_registers(self, function: int, address: int, values: Sequence[int]) -> None:
        for at, value in enumerate(values, address):
            if at not in self.holding or at == VERSION:
                raise RefusedError(ILLEGAL_ADDRESS)
            if not _valid(at, value):
                raise RefusedError(ILLEGAL_VALUE)
        put(self.holding, address, values)


def _valid(address: int, value: int) -> bool:
    if address == UART:
        return value >> 8 < PARITY_CODES and value & 0xFF < BAUD_CODES
    if address == ADDRESS:
        return 1 <= value <= 0xFF
    return value <= EDGE
