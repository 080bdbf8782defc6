"""Polling SunSpec devices: walked first, walked again when they come back, change, or lack the model."""

from modbus_fakes import Rig

from greenmast_fw.core.snapshot import Image
from greenmast_fw.devices import binding
from greenmast_fw.drivers.modbus_master import ModbusError
from greenmast_fw.services import poll
from greenmast_protocol import modbus_frame as frame
from greenmast_protocol import points, quality


def chain(base, *models):
    """Registers of a device: number and length of each model, values behind."""
    out = {base: 0x5375, base + 1: 0x6E53}
    at = base + 2
    for number, content in models:
        for value in [number, len(content)] + content:
            out[at] = value
            at += 1
    out[at] = 0xFFFF
    out[at + 1] = 0
    return out


COMMON = (1, [0] * 65)
METER = (203, [0] * 6 + [2301, 2298, 2310] + [0] * 4 + [0xFFFF] + [0] * 91)
INVERTER = (103, [0] * 27 + [3852, 0xFFFF] + [0] * 21)


class Bus:
    def __init__(self, clock, registers):
        self.clock = clock
        self.registers = registers
        self.silent = False
        self.reads = []

    def limit(self, unit, timeout_ms, gap_ms):
        pass

    async def read(self, unit, function, address, count):
        self.reads.append((address, count))
        self.clock.now_us += 30_000
        if self.silent:
            raise ModbusError(frame.TIMEOUT)
        data = bytearray()
        for place in range(address, address + count):
            if place not in self.registers:
                raise ModbusError(frame.EXCEPTION + 2)
            data.extend(bytes([self.registers[place] >> 8, self.registers[place] & 0xFF]))
        return memoryview(data)


class Site:
    def __init__(self, registers, role="grid", name="sunspec-meter"):
        self.rig = Rig()
        self.clock = self.rig.clock
        self.bus = Bus(self.clock, registers)
        self.image = Image()
        devices = binding.bind([(role, name, 1)])
        self.poller = poll.BusPoller(self.bus, devices, self.image, 1000, 3)

    def scan(self, times=1):
        async def all_of_them():
            for _ in range(times):
                before_us = self.clock.now_us
                await self.poller.scan()
                self.clock.now_us += max(0, 1_000_000 - (self.clock.now_us - before_us))
                self.image.advance((self.clock.now_us - before_us) // 1000)

        self.rig.run(all_of_them)

    def volts(self):
        snapshot = self.image.snapshot()
        i = points.index("grid.voltage_mv")
        return snapshot.v[i] if snapshot.q[i] == quality.GOOD else quality.NAMES[snapshot.q[i]]


def test_a_device_is_walked_once_and_its_model_read_from_then_on():
    site = Site(chain(40_000, COMMON, METER))
    site.scan(1)
    assert site.bus.reads == [(40_000, 2), (40_002, 2), (40_069, 2)]
    site.scan(5)
    assert site.bus.reads[3:] == [(40_069, 55)] * 5
    assert site.volts() == 230_100


def test_a_long_chain_is_walked_in_steps_that_leave_the_bus_to_others():
    many = [(number, [0] * 4) for number in range(120, 140)]
    site = Site(chain(50_000, COMMON, *(many + [METER])))
    site.scan(1)
    assert len(site.bus.reads) == 8
    site.scan(5)
    assert site.volts() == 230_100


def test_a_device_that_was_away_is_walked_again_and_may_have_moved():
    site = Site(chain(40_000, COMMON, METER))
    site.scan(3)
    site.bus.silent = True
    site.scan(10)
    assert site.volts() == "stale"
    site.bus.registers = chain(0, METER)
    site.bus.silent = False
    site.scan(20)
    assert site.volts() == 230_100
    assert site.bus.reads[-1] == (2, 55)


def test_one_lost_reply_is_no_reason_to_walk_again():
    site = Site(chain(40_000, COMMON, METER))
    site.scan(3)
    site.bus.silent = True
    site.scan(1)
    site.bus.silent = False
    site.bus.reads.clear()
    site.scan(3)
    assert site.bus.reads == [(40_069, 55)] * 3


def test_a_block_that_has_become_another_is_not_decoded():
    site = Site(chain(40_000, COMMON, METER))
    site.scan(3)
    other = (204, [0] * 6 + [1] * 99)
    site.bus.registers = chain(40_000, COMMON, (64, [7] * 105), METER)
    site.scan(1)
    assert site.volts() == 230_100  # the last good value
    site.scan(3)
    assert site.volts() == 230_100
    assert site.bus.reads[-1] == (40_176, 55)
    site.bus.registers = chain(40_000, COMMON, other)
    site.scan(4)
    assert site.volts() == 10_000  # a model of the same layout, where the chain now has it


def test_a_device_without_the_model_says_so_and_is_not_polled_in_vain():
    site = Site(chain(40_000, COMMON, INVERTER))
    site.scan(2)
    assert site.volts() == "unsupported"
    site.bus.reads.clear()
    site.scan(50)
    assert site.bus.reads == []
    assert site.volts() == "unsupported"
    site.bus.registers = chain(40_000, COMMON, METER)
    site.scan(20)
    assert site.volts() == 230_100


def test_a_silent_device_is_backed_off_while_it_is_walked():
    site = Site(chain(40_000, COMMON, METER))
    site.bus.silent = True
    site.scan(64)
    assert len(site.bus.reads) == 7  # in scans 0, 1, 3, 7, 15, 31, 63
    assert site.poller.is_silent()
    assert site.volts() == "stale"
