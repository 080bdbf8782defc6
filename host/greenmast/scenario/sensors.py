"""From the truth of a plant to the controller's process image, as real devices and wires would pass it on.

One station per device of the site, polled once a scan: its points, their resolution and how often each is
read come from the device's own profile, so a point that no device supplies is never known. Measured values
carry noise in their last digit, seeded. A device that does not answer is asked again after 1, 2, 4 .. scans
and its points grow stale, as on the board. Owns the faults of devices; decides nothing.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Mapping, Set
from random import Random
from typing import TYPE_CHECKING

from greenmast.emulator.cabinet import mains_least_mv
from greenmast.plant import readings
from greenmast.plant.noise import stream
from greenmast.plant.plant import Plant
from greenmast.site import Site
from greenmast_fw.core.snapshot import Snapshot
from greenmast_fw.devices import binding, profile
from greenmast_protocol import instances, points, quality

if TYPE_CHECKING:
    from mypy_extensions import i64

DAMAGE = frozenset({"wrong_crc", "truncated", "wrong_address", "babble"})
NO_REPLY = frozenset({"silent", "late", "wrong_crc", "truncated", "wrong_address"})
SPIKE_ONE_IN = 10
_REST_MAX_MS = 60_000
_NO_FAULTS: frozenset[str] = frozenset()
_NOISY = ("mv", "ma", "w", "chz", "rpm", "kpa")
_SHARED = ("ma", "w", "wh")  # of which each of several devices has its part
_STEADY = ("setpoint_mv", "limit_ma")
# Resolution of what a device sends as a float, by unit.
_FLOAT_STEP = {"mv": 100, "ma": 10, "w": 1, "chz": 1, "wh": 10}
# What a device says that the plant knows nothing of.
_CONSTANT = {
    "genset.fault": 0,
    "genset.auto": 1,
    "battery.charge_limit_ma": 180_000,
    "battery.discharge_limit_ma": 180_000,
}
# A charger measures at the array, before its own loss.
_MEASURED_AS = {"solar.power_w": "solar.array_w"}
# Inputs beside the feedback of contactors; wired at this level at every site.
_INPUTS = ("site.door_open", "site.smoke", "site.temperature_dc")
_FUEL = points.index("genset.fuel_permille")
_MAINS_OK = points.index("grid.mains_ok")
_DRAWS = 30  # dice of two bits that are thrown at once
_FORM = 0x70
_NUMBERS = (0, profile.F32 & _FORM, profile.HIGHEST, profile.LEAST)  # the rest are bits and codes


class Sensors:
    """The site's eyes. `faults`: kinds by role or single device ("battery.2"), as the scenario sets them."""

    def __init__(self, site: Site, plant: Plant, params: Mapping[str, int], seed: int) -> None:
        self.faults: dict[str, set[str]] = {}
        self._plant = plant
        self._period_ms = params["scan.period_ms"]
        several = instances.Instances(instances.count(list(site.roles)))
        self._count = points.COUNT + several.count
        self._random = Random(stream(seed, "sensors"))
        self._dice: i64 = 0  # thrown and not yet used
        self._draws: i64 = 0  # how many of them
        self._values: list[int | None] = [None] * self._count
        self._codes = bytearray([quality.STALE] * self._count)
        self._told = b""  # the codes as they were told last; empty: they have changed
        devices = binding.bind([(d.role, d.profile, d.address, d.phases) for d in site.devices])
        stale_ms = self._period_ms * params["scan.stale_periods"]
        self._stations: list[_Station] = []
        met: list[str] = []
        for device, bound in zip(site.devices, devices, strict=True):
            met.append(device.role)
            name = f"{device.role}.{met.count(device.role)}"
            self._stations.append(_Station(name, device.bus, bound, several, stale_ms))
        self._frozen_fuel: int | None = None
        self._fuel_device = any(station.role == "fuel" for station in self._stations)
        self._feedback = [
            (points.index(f"feedback.{output.name}"), plant.contactors[output.name])
            for output in site.outputs
            if output.feedback is not None and output.name in plant.contactors
        ]
        self._inputs = [(points.index(name), readings.NAMES.index(name)) for name in _INPUTS]
        self._mains_relay = any(row.name == "mains_fail" for row in site.inputs)
        self._mains_mv = mains_least_mv(site)
        self._wire()

    def restart(self) -> None:
        """The board has been reset: it knows nothing."""
        self._values = [None] * self._count
        self._codes = bytearray([quality.STALE] * self._count)
        self._wire()
        for station in self._stations:
            station.restart()

    def _wire(self) -> None:
        """Inputs are always known."""
        for i, _ in (*self._feedback, *self._inputs):
            self._codes[i] = quality.GOOD
        if self._mains_relay:
            self._codes[_MAINS_OK] = quality.GOOD
        self._told = b""

    @property
    def silent(self) -> bool:
        """Whether a device of the site has not answered for so long that its values are stale."""
        return any(station.stale for station in self._stations)

    @property
    def damaged(self) -> bool:
        """Whether replies on a bus are damaged."""
        return any(not DAMAGE.isdisjoint(kinds) for kinds in self.faults.values())

    def scan(self, dt_ms: int, minute: int | None) -> Snapshot:
        """Poll every device once, read the inputs; `dt_ms` since the scan before."""
        values, codes = self._values, self._codes
        if self.faults:
            self._poll_disturbed(dt_ms)
        else:
            for station in self._stations:
                if station.age(dt_ms, values, codes):
                    self._told = b""
                if station.rest:
                    station.rest -= 1
                else:
                    station.failures = 0
                    self._visit(station)
        for i, contactor in self._feedback:
            values[i] = 1 if contactor.look() else 0
        for i, number in self._inputs:
            values[i] = _nearest(readings.read(self._plant, number))
        if self._mains_relay:
            values[_MAINS_OK] = 1 if self._plant.grid.voltage_mv >= self._mains_mv else 0
        if not self._told:
            self._told = bytes(codes)
        return Snapshot(tuple(values), self._told, minute)

    def _poll_disturbed(self, dt_ms: int) -> None:
        """Poll every device once, some of which have faults."""
        self._told = b""
        disturbed = [(station, self._kinds(station)) for station in self._stations]
        jammed = [station.bus for station, kinds in disturbed if "babble" in kinds]
        for station, kinds in disturbed:
            station.age(dt_ms, self._values, self._codes)
            if station.rest:
                station.rest -= 1
            elif station.bus in jammed or not NO_REPLY.isdisjoint(kinds):
                station.missed(self._period_ms)
            else:
                station.failures = 0
                if kinds:
                    self._visit_disturbed(station, kinds)
                else:
                    self._visit(station)
        fuel = self.faults.get("fuel")
        if fuel and not self._fuel_device:
            self._fuel(fuel)
        for station in self._stations:
            station.forget()

    def write(self, setpoints: dict[str, int]) -> None:
        """Pass setpoints to the devices that take them and answer, within the devices' own limits."""
        rectifier = self._plant.rectifier
        for station in self._stations:
            if station.failures:
                continue
            for write in station.writes:
                asked = setpoints.get(write.name)
                if asked is None:
                    continue
                if asked != write.asked:
                    write.ask(asked)
                if write.name == "rectifier.setpoint_mv":
                    rectifier.setpoint_mv = write.taken
                elif write.name == "rectifier.limit_ma":
                    rectifier.limit_ma = write.taken

    def _kinds(self, station: _Station) -> Set[str]:
        """Faults of one device: its own and those of its whole role."""
        return {*self.faults.get(station.role, ()), *self.faults.get(station.name, ())}

    def _visit(self, station: _Station) -> None:
        """The device answers as it should."""
        plant = self._plant
        for read in station.reads:
            if read.due > 1:
                read.due -= 1
                continue
            read.due = read.every
            read.age_ms = 0
            read.seen = True
            for row in read.rows:
                if self._draws == 0:
                    self._throw()
                dice = self._dice & 3
                self._dice >>= 2
                self._draws -= 1
                if row.measure(plant, dice) or not row.told:
                    self._put(row, row.value, quality.GOOD)
                    row.told = True

    def _visit_disturbed(self, station: _Station, kinds: Set[str]) -> None:
        """The device answers, with faults."""
        plant = self._plant
        spiked = None
        if "spike" in kinds and self._random.randrange(SPIKE_ONE_IN) == 0:
            spiked = self._random.choice(station.measured) if station.measured else None
        for read in station.reads:
            if read.due > 1:
                read.due -= 1
                continue
            read.due = read.every
            read.age_ms = 0
            frozen = "frozen" in kinds and read.seen
            read.seen = True
            for row in read.rows:
                if not frozen:
                    row.measure(plant, self._random.getrandbits(2))
                value, code = row.disturbed(kinds, row is spiked, self._random)
                self._put(row, value, code)

    def _throw(self) -> None:
        self._dice = self._random.getrandbits(2 * _DRAWS)
        self._draws = _DRAWS

    def _put(self, row: _Row, value: int | None, code: int) -> None:
        """What the controller's decoder makes of an answer."""
        if value is not None and not row.low <= value <= row.high:
            value = None
            code = quality.OUT_OF_RANGE
        self._values[row.point] = value
        if self._codes[row.point] != code:
            self._codes[row.point] = code
            self._told = b""

    def _fuel(self, kinds: Set[str]) -> None:
        """Faults of a fuel sender that the genset's controller reads: it alone is concerned."""
        value = self._values[_FUEL]
        if value is None:
            return
        if "spike" in kinds and self._random.randrange(SPIKE_ONE_IN) == 0:
            value = self._random.choice((0, min(5 * value, 1_000)))
        if "frozen" in kinds:
            if self._frozen_fuel is None:
                self._frozen_fuel = value
            value = self._frozen_fuel
        else:
            self._frozen_fuel = None
        lost = "nan" in kinds or "babble" in kinds or not NO_REPLY.isdisjoint(kinds)
        self._values[_FUEL] = None if lost else value
        self._codes[_FUEL] = quality.SENTINEL if lost else quality.GOOD


