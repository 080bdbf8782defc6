"""Polling: fresh values, dead slaves that slow nobody down, setpoints that stick."""

from modbus_fakes import Rig

from greenmast_fw.core.snapshot import Image
from greenmast_fw.devices import binding, profile
from greenmast_fw.drivers.modbus_master import ModbusError
from greenmast_fw.services import poll
from greenmast_protocol import modbus_frame as frame
from greenmast_protocol import points, quality
from greenmast_protocol.instances import Instances, count

PERIOD_MS = 1000
SITE = [
    ("grid", "eastron-sdm230", 1),
    ("genset", "dse-7320", 10),
    ("battery", "daly-bms", 0xD2),
    ("load", "pzem-017", 3),
]


class Bus:
    """A master whose slaves answer zeros, except those in `failing`: they give their verdict."""

    def __init__(self, clock):
        self.clock = clock
        self.failing = {}  # unit, or (unit, address): verdict
        self.reads = []  # (time_ms, unit, address)
        self.writes = []  # (time_ms, unit, address, value)
        self.timeouts_ms = {}

    def limit(self, unit, timeout_ms, gap_ms):
        self.timeouts_ms[unit] = timeout_ms

    async def _answer(self, unit, address):
        code = self.failing.get(unit, self.failing.get((unit, address), frame.OK))
        silent = code not in (frame.OK,) and code < frame.EXCEPTION
        self.clock.now_us += 1000 * (self.timeouts_ms[unit] if silent else 40)
        if code != frame.OK:
            raise ModbusError(code)

    async def read(self, unit, function, address, count):
        self.reads.append((self.clock.now_us // 1000, unit, address))
        await self._answer(unit, address)
        return memoryview(bytes(2 * count))

    async def write_register(self, unit, address, value):
        self.writes.append((self.clock.now_us // 1000, unit, address, value))
        await self._answer(unit, address)

    def read_of(self, unit):
        return [address for _, of, address in self.reads if of == unit]


class Ended(Exception):  # noqa: N818
    pass


class Site:
    def __init__(self, wanted=None, period_ms=PERIOD_MS, stale_periods=3):
        self.rig = Rig()
        self.clock = self.rig.clock
        self.bus = Bus(self.clock)
        self.devices = binding.bind(wanted or SITE)
        self.image = Image(Instances(count([row[0] for row in wanted or SITE])))
        self.poller = poll.BusPoller(self.bus, self.devices, self.image, period_ms, stale_periods)

    def scan(self, times):
        async def all_of_them():
            for _ in range(times):
                before_us = self.clock.now_us
                await self.poller.scan()
                left_us = 1000 * PERIOD_MS - (self.clock.now_us - before_us)
                self.clock.now_us += max(0, left_us)
                self.image.advance((self.clock.now_us - before_us) // 1000)

        self.rig.run(all_of_them)

    def quality_of(self, name):
        return self.image.snapshot().q[points.index(name)]


def test_all_reads_happen_at_once_and_slow_ones_then_every_tenth_scan():
    site = Site()
    site.scan(21)
    assert site.bus.read_of(1).count(0x0000) == 21
    assert site.bus.read_of(10).count(0x0706) == 3
    assert site.quality_of("grid.energy_wh") == quality.GOOD
    assert [len(site.bus.read_of(unit)) for _, _, unit in SITE] == [42, 87, 21, 21]


def test_reads_that_supply_no_point_are_not_made():
    site = Site([("solar", "epever-tracer-an", 1), ("battery", "daly-bms", 2)])
    site.scan(3)
    assert set(site.bus.read_of(1)) == {0x3100, 0x3312}


def test_a_dead_slave_goes_stale_alone_and_the_others_keep_their_rate():
    site = Site()
    site.scan(3)
    site.bus.failing[10] = frame.TIMEOUT
    site.bus.reads.clear()
    started_ms = site.clock.now_us // 1000
    site.scan(120)
    assert site.quality_of("genset.rpm") == quality.STALE
    for name in ("grid.voltage_mv", "battery.soc_permille", "dc.bus_mv"):
        assert site.quality_of(name) == quality.GOOD
    attempts = [at - started_ms for at, unit, _ in site.bus.reads if unit == 10]
    assert len(attempts) == 7, attempts  # in scans 0, 1, 3, 7, 15, 31, 63; each costs one time-out
    assert len(site.bus.read_of(1)) >= 2 * 120


def test_a_device_is_silent_after_three_visits_in_vain_and_until_it_answers():
    site = Site()
    site.bus.failing[3] = frame.TIMEOUT
    site.scan(3)  # asked in scans 0, 1 and 3
    assert not site.poller.is_silent()
    site.scan(1)
    assert site.poller.is_silent()
    del site.bus.failing[3]
    site.scan(4)
    assert not site.poller.is_silent()


def test_a_revived_slave_is_back_within_a_minute_and_at_full_rate_again():
    site = Site()
    site.bus.failing[3] = frame.TIMEOUT
    site.scan(200)
    del site.bus.failing[3]
    site.scan(61)
    assert site.quality_of("dc.bus_mv") == quality.GOOD
    before = len(site.bus.read_of(3))
    site.scan(10)
    assert len(site.bus.read_of(3)) == before + 10


def test_a_value_is_stale_after_as_many_periods_as_are_set():
    for periods, word in ((3, quality.STALE), (8, quality.GOOD)):
        site = Site(stale_periods=periods)
        site.scan(2)
        site.bus.failing[10] = frame.TIMEOUT
        site.scan(6)
        assert site.quality_of("genset.rpm") == word
        assert site.quality_of("grid.voltage_mv") == quality.GOOD


def test_one_lost_reply_is_retried_in_the_next_scan_and_nothing_goes_stale():
    site = Site()
    site.scan(2)
    site.bus.failing[0xD2] = frame.CRC
    site.scan(1)
    del site.bus.failing[0xD2]
    site.scan(1)
    assert site.quality_of("battery.voltage_mv") == quality.GOOD
    assert len(site.bus.read_of(0xD2)) == 4


def test_one_bad_block_does_not_shut_out_the_others():
    site = Site()
    site.bus.failing[(10, 0x0400)] = frame.CRC
    site.scan(12)
    assert site.quality_of("genset.rpm") == quality.STALE
    for name in ("genset.running", "genset.fault", "genset.power_w"):
        assert site.quality_of(name) == quality.GOOD


def test_an_exception_is_an_answer_and_no_reason_to_back_off():
    site = Site()
    site.bus.failing[(10, 0x0580)] = frame.EXCEPTION + 2
    site.scan(5)
    assert site.bus.read_of(10).count(0x0580) == 5
    assert site.quality_of("genset.rpm") == quality.GOOD
    assert site.quality_of("genset.running") == quality.STALE


RECTIFIER = [("rectifier", "meanwell-drs", 0x83), ("solar", "epever-tracer-an", 1)]


def test_a_setpoint_is_written_once_per_change_and_the_last_value_wins():
    site = Site(RECTIFIER)
    site.scan(2)
    assert site.bus.writes == []
    for value in (50_000, 54_000, 54_000):
        site.poller.hold("rectifier.setpoint_mv", value)
    site.scan(5)
    site.poller.hold("rectifier.setpoint_mv", 54_000)
    site.scan(5)
    assert [(address, value) for _, _, address, value in site.bus.writes] == [(0x20, 5_400)]
    site.poller.hold("rectifier.limit_ma", 20_000)
    site.scan(1)
    assert site.bus.writes[-1][2:] == (0x30, 2_000)


def test_setpoints_are_asserted_again_every_minute():
    site = Site(RECTIFIER)
    site.poller.hold("rectifier.setpoint_mv", 54_000)
    site.scan(185)
    assert [at - site.bus.writes[0][0] for at, _, _, _ in site.bus.writes] == [0, 60_000, 120_000, 180_000]


def test_a_failed_write_is_tried_again_and_reads_go_on_between():
    site = Site(RECTIFIER)
    site.bus.failing[(0x83, 0x20)] = frame.CRC
    site.poller.hold("rectifier.setpoint_mv", 54_000)
    site.scan(8)
    assert 2 <= len(site.bus.writes) <= 4
    assert site.quality_of("rectifier.output_mv") == quality.GOOD
    site.bus.failing.clear()
    site.scan(5)
    assert site.bus.writes[-1][3] == 5_400
    count = len(site.bus.writes)
    site.scan(5)
    assert len(site.bus.writes) == count


def test_a_device_that_was_away_gets_its_setpoints_again():
    site = Site(RECTIFIER)
    site.poller.hold("rectifier.setpoint_mv", 54_000)
    site.scan(3)
    site.bus.failing[0x83] = frame.TIMEOUT
    site.scan(4)
    del site.bus.failing[0x83]
    site.bus.writes.clear()
    site.scan(10)
    assert len(site.bus.writes) == 1


def test_devices_that_share_a_role_supply_points_of_their_own():
    wanted = [("battery", "daly-bms", 1), ("battery", "daly-bms", 2), ("load", "pzem-017", 3)]
    several = Instances(count([row[0] for row in wanted]))
    supplied = []
    for device in binding.bind(wanted):
        rows = device[4]
        supplied.append([several.name(rows[i]) for i in range(0, len(rows), profile.ROW_SIZE)])
    assert "battery.1.soc_permille" in supplied[0]
    assert [name.replace("battery.1", "battery.2") for name in supplied[0]] == supplied[1]
    assert all([not name.startswith("battery.") for name in supplied[2]])


def test_a_setpoint_goes_to_every_device_of_its_role_and_to_no_other():
    site = Site(
        [("rectifier", "meanwell-drs", 0x83), ("rectifier", "meanwell-drs", 0x84), ("load", "pzem-017", 3)]
    )
    site.poller.hold("rectifier.setpoint_mv", 54_000)
    site.poller.hold("solar.power_w", 1)
    site.scan(2)
    assert [(unit, address, value) for _, unit, address, value in site.bus.writes] == [
        (0x83, 0x20, 5_400),
        (0x84, 0x20, 5_400),
    ]


def test_run_keeps_the_period_and_does_not_make_up_for_a_scan_that_was_too_long():
    site = Site()
    starts = []
    scan = site.poller.scan

    async def counted():
        starts.append(site.clock.now_us // 1000)
        if len(starts) == 3:
            site.clock.now_us += 2_500_000
        if len(starts) == 6:
            raise Ended
        await scan()

    site.poller.scan = counted
    try:
        site.rig.run(site.poller.run)
    except Ended:
        steps = [starts[i + 1] - starts[i] for i in range(5)]
        assert all([990 <= step <= 1000 for step in steps[:2] + steps[3:]]), steps
        assert 2_500 <= steps[2] <= 3_500
        return
    raise AssertionError("run ended by itself")


def test_a_period_too_short_for_the_bus_makes_nothing_stale():
    site = Site(period_ms=100)
    site.scan(2)  # the fake site takes a second a scan, whatever it was told
    for _ in range(30):
        site.scan(1)
        for name in ("grid.energy_wh", "grid.voltage_mv", "genset.run_s"):
            assert site.quality_of(name) == quality.GOOD
