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

from greenmast.emulator.cabinet import mains_relay
from greenmast.plant.noise import stream
from greenmast.plant.plant import Plant
from greenmast.plant.truths import READERS
from greenmast.site import Site
from greenmast_fw.core.snapshot import Snapshot
from greenmast_fw.devices import binding, profile
from greenmast_protocol import instances, points, quality

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
        self._values: list[int | None] = [None] * self._count
        self._codes = bytearray([quality.STALE] * self._count)
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
            (points.index(f"feedback.{output.name}"), plant.contactors[output.name].look)
            for output in site.outputs
            if output.feedback is not None and output.name in plant.contactors
        ]
        self._inputs = [(points.index(name), READERS[name]) for name in _INPUTS]
        if any(row.name == "mains_fail" for row in site.inputs):
            self._inputs.append((points.index("grid.mains_ok"), mains_relay(site)))

    def restart(self) -> None:
        """The board has been reset: it knows nothing."""
        self._values = [None] * self._count
        self._codes = bytearray([quality.STALE] * self._count)
        for station in self._stations:
            station.restart()

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
        disturbed = {station: self._kinds(station) for station in self._stations} if self.faults else {}
        jammed = [station.bus for station, kinds in disturbed.items() if "babble" in kinds]
        for station in self._stations:
            station.age(dt_ms, values, codes)
            kinds = disturbed.get(station, _NO_FAULTS)
            if station.rest:
                station.rest -= 1
            elif station.bus in jammed or not NO_REPLY.isdisjoint(kinds):
                station.missed(self._period_ms)
            else:
                station.failures = 0
                self._visit(station, kinds)
        fuel = self.faults.get("fuel")
        if fuel and not self._fuel_device:
            self._fuel(fuel)
        for i, look in self._feedback:
            values[i] = int(look())
            codes[i] = quality.GOOD
        for i, reader in self._inputs:
            values[i] = round(reader(self._plant))
            codes[i] = quality.GOOD
        return Snapshot(tuple(values), bytes(codes), minute)

    def write(self, setpoints: dict[str, int]) -> None:
        """Pass setpoints to the devices that take them and answer, within the devices' own limits."""
        rectifier = self._plant.rectifier
        for station in self._stations:
            if station.role != "rectifier" or station.failures:
                continue
            for row in station.writes:
                if row[0] in setpoints:
                    value = profile.register_value(row, setpoints[row[0]]) * row[4] / row[3]
                    if row[0] == "rectifier.setpoint_mv":
                        rectifier.setpoint_mv = value
                    elif row[0] == "rectifier.limit_ma":
                        rectifier.limit_ma = value

    def _kinds(self, station: _Station) -> Set[str]:
        """Faults of one device: its own and those of its whole role."""
        return {*self.faults.get(station.role, ()), *self.faults.get(station.name, ())}

    def _visit(self, station: _Station, kinds: Set[str]) -> None:
        values, codes, plant = self._values, self._codes, self._plant
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
            dice = self._random.getrandbits(2 * len(read.rows)) if not frozen else 0
            for row in read.rows:
                if not frozen:
                    row.measure(plant, dice & 3)
                    dice >>= 2
                value: int | None = row.value
                code = quality.GOOD
                if kinds:
                    value, code = row.disturbed(kinds, row is spiked, self._random)
                i = row.point
                if value is None or row.low <= value <= row.high:
                    values[i] = value
                    codes[i] = code
                else:
                    values[i] = None
                    codes[i] = quality.OUT_OF_RANGE

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
        self.writes = bound[5]
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

    def age(self, dt_ms: int, values: list[int | None], codes: bytearray) -> None:
        for read in self.reads:
            read.age_ms += dt_ms
            if read.age_ms > read.limit_ms:
                for row in read.rows:
                    values[row.point] = None
                    codes[row.point] = quality.STALE

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
        self.every = every
        self.limit_ms = stale_ms * every
        self.age_ms = self.due = 0
        self.seen = False  # has answered at least once


class _Row:
    """One point of a device: `value` as last measured."""

    __slots__ = (
        "_add", "_divisor", "_float", "_form", "_high_raw", "_low_raw", "_multiplier", "_noise", "_reader",
        "_scale", "_share", "high", "low", "number", "point", "read", "value",
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
        constant = _CONSTANT.get(name, 0)
        self._reader = READERS.get(_MEASURED_AS.get(name, name)) or (lambda plant: constant)
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
        self._multiplier, self._divisor, self._add = multiplier, divisor, add
        share = devices if unit in _SHARED and not name.endswith(_STEADY) else 1
        self._scale = divisor / multiplier
        self._share = 1.0 / share
        top = (1 << (32 if kind & profile.WIDE else 16)) - 1
        signed = self._float or kind & profile.SIGNED
        self._low_raw = -(top + 1) // 2 if signed else 0
        self._high_raw = top // 2 if signed else top
        noisy = self.number and unit in _NOISY and not name.endswith(_STEADY)
        amplitude = max(1, divisor // multiplier) if noisy else 0
        self._noise = (-amplitude, 0, 0, amplitude)
        self.value = 0

    def measure(self, plant: Plant, dice: int) -> None:
        """Take the plant's truth as the device would send it; `dice` 0..3 moves the last digit."""
        truth = self._reader(plant)
        if not self.number:
            self.value = 1 if truth > 0.5 else 0
            return
        raw = round((truth * self._share - self._add) * self._scale)
        if truth:
            raw += self._noise[dice]
        if not self._low_raw <= raw <= self._high_raw:
            raw = self._low_raw if raw < self._low_raw else self._high_raw
        self.value = (raw * self._multiplier + self._divisor // 2) // self._divisor + self._add

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


class _Decoded:
    """Takes the place of an `Image` for one value; the range is judged by whoever asked."""

    value: int | None = None
    code = quality.GOOD

    def put(self, i: int, value: int) -> None:
        self.value = value

    def invalid(self, i: int, why: int) -> None:
        self.code = why
