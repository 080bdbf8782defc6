"""Polling one bus: keeps the process image fresh, and setpoints written, however many slaves are dead.

Owns when a device is asked and when it is left alone; knows neither frames nor registers nor what the values
mean. A device that answers nothing is asked again after 1, 2, 4 ... scans (at most every 60 s), so that each
of those steps costs the bus one time-out and the other devices keep their rate. Setpoints are written when
they change, again after the device has been away, and every 60 s: a device that restarts unseen falls back to
its own default. Switches go the same way, but only while the device is ready for them: a genset that a person
has taken out of automatic is not started. A SunSpec device is walked first, and again after it was away.
"""

from greenmast_fw.devices import profile
from greenmast_fw.drivers import clock
from greenmast_fw.drivers.modbus_master import ModbusError
from greenmast_protocol import modbus_frame

TYPE_CHECKING = False
if TYPE_CHECKING:
    from greenmast_fw.core.snapshot import Image
    from greenmast_fw.devices.profile import Device
    from greenmast_fw.drivers.modbus_master import Master

_MINUTE_MS = 60_000
_SWITCH = 5  # the length of such a row; a setpoint's is longer
SILENT_SCANS = 3  # in a row without an answer: one or two may be noise
_UNREADY_SCANS = 5  # until a device that was not ready for a switch is asked again
_SHORTEST_MS = 1000  # a scan of a full bus takes about this long whatever shorter period is asked for


