"""Victron GX, Modbus TCP: a solar charger and a SmartShunt, each a unit of its own.

Source: victronenergy/dbus_modbustcp, attributes.csv (registers, types, scales) and its server (conversion,
errors). Functions 3 and 4 read the same. Any registered address of the unit's service can be read; what
the device does not measure is 0, what is reserved 0xFFFF. An address of another service is exception 0x0A
(the unit has no such service), one that is registered nowhere, or a gap inside a read, exception 2. 32 bits
are high word first. Nothing can be switched: the plant has no switch in its charger, so turning it off is
refused as the server refuses what a device does not carry out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from greenmast.emulator.devices import encoding
from greenmast.emulator.devices.device import (
    ILLEGAL_ADDRESS,
    READ_HOLDING,
    READ_INPUT,
    WRITE_REGISTER,
    WRITE_REGISTERS,
    Device,
    Plant,
    RefusedError,
    put,
)

GATEWAY_PATH_UNAVAILABLE = 0x0A
RESERVED = 0xFFFF
BATTERY = (range(256, 332), range(1282, 1344))
SOLAR_CHARGER = (range(771, 794), range(3700, 3748))
SOLAR_RESERVED = (782, 783, 3704, 3705, 3706, 3707, 3739)
MODE, ON = 774, 1
OFF, BULK, FLOAT = 0, 3, 5  # states of a charger
NOT_TRACKING, LIMITED, TRACKING = 0, 1, 2  # MPP operation modes
DARK_BELOW_V = 20.0
DAY_S = 86_400.0
LONGEST_TIME_TO_GO_S = 864_000.0


class VictronUnit(Device):
    """A unit behind the GX: the registers of one service."""

    functions = frozenset({READ_HOLDING, READ_INPUT, WRITE_REGISTER, WRITE_REGISTERS})
    service: ClassVar[tuple[range, ...]]

    def __init__(self) -> None:
        super().__init__()
        self.holding = {address: 0 for block in self.service for address in block}
        self.input = self.holding

    def hole(self, function: int, address: int) -> int:
        elsewhere = any(address in block for block in (*BATTERY, *SOLAR_CHARGER))
        raise RefusedError(GATEWAY_PATH_UNAVAILABLE if elsewhere else ILLEGAL_ADDRESS)

    def write_registers(self, function: int, address: int, values: Sequence[int]) -> None:
        if any(at not in self.holding for at in range(address, address + len(values))):
            self.hole(function, address)
        if address != MODE or MODE not in self.holding or len(values) != 1:
            raise RefusedError(ILLEGAL_ADDRESS)  # read only
        if values[0] != ON:
            raise RefusedError(GATEWAY_PATH_UNAVAILABLE)


class VictronMppt(VictronUnit):
    """SmartSolar MPPT with one tracker."""

    profile = "victron-mppt"
    role = "solar"
    service = SOLAR_CHARGER

    def __init__(self) -> None:
        super().__init__()
        self.holding.update(dict.fromkeys(SOLAR_RESERVED, RESERVED))
        self.holding[MODE] = ON
        put(self.holding, 3740, encoding.ascii_words("SmartSolar MPPT\0", 8))
        self._day: int | None = None
        self._day_wh = self._yesterday_wh = 0.0
        self._max_w = self._yesterday_max_w = 0.0

    def refresh(self, plant: Plant) -> None:
        bus_v = plant.truth("dc.bus_mv") / 1e3
        pv_v = plant.truth("solar.voltage_mv") / 1e3
        pv_a = plant.truth("solar.current_ma") / 1e3
        pv_w = pv_v * pv_a
        charge_a = plant.truth("solar.power_w") / bus_v if bus_v > 0.0 else 0.0
        energy_wh = plant.truth("solar.energy_wh")
        self._account(plant.time_s, energy_wh, pv_w)
        dark = pv_v < DARK_BELOW_V
        bank = self.holding
        bank[771] = encoding.u16(bus_v * 100.0)
        bank[772] = encoding.s16(charge_a * 10.0)
        bank[775] = OFF if dark else BULK if charge_a > 0.0 else FLOAT
        bank[776] = encoding.u16(pv_v * 100.0)
        bank[777] = encoding.s16(pv_a * 10.0)
        put(
            bank,
            784,
            (
                encoding.u16((energy_wh - self._day_wh) / 100.0),
                encoding.u16(self._max_w),
                encoding.u16(self._yesterday_wh / 100.0),
                encoding.u16(self._yesterday_max_w),
            ),
        )
        bank[789] = encoding.u16(pv_w * 10.0)
        bank[790] = encoding.u16(energy_wh / 100.0)
        bank[791] = NOT_TRACKING if dark else TRACKING if charge_a > 0.0 else LIMITED
        put(bank, 792, encoding.u32_high_first(pv_w))
        put(bank, 3728, encoding.u32_high_first(energy_wh / 1e3))
        bank[3730] = encoding.u16(pv_w)

    def _account(self, time_s: float, energy_wh: float, pv_w: float) -> None:
        """Yield and highest power of this day and of the one before; days begin with the plant's time."""
        day = int(time_s // DAY_S)
        if day != self._day:
            self._yesterday_wh = 0.0 if self._day is None else energy_wh - self._day_wh
            self._yesterday_max_w, self._max_w = self._max_w, 0.0
            self._day, self._day_wh = day, energy_wh
        self._max_w = max(self._max_w, pv_w)


class VictronShunt(VictronUnit):
    """SmartShunt with a temperature sensor. It knows no state of health and no limits of a BMS."""

    profile = "victron-shunt"
    role = "battery"
    service = BATTERY

    def __init__(self, capacity_ah: float) -> None:
        super().__init__()
        self._capacity_ah = capacity_ah
        self.holding[309] = encoding.u16(capacity_ah * 10.0)
        put(self.holding, 1336, encoding.ascii_words("SmartShunt".ljust(16, "\0"), 8))
        self._time_s = 0.0
        self._drawn_ah = self._discharged_wh = self._charged_wh = 0.0
        self._volts: tuple[float, float] | None = None
        self._deepest_ah = 0.0

    def refresh(self, plant: Plant) -> None:
        volts = plant.truth("battery.voltage_mv") / 1e3
        amperes = plant.truth("battery.current_ma") / 1e3
        watts = volts * amperes
        soc = plant.truth("battery.soc_permille")
        consumed_ah = (1.0 - soc / 1e3) * self._capacity_ah
        self._account(plant.time_s, volts, amperes, consumed_ah)
        low_v, high_v = self._volts or (volts, volts)
        bank = self.holding
        put(bank, 256, (*encoding.s32_high_first(watts), encoding.s16(watts)))
        bank[259] = encoding.u16(volts * 100.0)
        bank[261] = encoding.s16(amperes * 10.0)
        bank[262] = encoding.s16(plant.truth("battery.temperature_dc"))
        bank[265] = encoding.u16(consumed_ah * 10.0)
        bank[266] = encoding.u16(soc)
        bank[281] = encoding.u16(self._deepest_ah * 10.0)
        bank[284] = encoding.u16(self._drawn_ah // self._capacity_ah)
        bank[286] = encoding.u16(self._drawn_ah * 10.0)
        bank[287], bank[288] = encoding.u16(low_v * 100.0), encoding.u16(high_v * 100.0)
        bank[301] = encoding.u16(self._discharged_wh / 100.0)
        bank[302] = encoding.u16(self._charged_wh / 100.0)
        bank[303] = encoding.u16(self._time_to_go_s(soc, amperes) / 100.0)
        put(bank, 330, encoding.u32_high_first(consumed_ah))

    def _time_to_go_s(self, soc_permille: float, amperes: float) -> float:
        if amperes >= 0.0:
            return LONGEST_TIME_TO_GO_S
        return min(soc_permille / 1e3 * self._capacity_ah / -amperes * 3600.0, LONGEST_TIME_TO_GO_S)

    def _account(self, time_s: float, volts: float, amperes: float, consumed_ah: float) -> None:
        """History since the emulation began."""
        hours = (time_s - self._time_s) / 3600.0
        self._time_s = time_s
        self._drawn_ah += max(-amperes, 0.0) * hours
        self._discharged_wh += max(-amperes, 0.0) * volts * hours
        self._charged_wh += max(amperes, 0.0) * volts * hours
        self._deepest_ah = max(self._deepest_ah, consumed_ah)
        low_v, high_v = self._volts or (volts, volts)
        self._volts = min(low_v, volts), max(high_v, volts)
