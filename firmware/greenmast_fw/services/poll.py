"""Polling one bus: keeps the process image fresh, and setpoints written, however many slaves are dead.

Owns when a device is asked and when it is left alone; knows neither frames nor registers nor what the values
mean. A device that answers nothing is asked again after 1, 2, 4 ... scans (at most every 60 s), so that each
of those steps costs the bus one time-out and the other devices keep their rate. Setpoints are written when
they change, again after the device has been away, and every 60 s: a device that restarts unseen falls back to
its own default.
"""

from greenmast_fw.devices import profile
from greenmast_fw.drivers import clock, modbus_frame
from greenmast_fw.drivers.modbus_master import ModbusError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from greenmast_fw.core.snapshot import Image
    from greenmast_fw.devices.binding import Device
    from greenmast_fw.drivers.modbus_master import RtuMaster

_STALE_PERIODS = 3
_MINUTE_MS = 60_000
_SHORTEST_MS = 1000  # a scan of a full bus takes about this long whatever shorter period is asked for


class Station:
    """One device on the bus and its record: `ok` exchanges, `errors` by verdict code, scans `backed_off`."""

    def __init__(self, device: "Device", image: "Image", period_ms: int) -> None:
        self.device = device
        self.ok = 0
        self.errors: "dict[int, int]" = {}
        self.backed_off = 0
        self.failures = 0  # scans in a row in which the device gave nothing
        self.first = 0  # the read that a visit begins with
        self.rest = 0  # scans to leave it alone
        # Per read: the image source it refreshes (0: nobody wants it) and the scans until it is due.
        self.sources: "list[int]" = []
        self.due: "list[int]" = []
        for number in range(len(device.profile.READS)):
            wanted = device.supplies(number)
            limit_ms = _STALE_PERIODS * _likely_ms(period_ms) * device.profile.READS[number][3]
            self.sources.append(image.add_source(limit_ms, wanted) if wanted else 0)
            self.due.append(0)
        # Per row of WRITES: the value to hold (None: nobody has asked) and the scans until it is written
        # again.
        self.held: "list[int | None]" = [None] * len(device.profile.WRITES)
        self.write_due = [0] * len(device.profile.WRITES)

    def count(self, code: int) -> None:
        self.errors[code] = self.errors.get(code, 0) + 1


class BusPoller:
    """Polls `devices` (see `binding.bind`) through one master every `period_ms`.

    `stations` holds their records.
    """

    def __init__(self, master: "RtuMaster", devices: "list[Device]", image: "Image", period_ms: int) -> None:
        self.stations = [Station(device, image, period_ms) for device in devices]
        self._master = master
        self._image = image
        self._period_ms = period_ms
        self._scans_a_minute = _MINUTE_MS // _likely_ms(period_ms)
        for device in devices:
            master.limit(device.unit, device.profile.TIMEOUT_MS, device.profile.GAP_MS)

    def write(self, device: "Device", point: str, value: int) -> None:
        """Hold the setpoint `point` of `device` at `value` from the next scan on; the last value wins.

        Raises KeyError when the device has no such setpoint.
        """
        for station in self.stations:
            writes = station.device.profile.WRITES
            for i in range(len(writes)):
                if station.device is device and writes[i][0] == point:
                    if station.held[i] != value:
                        station.held[i] = value
                        station.write_due[i] = 0
                    return
        raise KeyError(point)

    async def run(self) -> None:
        """Scan for ever, once every period. A long scan delays the next one and is not made up for."""
        while True:
            start = clock.ticks_ms()
            await self.scan()
            left_ms = self._period_ms - clock.diff(clock.ticks_ms(), start)
            await clock.sleep_ms(left_ms if left_ms > 0 else 0)

    async def scan(self) -> None:
        """One period: every device that is not backed off gets its due writes and reads."""
        for station in self.stations:
            if station.rest:
                station.rest -= 1
                station.backed_off += 1
            elif await self._visit(station):
                if station.failures:
                    station.failures = 0
                    for i in range(len(station.write_due)):
                        station.write_due[i] = 0
            else:
                station.failures += 1
                self._back_off(station)

    def _back_off(self, station: Station) -> None:
        longest = self._scans_a_minute
        # The first failure may be noise: ask again in the next scan.
        scans = 1 << (station.failures - 1) if station.failures < 16 else longest
        station.rest = (scans if scans < longest else longest) - 1

    async def _visit(self, station: Station) -> bool:
        """Exchange what is due. False when there was something and the device gave nothing.

        The first reply that is missing or damaged ends the visit, as it costs the bus a quarantine. The next
        visit goes on behind it, so that one bad register does not shut out the others.
        """
        for i in range(len(station.held)):
            station.write_due[i] -= 1
            if station.held[i] is not None and station.write_due[i] < 0:
                if not _is_answer(await self._write(station, i)):
                    station.write_due[i] = 1
                    return False
        count = len(station.sources)
        some = False
        for k in range(count):
            number = (station.first + k) % count
            station.due[number] -= 1
            if station.sources[number] and station.due[number] < 0:
                if not _is_answer(await self._read(station, number)):
                    station.first = number + 1
                    return some
                some = True
        return True

    async def _read(self, station: Station, number: int) -> int:
        device = station.device
        function, address, count, every = device.profile.READS[number]
        try:
            data = await self._master.read(device.unit, function, address, count)
        except ModbusError as error:
            station.count(error.code)
            return error.code
        profile.decode(device.profile, number, data, self._image, device.points)
        self._image.refresh(station.sources[number])
        station.ok += 1
        station.due[number] = every - 1
        return modbus_frame.OK

    async def _write(self, station: Station, i: int) -> int:
        device = station.device
        row = device.profile.WRITES[i]
        value = station.held[i]
        register = profile.register_value(row, value or 0)
        try:
            if row[1] == modbus_frame.WRITE_REGISTER:
                await self._master.write_register(device.unit, row[2], register)
            else:
                await self._master.write_registers(device.unit, row[2], (register,))
        except ModbusError as error:
            station.count(error.code)
            return error.code
        station.ok += 1
        if station.held[i] == value:  # else it has changed meanwhile and is due again
            station.write_due[i] = self._scans_a_minute
        return modbus_frame.OK


def _likely_ms(period_ms: int) -> int:
    """How long a scan will take."""
    return period_ms if period_ms > _SHORTEST_MS else _SHORTEST_MS


def _is_answer(code: int) -> bool:
    """The device is alive: it gave data, or said no."""
    return code == modbus_frame.OK or code >= modbus_frame.EXCEPTION