class _Station:
    """One device: what it supplies, and when it is asked."""

    def __init__(
        self, name: str, bus: str, bound: profile.Device, several: instances.Instances, stale_ms: int
    ) -> None:
        self.name = name  # "battery.1", also where there is only one
        self.role = role = name.split(".")[0]
        self.bus = bus
        self.writes = [_Write(row) for row in bound[5]] if role == "rectifier" else []
        self.failures = 0
        self.rest = 0
        reads, rows = bound[3], bound[4]
        devices = {block[0]: block[3] for block in several.blocks}.get(role, 1)
        table = [
            _Row(several.kind(rows[i]), devices, *rows[i : i + profile.ROW_SIZE])
            for i in range(0, len(rows), profile.ROW_SIZE)
        ]
        self.reads = [
            _Read([row for row in table if row.read == n], reads[profile.READ_SIZE * n + 3], stale_ms)
            for n in range(len(reads) // profile.READ_SIZE)
        ]
        self.measured = [row for row in table if row.number]

    @property
    def stale(self) -> bool:
        return any(read.age_ms > read.limit_ms for read in self.reads)

    def restart(self) -> None:
        self.failures = self.rest = 0
        for read in self.reads:
            read.age_ms = read.due = 0
        self.forget()

    def forget(self) -> None:
        """What the picture of the site shows may be another value than that measured last."""
        for read in self.reads:
            for row in read.rows:
                row.told = False

    def age(self, dt_ms: i64, values: list[int | None], codes: bytearray) -> bool:
        """Returns whether anything is too old."""
        stale = False
        for read in self.reads:
            read.age_ms += dt_ms
            if read.age_ms > read.limit_ms:
                stale = True
                for row in read.rows:
                    row.told = False
                    values[row.point] = None
                    codes[row.point] = quality.STALE
        return stale

    def missed(self, period_ms: int) -> None:
        """No answer: leave it alone for twice as long as the time before."""
        most = max(_REST_MAX_MS // max(period_ms, 1_000), 1)
        scans = 1 << self.failures
        if scans < most:
            self.failures += 1
        self.rest = min(scans, most) - 1


class _Read:
    """One request: its rows share their age. In every `every`-th scan."""

    def __init__(self, rows: list[_Row], every: int, stale_ms: int) -> None:
        self.rows = rows
        self.every: i64 = every
        self.limit_ms: i64 = stale_ms * every
        self.age_ms: i64 = 0
        self.due: i64 = 0
        self.seen = False  # has answered at least once


class _Write:
    """One setpoint that a device takes: `taken` is what it makes of the value last asked for."""

    def __init__(self, row: profile.Write) -> None:
        self.name = row[0]
        self.asked: int | None = None
        self.taken = 0.0
        self._row = row

    def ask(self, value: int) -> None:
        self.asked = value
        self.taken = profile.register_value(self._row, value) * self._row[4] / self._row[3]


class _Row:
    """One point of a device: `value` as last measured."""

    __slots__ = (
        "_add", "_constant", "_divisor", "_float", "_form", "_half", "_high_raw", "_low_raw", "_multiplier",
        "_noise", "_number", "_offset", "_scale", "_share", "high", "low", "number", "point", "read", "told",
        "value",
    )  # fmt: skip

    def __init__(
        self,
        like: int,
        devices: int,
        point: int,
        read: int,
        offset: int,
        kind: int,
        multiplier: int,
        divisor: int,
        add: int,
    ) -> None:
        """`like`: the point of the table; `devices`: how many share the role. The rest is a profile's row."""
        self.point = point
        self.read = read
        self._form = (kind, multiplier, divisor, add)
        name = points.NAMES[like]
        _, self.low, self.high, _ = points.POINTS[like]
        self._constant = float(_CONSTANT.get(name, 0))
        measured_as = _MEASURED_AS.get(name, name)
        known = measured_as in readings.NAMES
        self._number: i64 = readings.NAMES.index(measured_as) if known else -1
        unit = name.rsplit("_", 1)[-1]
        self.number = kind & _FORM in _NUMBERS
        self._float = kind == profile.F32
        if self._float:
            multiplier, divisor = _FLOAT_STEP.get(unit, 1), 1
        elif kind & profile.SUNSPEC:
            divisor = 10  # a scale factor of -1
        elif kind & _FORM in (profile.HIGHEST, profile.LEAST):
            divisor = 1
        if not self.number:
            multiplier = divisor = 1
        self._multiplier: i64 = multiplier
        self._divisor: i64 = divisor
        self._half: i64 = divisor // 2
        self._add: i64 = add
        self._offset = float(add)
        share = devices if unit in _SHARED and not name.endswith(_STEADY) else 1
        self._scale = divisor / multiplier
        self._share = 1.0 / share
        top = (1 << (32 if kind & profile.WIDE else 16)) - 1
        signed = self._float or kind & profile.SIGNED
        self._low_raw: i64 = -(top + 1) // 2 if signed else 0
        self._high_raw: i64 = top // 2 if signed else top
        noisy = self.number and unit in _NOISY and not name.endswith(_STEADY)
        self._noise: i64 = max(1, divisor // multiplier) if noisy else 0
        self.value: i64 = 0
        self.told = False  # `value` stands in the picture of the site

    def measure(self, plant: Plant, dice: i64) -> bool:
        """Take the plant's truth as the device would send it; `dice` 0..3 moves the last digit.

        Returns whether `value` has changed.
        """
        truth = readings.read(plant, self._number) if self._number >= 0 else self._constant
        before: i64 = self.value
        value: i64
        if not self.number:
            value = 1 if truth > 0.5 else 0
        else:
            value = _nearest((truth * self._share - self._offset) * self._scale)
            if truth != 0.0:
                if dice == 0:
                    value -= self._noise
                elif dice == 3:
                    value += self._noise
            if value < self._low_raw:
                value = self._low_raw
            elif value > self._high_raw:
                value = self._high_raw
            value *= self._multiplier
            if self._divisor != 1:
                value = (value + self._half) // self._divisor
            value += self._add
        self.value = value
        return value != before

    def disturbed(self, kinds: Set[str], spiked: bool, random: Random) -> tuple[int | None, int]:
        """The value as the faults of its device leave it, and its quality."""
        if not self.number:
            return self.value, quality.GOOD
        kind = self._form[0]
        if "nan" in kinds:
            return None, quality.SENTINEL if kind & profile.GENCOMM else quality.NOT_A_NUMBER
        value = self.value
        if spiked:
            value = random.choice((0, value * 5))
            if not self._float:
                top = (self._high_raw * self._multiplier) // self._divisor + self._add
                value = min(value, top)
        if "word_swap" in kinds and kind & profile.WIDE and not kind & profile.SUNSPEC:
            return self._swapped(value)
        return value, quality.GOOD

    def _swapped(self, value: int) -> tuple[int | None, int]:
        """What the controller's own decoder makes of the two registers in the wrong order."""
        kind, multiplier, divisor, add = self._form
        if self._float:
            high, low = struct.unpack(">HH", struct.pack(">f", value * divisor / multiplier))
        else:
            high, low = divmod(round((value - add) * divisor / multiplier) & 0xFFFFFFFF, 0x10000)
        words = (high, low) if kind & profile.LOW_FIRST else (low, high)
        decoded = _Decoded()
        row = array("q", (0, 0, 0, kind, multiplier, divisor, add))
        profile.decode(row, 0, memoryview(struct.pack(">HH", *words)), decoded)  # type: ignore[arg-type]
        return decoded.value, decoded.code


def _nearest(value: float) -> i64:
    """The nearest whole number; of two, the one farther from zero."""
    whole: i64 = int(value + 0.5) if value >= 0.0 else int(value - 0.5)
    return whole


class _Decoded:
    """Takes the place of an `Image` for one value; the range is judged by whoever asked."""

    value: int | None = None
    code = quality.GOOD

    def put(self, i: int, value: int) -> None:
        self.value = value

    def invalid(self, i: int, why: int) -> None:
        self.code = why