class Station:
    """One device on the bus and what is due there."""

    def __init__(self, device: "Device", image: "Image", stale_ms: int) -> None:
        self.unit, _, _, self.reads, self.rows, self.writes, self.ready, self.walker = device
        self.base = 0 if self.walker is None else -1  # what its reads count from; below 0: see `walk`
        self.failures = 0  # scans in a row in which the device gave nothing
        self.rest = 0  # scans to leave it alone
        self.first = 0  # the read that a visit begins with
        # Per read: the scans until it is due. Read n refreshes the image's source `source` + n.
        self.due = bytearray(len(self.reads) // profile.READ_SIZE)
        for number in range(len(self.due)):
            rows = self.rows
            supplied = [rows[i] for i in range(0, len(rows), profile.ROW_SIZE) if rows[i + 1] == number]
            limit_ms = stale_ms * self.reads[profile.READ_SIZE * number + 3]
            self.source = image.add_source(limit_ms, supplied) - number
        # Per row of WRITES and SWITCHES: the value to hold (None: nobody has asked), the scans until it is
        # due, and whether we have switched it on.
        self.held: "list[int | None]" = [None] * len(self.writes)
        self.write_due = bytearray(len(self.writes))
        self.ours = bytearray(len(self.writes))

    def walk_again(self) -> None:
        """A SunSpec device may not be what it was."""
        if self.walker is not None:
            self.walker.restart()
            self.base = -1

    def hold(self, i: int, value: int) -> None:
        """Row `i` of `writes` shall be at `value`."""
        if self.held[i] != value:
            self.held[i] = value
            self.write_due[i] = 0


class BusPoller:
    """Polls `devices` (see `binding.bind`) through one master every `period_ms`.

    A value is stale when it has not been read for `stale_periods` of its periods.
    """

    def __init__(
        self,
        master: "Master",
        devices: "list[Device]",
        image: "Image",
        period_ms: int,
        stale_periods: int,
    ) -> None:
        self._master = master
        self._image = image
        self._period_ms = period_ms
        if period_ms < _SHORTEST_MS:
            period_ms = _SHORTEST_MS
        self._scans_a_minute = _MINUTE_MS // period_ms
        self.stations = [Station(device, image, stale_periods * period_ms) for device in devices]
        for device in devices:
            master.limit(device[0], device[1], device[2])

    def is_silent(self) -> bool:
        """Whether a device here does not answer."""
        for station in self.stations:
            if station.failures >= SILENT_SCANS:
                return True
        return False

    def is_faulty(self) -> bool:
        """Whether replies on this bus are damaged again and again."""
        return self._master.is_faulty()

    def hold(self, point: str, value: int) -> None:
        """Hold setpoint or switch `point`, where a device here has it, at `value` from the next scan on."""
        for station in self.stations:
            for i in range(len(station.writes)):
                if station.writes[i][0] == point:
                    station.hold(i, value)

    def switch(self, role: str, channel: int, on: int) -> None:
        """Hold relay `channel` of the module here, whose role is `role`, energised (1) or not (0)."""
        for station in self.stations:
            for i in range(len(station.writes)):
                row = station.writes[i]
                if row[0] == role and row[2] == channel:
                    station.hold(i, on)

    async def run(self) -> None:
        """Scan for ever, once every period. A long scan delays the next one and is not made up for."""
        while True:
            start_ms = clock.ticks_ms()
            await self.scan()
            left_ms = self._period_ms - clock.diff(clock.ticks_ms(), start_ms)
            await clock.sleep_ms(left_ms if left_ms > 0 else 0)

    async def scan(self) -> None:
        """One period: every device that is not backed off gets its due writes and reads."""
        for station in self.stations:
            if station.rest:
                station.rest -= 1
            elif await self._visit(station):
                if station.failures:
                    station.failures = 0
                    station.write_due = bytearray(len(station.writes))
            else:
                # The first failure may be noise: ask again in the next scan.
                scans = 1 << station.failures
                if scans < self._scans_a_minute:
                    station.failures += 1
                else:
                    scans = self._scans_a_minute
                station.rest = scans - 1
                if station.failures == SILENT_SCANS:
                    station.walk_again()

    async def _visit(self, station: Station) -> bool:
        """Exchange what is due. False when there was something and the device gave nothing.

        The first reply that is missing or damaged ends the visit, as it costs the bus a quarantine. The next
        visit goes on behind it, so that one bad register does not shut out the others.
        """
        for i in range(len(station.writes)):
            if station.write_due[i]:
                station.write_due[i] -= 1
            elif station.held[i] is not None and not await self._write(station, i):
                station.write_due[i] = 1
                return False
        walker = station.walker
        if station.base < 0:
            from greenmast_fw.services import walk  # a site without SunSpec devices does without

            return await walk.visit(self._master, self._image, station, self._scans_a_minute)
        reads = station.reads
        count = len(station.due)
        first = station.first
        some = False
        for number in range(first, first + count):
            number %= count
            if station.due[number]:
                station.due[number] -= 1
                continue
            at = profile.READ_SIZE * number
            try:
                data = await self._master.read(
                    station.unit, reads[at], station.base + reads[at + 1], reads[at + 2]
                )
                if walker is not None and not walker.holds(data):
                    station.walk_again()
                    return True
                profile.decode(station.rows, number, data, self._image)
                self._image.refresh(station.source + number)
                station.due[number] = reads[at + 3] - 1
                if reads[at] == modbus_frame.READ_COILS:
                    from greenmast_fw.services import switching  # as below

                    switching.compare(station, reads[at + 1], data)
            except ModbusError as error:
                if error.code < modbus_frame.EXCEPTION:
                    station.first = number + 1
                    return some
                station.walk_again()
            some = True  # that a device refuses is an answer, too
        return True

    async def _write(self, station: Station, i: int) -> bool:
        """False: no answer, or a damaged one."""
        row = station.writes[i]
        value = station.held[i] or 0
        again = self._scans_a_minute - 1
        try:
            if len(row) == _SWITCH:
                from greenmast_fw.services import switching  # most sites do without

                if not await switching.write(self._master, station, i, value):
                    again = _UNREADY_SCANS
            elif row[1] == modbus_frame.WRITE_REGISTER:
                register = profile.register_value(row, value)
                await self._master.write_register(station.unit, row[2], register)
            else:
                registers = (profile.register_value(row, value),)
                await self._master.write_registers(station.unit, row[2], registers)
        except ModbusError as error:
            return error.code >= modbus_frame.EXCEPTION
        if station.held[i] == value:  # else it has changed meanwhile and is due again
            station.write_due[i] = again
        return True
