"""Outputs and inputs: coils and contacts by their levels, chips written in an order that moves no relay."""

from types import SimpleNamespace

import pytest

from greenmast_fw.core.snapshot import Image
from greenmast_fw.drivers.pins import Inputs, Outputs
from greenmast_fw.services import setup
from greenmast_protocol import points

GRID, GENSET = points.OUTPUTS.index("grid"), points.OUTPUTS.index("genset")
ON_GRID = points.index("feedback.grid")


class Bus:
    """An I2C bus whose chips answer, or do not; what was written is in `said`."""

    def __init__(self, dead=(), stuck=0):
        self.said = []
        self.dead = dead
        self.stuck = stuck  # bits that do not follow
        self.port = 0xA5

    def _alive(self, address):
        if address in self.dead:
            raise OSError(19)

    def writeto(self, address, buf):
        self._alive(address)
        self.said.append(bytes(buf))
        self.port = buf[0]

    def readfrom_into(self, address, buf):
        self._alive(address)
        buf[0] = self.port ^ self.stuck

    def writeto_mem(self, address, register, buf):
        self._alive(address)
        self.said.append((register, buf[0]))
        if register == 1:
            self.port = buf[0]

    def readfrom_mem_into(self, address, register, buf):
        self._alive(address)
        self.said.append((register,))
        buf[0] = self.port ^ self.stuck


@pytest.fixture
def expander(monkeypatch):
    machine = SimpleNamespace(I2C=None, Pin=None)
    monkeypatch.setitem(__import__("sys").modules, "machine", machine)
    from greenmast_fw.drivers import expander

    return expander


class Pin:
    def __init__(self, level=0):
        self.level = level

    def value(self, x=None):
        if x is not None:
            self.level = x
        return self.level


def closed(*names):
    out = bytearray(len(points.OUTPUTS))
    for name in names:
        out[points.OUTPUTS.index(name)] = 1
    return out


def test_a_coil_has_current_only_to_leave_the_idle_state():
    # Grid closed when idle on an active-high driver, genset open when idle on an active-low one.
    wires, _ = setup.wires(
        {
            "outputs": {
                "grid": {"pin": 1, "feedback": None, "idle": "closed"},
                "genset": {"pin": 100, "feedback": None, "idle": "open"},
            },
            "inputs": {},
        },
        SimpleNamespace(TERMINALS_OUT=(("R1", 100),), RELAY_ACTIVE=0, INPUTS_INVERTED=True),
    )
    (grid, _, grid_open, grid_rest), (genset, _, genset_open, genset_rest) = sorted(wires[0])
    assert (grid, grid_rest) == (GRID, 0)
    assert (genset, genset_rest) == (GENSET, 1)
    pins = Pin(), Pin()
    outputs = Outputs([(grid, pins[0], grid_open), (genset, pins[1], genset_open)])
    for names, levels in ((("grid",), (0, 1)), ((), (1, 1)), (("genset",), (1, 0))):
        outputs.apply(closed(*names))
        assert (pins[0].level, pins[1].level) == levels, names


def test_inputs_say_what_their_contacts_mean():
    wires, module = setup.wires(
        {
            "outputs": {"grid": {"pin": 1, "feedback": 200, "idle": "closed"}},
            "inputs": {
                "door_open": {"pin": 4, "active": "open"},
                "smoke": {"pin": 5, "active": "closed"},
                "mains_fail": {"pin": 201, "active": "closed"},
            },
        },
        SimpleNamespace(TERMINALS_OUT=(), RELAY_ACTIVE=1, INPUTS_INVERTED=True),
    )
    image = Image()
    door_pin, smoke_pin = Pin(), Pin()
    by_pin = {4: door_pin, 5: smoke_pin}
    inputs = Inputs([(point, by_pin[pin], level) for point, pin, level in wires[2]], image)
    for door_level, smoke_level, shown in ((0, 1, (0, 0)), (1, 0, (1, 1))):  # a closed contact reads 0
        door_pin.level, smoke_pin.level = door_level, smoke_level
        inputs.read_into()
        v = image.snapshot().v
        assert (v[points.index("site.door_open")], v[points.index("site.smoke")]) == shown
    assert sorted(module) == sorted([(ON_GRID, 0, 0), (points.index("grid.mains_ok"), 1, 1)])


def test_a_tca9554_shows_its_port_before_its_pins_become_outputs_and_is_read_back(expander):
    bus = Bus()
    chip = expander.Chip(bus, "tca9554", 0x20, 0x00)
    assert chip.write()
    assert bus.said == [(1, 0x00), (3, 0x00), (0,)]
    expander.Bit(chip, 3).value(1)
    assert chip.write()
    assert bus.said[3:5] == [(1, 0x08), (3, 0x00)]
    expander.Bit(chip, 3).value(0)
    assert chip.level == 0


def test_a_pcf8574_is_its_port(expander):
    bus = Bus()
    chip = expander.Chip(bus, "pcf8574", 0x24, 0xFF)
    expander.Bit(chip, 0).value(0)
    assert chip.write()
    assert bus.said == [b"\xfe"]
    bus.port = 0x7F
    assert chip.read() is True
    assert [expander.Bit(chip, bit).value() for bit in (6, 7)] == [1, 1], "reading drives the pins high first"


@pytest.mark.parametrize("kind", ["tca9554", "pcf8574"])
def test_a_chip_that_is_gone_or_does_not_obey_is_a_failure_not_an_exception(expander, kind):
    gone = expander.Chip(Bus(dead=(0x20,)), kind, 0x20, 0)
    assert not gone.write()
    assert not gone.read()
    assert not expander.Chip(Bus(stuck=0x10), kind, 0x20, 0).write()


def test_outputs_count_what_their_chips_did_not_confirm_and_write_again(expander):
    bus = Bus(dead=(0x20,))
    chip = expander.Chip(bus, "tca9554", 0x20, 0)
    outputs = Outputs([(GRID, expander.Bit(chip, 0), 0)], [chip])
    for _ in range(3):
        outputs.apply(closed("grid"))
    assert (outputs.failed, outputs.errors) == (True, 3)
    bus.dead = ()
    outputs.apply(closed("grid"))
    assert (outputs.failed, outputs.errors, bus.port) == (False, 3, 1)


def test_inputs_of_a_silent_chip_become_stale_and_no_others(expander):
    image = Image()
    bus = Bus()
    chip = expander.Chip(bus, "tca9554", 0x22, 0xFF)
    behind = Inputs([(ON_GRID, expander.Bit(chip, 0), 1)], image, chip, 2_000)
    here = Inputs([(points.index("site.smoke"), Pin(0), 0)], image)
    bus.port = 0xFE

    def scan():
        image.advance(1_000)
        behind.read_into()
        here.read_into()
        v = image.snapshot().v
        return v[ON_GRID], v[points.index("site.smoke")]

    assert scan() == (1, 0)
    bus.dead = (0x22,)
    assert [scan() for _ in range(3)] == [(1, 0), (1, 0), (None, 0)], "not at the first miss, not for ever"
    assert behind.failed
    assert not here.failed
    bus.dead = ()
    assert scan() == (1, 0)
