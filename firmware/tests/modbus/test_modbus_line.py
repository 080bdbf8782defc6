"""The line: whole frames out under the driver-enable pin, bytes in as they come, every wait with an end."""

from modbus_fakes import Rig

from greenmast_fw.drivers import modbus_line

BAUD = 9600
CHAR_US = 11_000_000 // BAUD


class FakeUart:
    """Hands over what has arrived by the rig's clock; notes what happens to it and to the pin."""

    def __init__(self, clock):
        self.clock = clock
        self.arriving = []  # (time_us, byte)
        self.events = []
        self.done_us = 0
        self.takes = None
        self.stuck = False
        self.gone = False
        self.looks = 0

    def arrive(self, delay_us, data, char_us=CHAR_US):
        start_us = self.clock.now_us + delay_us
        self.arriving += [(start_us + (i + 1) * char_us, data[i]) for i in range(len(data))]

    def write(self, data):
        self.events.append(bytes(data))
        self.done_us = self.clock.now_us + len(data) * CHAR_US
        return len(data) if self.takes is None else self.takes

    def txdone(self):
        self.clock.now_us += 50  # what asking takes
        return not self.stuck and self.clock.now_us >= self.done_us

    def readinto(self, view):
        self.looks += 1
        if self.gone:
            raise OSError(5)
        n = 0
        while n < len(view) and self.arriving and self.arriving[0][0] <= self.clock.now_us:
            view[n] = self.arriving.pop(0)[1]
            n += 1
        return n or None

    def ipoll(self, ms):
        """The poll object's: wakes at the first byte, or after `ms`."""
        end_us = self.clock.now_us + 1000 * ms
        if self.arriving:
            end_us = max(self.clock.now_us, min(end_us, self.arriving[0][0]))
        self.clock.now_us = end_us
        return ()

    def de(self, level):
        self.events.append("drive" if level else "listen after %d us" % (self.clock.now_us - self.done_us))


def rig_and_line(with_de=False):
    rig = Rig()
    uart = FakeUart(rig.clock)
    return rig, uart, line_on(uart, BAUD, uart.de if with_de else None)


class FakeSelect:
    """The module `select`, whose poll objects are the UARTs themselves."""

    POLLIN = 1

    def poll(self):
        return self

    def register(self, uart, _):
        self.ipoll = getattr(uart, "ipoll", None)


def line_on(uart, baud, de=None):
    select = modbus_line.select
    modbus_line.select = FakeSelect()
    try:
        return modbus_line.Line(uart, baud, de)
    finally:
        modbus_line.select = select


def receive(rig, line, length, timeout_ms=300, room=64):
    buffer = bytearray(room)
    n = rig.run(line.receive, memoryview(buffer), lambda got: max(0, length - got), timeout_ms)
    return bytes(buffer[:n])


def test_timing_follows_the_standard():
    for baud, char_us, gap_us in ((9600, 1145, 4010), (19200, 572, 2005), (115200, 95, 1750)):
        line = line_on(None, baud)
        assert (line.char_us, line.gap_us) == (char_us, gap_us)


def test_the_line_is_driven_for_the_frame_and_released_within_a_millisecond():
    rig, uart, line = rig_and_line(with_de=True)
    rig.run(line.send, memoryview(b"12345678"))
    drive, frame, listen = uart.events
    assert (drive, frame) == ("drive", b"12345678")
    assert 0 <= int(listen.split()[2]) < 1000


def test_no_other_task_can_delay_the_release_of_the_line():
    rig, uart, line = rig_and_line(with_de=True)
    slept_ms = []

    async def sleep_ms(ms):  # other tasks take 30 ms whenever they get a turn
        slept_ms.append(ms)
        rig.clock.now_us += 1000 * ms + 30_000

    rig.clock.sleep_ms = sleep_ms
    rig.run(line.send, memoryview(b"12345678"))
    assert slept_ms == []
    assert 0 <= int(uart.events[-1].split()[2]) < 1000
    uart.events.clear()
    rig.run(line.send, memoryview(b"x" * 200))  # 229 ms: too long to keep them all waiting
    assert len(slept_ms) == 1


def test_sending_returns_when_the_frame_has_left():
    rig, uart, line = rig_and_line()
    begun_us = rig.clock.now_us
    rig.run(line.send, memoryview(b"12345678"))
    assert uart.events == [b"12345678"]
    assert 8 * CHAR_US - 2000 <= rig.clock.now_us - begun_us <= 8 * CHAR_US


def test_a_uart_that_hangs_or_takes_half_a_frame_releases_the_line():
    rig, uart, line = rig_and_line(with_de=True)
    uart.stuck = True
    rig.run(line.send, memoryview(b"12345678"))
    assert uart.events[-1].startswith("listen")
    uart.takes = 3
    try:
        rig.run(line.send, memoryview(b"12345678"))
    except OSError:
        assert uart.events[-1].startswith("listen")
        return
    raise AssertionError("half a frame passed for a whole one")


def test_receiving_ends_with_the_last_byte_that_was_lacking():
    for delay_us in (0, 700, 5_000, 40_000, 200_000):
        rig, uart, line = rig_and_line()
        uart.arrive(delay_us, b"x" * 25)
        last_us = uart.arriving[-1][0]
        assert receive(rig, line, 25) == b"x" * 25
        assert rig.clock.now_us - last_us < 1000, delay_us


def test_looking_is_rare_while_nothing_comes():
    rig, uart, line = rig_and_line()
    assert receive(rig, line, 25, timeout_ms=1000) == b""
    assert uart.looks < 150
    rig, uart, line = rig_and_line()
    uart.arrive(20_000, b"x" * 100)
    assert receive(rig, line, 100, timeout_ms=1000, room=128) == b"x" * 100
    assert uart.looks < 60


def test_receiving_ends_at_the_time_limit_with_what_has_come():
    rig, uart, line = rig_and_line()
    begun_us = rig.clock.now_us
    uart.arrive(5_000, b"abc")
    assert receive(rig, line, 25, timeout_ms=300) == b"abc"
    assert 299_000 <= rig.clock.now_us - begun_us <= 330_000


def test_bytes_that_drip_are_put_together():
    rig, uart, line = rig_and_line()
    uart.arrive(5_000, b"abcdefgh", char_us=20_000)
    assert receive(rig, line, 8) == b"abcdefgh"


def test_what_follows_in_the_same_breath_is_kept_for_the_judge():
    rig, uart, line = rig_and_line()
    uart.arrive(0, b"abcdefgh", char_us=0)
    assert receive(rig, line, 5) == b"abcdefgh"


def test_a_full_buffer_ends_receiving():
    rig, uart, line = rig_and_line()
    uart.arrive(0, b"x" * 200)
    assert receive(rig, line, 300, timeout_ms=1000, room=64) == b"x" * 64


def test_draining_counts_and_is_bounded():
    _rig, uart, line = rig_and_line()
    assert line.drain() == 0
    uart.arrive(0, b"x" * 200, char_us=0)
    assert line.drain() == 200
    uart.readinto = len  # as many as asked for, for ever
    assert line.drain() == 16 * 64


def test_a_uart_that_has_gone_raises():
    rig, uart, line = rig_and_line()
    uart.gone = True
    for action in (line.drain, lambda: receive(rig, line, 5)):
        try:
            action()
        except OSError:
            continue
        raise AssertionError
