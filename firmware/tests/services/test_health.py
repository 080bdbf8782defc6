"""How devices answer, as points: of each and of all, one device a scan, nothing of what was not asked."""

from array import array

from greenmast_fw.core.snapshot import Image
from greenmast_fw.services.health import Health
from greenmast_protocol import points
from greenmast_protocol.instances import Instances

NAMES = [name for name in points.NAMES if name.startswith("device.")]


class Rig:
    def __init__(self, *units):
        several = Instances({"battery": 2}, len(units))
        self.image = Image(several)
        self.numbers = {}
        for i in range(self.image.count):
            self.numbers[self.image.name(i)] = i
        self.units = [array("i", unit) for unit in units]
        self.health = Health(self.image, several, self.units)

    def step(self, times):
        for _ in range(times):
            self.health.step()
        snapshot = self.image.snapshot()
        return lambda of: [snapshot.v[self.numbers[n.replace("device.", of)]] for n in NAMES]


def unit(requests, errors, timeouts, reply_ms, unanswered):
    return (requests, errors, timeouts, reply_ms, unanswered, 0, 300, 0)


def test_each_device_has_its_counters_and_all_have_their_sums_and_the_slowest():
    told = Rig(unit(100, 1, 2, 40, 0), unit(10, 0, 10, 0, 255), unit(7, 3, 0, 90, 2)).step(3)
    assert told("device.1.") == [100, 1, 2, 40, 1]
    assert told("device.2.") == [10, 0, 10, 0, 0]
    assert told("device.3.") == [7, 3, 0, 90, 1]
    assert told("device.") == [117, 4, 12, 90, 0]


def test_all_are_online_when_each_is_and_counters_move_on():
    rig = Rig(unit(1, 0, 0, 5, 0), unit(1, 0, 0, 6, 0))
    assert rig.step(2)("device.") == [2, 0, 0, 6, 1]
    rig.units[0][0] = 9
    rig.units[1][4] = 3
    assert rig.step(1)("device.1.") == [9, 0, 0, 5, 1]
    assert rig.step(1)("device.") == [10, 0, 0, 6, 0]


def test_a_device_that_was_not_asked_yet_has_no_values_and_is_not_missed():
    rig = Rig(unit(0, 0, 0, 0, 255), unit(4, 0, 0, 5, 0))
    told = rig.step(2)
    assert told("device.1.") == [None] * 5
    assert told("device.") == [4, 0, 0, 5, 1]
    assert Rig(unit(0, 0, 0, 0, 255)).step(3)("device.") == [None] * 5


def test_a_site_without_devices_has_nothing_to_tell():
    image = Image(Instances({}))
    health = Health(image, Instances({}), [])
    health.step()
    assert image.snapshot().v[points.index("device.online")] is None
