"""The chips behind I2C: what they are after power-on, what a write does, what a read sees."""

from __future__ import annotations

from datetime import UTC, datetime

from greenmast import wiring
from greenmast.emulator.expanders import I2cBus
from greenmast.emulator.i2c import Pcf8574, Pcf85063a, Tca9554

INPUT, OUTPUT, POLARITY, DIRECTION = 0, 1, 2, 3


def test_a_tca9554_begins_with_inputs_and_ones_in_its_output_register() -> None:
    chip = Tca9554()
    assert [chip.driven(bit) for bit in range(8)] == [None] * 8
    chip.write(bytes([OUTPUT]))
    assert chip.read(1) == b"\xff"
    chip.write(bytes([DIRECTION, 0x00]))
    assert [chip.driven(bit) for bit in range(8)] == [1] * 8, "whoever forgets the output register drives all"


def test_a_tca9554_reads_its_pins_and_ignores_writes_to_them() -> None:
    chip = Tca9554()
    chip.outside(0, 0)
    chip.write(bytes([INPUT, 0x55]))
    assert chip.read(2) == b"\xfe\xfe"
    chip.write(bytes([POLARITY, 0x03]))
    chip.write(bytes([INPUT]))
    assert chip.read(1) == b"\xfd"
    chip.write(bytes([OUTPUT, 0x00]))
    chip.write(bytes([DIRECTION, 0xF0]))
    chip.write(bytes([INPUT]))
    assert chip.read(1) == b"\xf0"
    chip.power_cycle()
    assert chip.driven(4) is None


def test_a_pcf8574_pulls_low_hard_and_high_weakly() -> None:
    chip = Pcf8574()
    chip.outside(1, 0)
    chip.outside(2, 1)
    assert chip.read(1) == b"\xfd"
    chip.write(b"\xfb")
    assert chip.read(1) == b"\xf9", "a pin driven low reads low whatever comes from outside"
    assert [chip.driven(bit) for bit in range(4)] == [1, None, 0, 1]
    chip.power_cycle()
    assert chip.latch == 0xFF


def test_a_clock_says_that_it_has_stopped_until_it_is_set() -> None:
    now = [datetime(2026, 11, 24, 12, 0, 0, tzinfo=UTC)]
    chip = Pcf85063a(lambda: now[0])
    chip.write(b"\x04")
    assert chip.read(1)[0] & 0x80
    chip.write(bytes([0x04, 0x56, 0x34, 0x12, 0x05, 0x00, 0x07, 0x31]))
    now[0] = datetime(2026, 11, 24, 12, 0, 4, tzinfo=UTC)
    chip.write(b"\x04")
    assert chip.read(7) == bytes([0x00, 0x35, 0x12, 0x05, 0x06, 0x07, 0x31])  # a Saturday
    chip.write(b"\x03\xa5")
    chip.write(b"\x03")
    assert chip.read(1) == b"\xa5", "its spare byte"


def test_a_bus_numbers_the_pins_of_its_chips_by_direction() -> None:
    bus = I2cBus(wiring.board("kincony-kc868-a16"))
    assert bus.exchange(0x20, b"\x00", 0) is None, "nobody there"
    bus.set_input(108, 0)
    assert bus.exchange(0x21, b"\xff", 1) == b"\xfe"
    assert bus.exchange(0x25, b"\x7f", 0) == b""
    assert list(bus.changes()) == [(115, 0)]
    assert list(bus.changes()) == []
    bus.chips[0x25].present = False
    assert bus.exchange(0x25, b"\xff", 0) is None
