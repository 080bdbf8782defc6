"""What is switched through devices: gensets by their controllers, relays, and inputs that come back."""

from modbus_fakes import Rig

from greenmast_fw.core.snapshot import Image
from greenmast_fw.devices import binding
from greenmast_fw.drivers.modbus_master import ModbusError
from greenmast_fw.services import poll
from greenmast_protocol import modbus_frame as frame
from greenmast_protocol import points, quality

START = "output.genset_start"
DSE_START = (0x1008, (35_732, 29_803))
DSE_CANCEL = (0x1008, (35_733, 29_802))


class Bus:
    """One slave with holding registers, coils and inputs; what is not in `registers` reads 0."""

    def __init__(self, clock):
        self.clock = clock
        self.registers = {}
        self.coils = 0
        self.inputs = 0
        self.silent = False
        self.refuses = False  # writes
        self.reads = []
        self.writes = []  # (address, values or coil)
        self.times_ms = []  # of writes

    def limit(self, unit, timeout_ms, gap_ms):
        pass

    def _spend(self):
        self.clock.now_us += 40_000
        if self.silent:
            raise ModbusError(frame.TIMEOUT)

    async def read(self, unit, function, address, count):
        self.reads.append((function, address))
        self._spend()
        if function <= 2:
            return memoryview(bytes([self.coils if function == 1 else self.inputs]))
        data = bytearray()
        for place in range(address, address + count):
            value = self.registers.get(place, 0)
            data.extend(bytes([value >> 8, value & 0xFF]))
        return memoryview(data)

    def _wrote(self, address, what):
        self.writes.append((address, what))
        self.times_ms.append(self.clock.now_us // 1000)
        self._spend()
        if self.refuses:
            raise ModbusError(frame.EXCEPTION + 4)

    async def write_register(self, unit, address, value):
        self._wrote(address, (value,))

    async def write_registers(self, unit, address, values):
        self._wrote(address, tuple(values))

    async def write_coil(self, unit, address, on):
        self._wrote(address, on)
        if self.coils is not None:
            self.coils = self.coils & ~(1 << address) | (on << address)


class Site:
    def __init__(self, role, name, inputs=()):
        self.rig = Rig()
        self.clock = self.rig.clock
        self.bus = Bus(self.clock)
        self.image = Image()
        devices = binding.bind([(role, name, 1)], inputs)
        self.poller = poll.BusPoller(self.bus, devices, self.image, 1000, 3)

    def scan(self, times=1):
        async def all_of_them():
            for _ in range(times):
                before_us = self.clock.now_us
                await self.poller.scan()
                self.clock.now_us += max(0, 1_000_000 - (self.clock.now_us - before_us))
                self.image.advance((self.clock.now_us - before_us) // 1000)

        self.rig.run(all_of_them)

    def value(self, name):
        snapshot = self.image.snapshot()
        i = points.index(name)
        return snapshot.v[i] if snapshot.q[i] == quality.GOOD else quality.NAMES[snapshot.q[i]]


def dse(mode=1, functions=0xC000):
    site = Site("genset", "dse-7320")
    site.bus.registers[0x0304] = mode
    site.bus.registers[0x1002] = functions
    return site


def test_nothing_is_switched_before_the_core_has_decided():
    for name in ("dse-7320", "comap-il4", "datakom-d500"):
        site = Site("genset", name)
        site.scan(70)
        assert site.bus.writes == [], name
    module = Site("io", "waveshare-relay-8ch")
    module.bus.coils = 0xFF
    module.scan(70)
    assert module.bus.writes == []


def test_a_genset_is_started_and_stopped_by_key_and_complement_in_one_request():
    site = dse()
    site.poller.hold(START, 1)
    site.scan(5)
    assert site.bus.writes == [DSE_START]
    site.poller.hold(START, 0)
    site.scan(5)
    assert site.bus.writes == [DSE_START, DSE_CANCEL]
    for address, (key, complement) in site.bus.writes:
        assert address == 0x1008
        assert key ^ complement == 0xFFFF


def test_a_genset_out_of_automatic_is_not_started_and_says_so():
    for mode in (0, 2, 3, 4, 5, 6, 7):
        site = dse(mode)
        site.poller.hold(START, 1)
        site.scan(130)
        assert site.bus.writes == [], mode
        assert site.value("genset.auto") == (1 if mode == 4 else 0)
    site.bus.registers[0x0304] = 1
    site.scan(8)
    assert site.bus.writes == [DSE_START]  # what the core still wants happens when a person lets it
    assert site.value("genset.auto") == 1


def test_a_genset_that_cannot_be_started_by_telemetry_is_not_told_to():
    for functions in (0, 0x8000, 0x4000, 0x3FFF):
        site = dse(functions=functions)
        site.poller.hold(START, 1)
        site.scan(20)
        assert site.bus.writes == [], functions


def test_a_start_is_said_again_every_minute_while_automatic_holds_and_no_longer():
    site = dse()
    site.poller.hold(START, 1)
    site.scan(125)
    assert site.bus.writes == [DSE_START] * 3
    times = site.bus.times_ms
    assert [times[i + 1] - times[i] for i in (0, 1)] == [60_000, 60_000]
    site.bus.registers[0x0304] = 2
    site.scan(130)
    assert site.bus.writes == [DSE_START] * 3


def test_a_genset_that_was_away_is_told_again():
    site = dse()
    site.poller.hold(START, 1)
    site.scan(2)
    site.bus.silent = True
    site.scan(4)
    site.bus.silent = False
    site.bus.writes.clear()
    site.scan(12)
    assert site.bus.writes == [DSE_START]


def test_a_controller_that_refuses_keeps_its_other_values():
    site = dse()
    site.bus.refuses = True
    site.poller.hold(START, 1)
    site.scan(5)
    assert len(site.bus.writes) >= 2
    assert site.value("genset.rpm") == 0


def test_comap_starts_by_its_coil_in_automatic_alone():
    site = Site("genset", "comap-il4")
    site.bus.coils = None
    site.poller.hold(START, 1)
    for mode in (0, 1, 3):
        site.bus.registers[1382] = mode
        site.scan(12)
        assert site.bus.writes == []
    site.bus.registers[1382] = 2
    site.scan(12)
    assert site.bus.writes == [(4700, True)]
    site.bus.registers[1382] = 1  # a person takes it over: the request is taken back all the same
    site.poller.hold(START, 0)
    site.scan(3)
    assert site.bus.writes[1:] == [(4700, False)]


def test_datakom_presses_auto_only_to_undo_its_own_run():
    site = Site("genset", "datakom-d500")
    mode = site.bus.registers
    mode[10605] = 2  # a person runs it by hand
    site.poller.hold(START, 0)
    site.scan(130)
    site.poller.hold(START, 1)
    site.scan(130)
    site.poller.hold(START, 0)
    site.scan(130)
    assert site.bus.writes == []
    mode[10605] = 4
    site.poller.hold(START, 1)
    site.scan(8)
    assert site.bus.writes == [(8193, (0x12,))]
    mode[10605] = 2
    site.scan(130)
    assert site.bus.writes == [(8193, (0x12,))]
    site.poller.hold(START, 0)
    site.scan(2)
    assert site.bus.writes[1:] == [(8193, (0x04,))]
    mode[10605] = 4
    site.scan(130)
    assert len(site.bus.writes) == 2


def test_datakom_stays_in_stop_when_a_person_has_stopped_it():
    site = Site("genset", "datakom-d500")
    site.bus.registers[10605] = 4
    site.poller.hold(START, 1)
    site.scan(2)
    site.bus.registers[10605] = 1
    site.poller.hold(START, 0)
    site.scan(130)
    assert site.bus.writes == [(8193, (0x12,))]


def test_a_relay_is_set_once_per_change_and_again_every_minute():
    site = Site("io", "waveshare-relay-8ch")
    site.poller.switch("io", 3, 1)
    site.poller.switch("io", 0, 0)
    site.scan(3)
    assert sorted(site.bus.writes) == [(0, False), (3, True)]
    site.poller.switch("io", 3, 1)
    site.scan(3)
    assert len(site.bus.writes) == 2
    site.poller.switch("io", 3, 0)
    site.scan(1)
    assert site.bus.writes[2:] == [(3, False)]
    site.bus.writes.clear()
    site.scan(60)
    assert sorted(site.bus.writes) == [(0, False), (3, False)]


def test_relays_that_dropped_by_themselves_are_set_again_in_the_next_scan():
    site = Site("io", "waveshare-relay-8ch")
    for channel in (0, 3, 7):
        site.poller.switch("io", channel, 1)
    site.scan(3)
    site.bus.writes.clear()
    site.bus.coils = 0b01000000  # its power failed; relay 6 is nobody's
    site.scan(2)
    assert sorted(site.bus.writes) == [(0, True), (3, True), (7, True)]
    assert site.bus.coils == 0b11001001


def test_a_relay_module_is_no_business_of_other_roles():
    site = dse()
    site.poller.switch("io", 0, 1)
    site.poller.switch("genset", 0x1008, 1)
    site.scan(3)
    assert site.bus.writes == []


def test_inputs_of_a_module_are_fresh_points_and_stale_when_it_is_away():
    door = points.index("site.door_open")
    site = Site("io", "waveshare-relay-8ch", [(door, 2, 0)])
    site.bus.inputs = 0b100
    site.scan(1)
    assert site.value("site.door_open") == 1
    site.bus.inputs = 0
    site.scan(1)
    assert site.value("site.door_open") == 0
    site.bus.silent = True
    site.scan(5)
    assert site.value("site.door_open") == "stale"
