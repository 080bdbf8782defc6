"""Points beyond the table: names, ranges and numbers of several devices of one role, and of phases."""

from greenmast_protocol import points
from greenmast_protocol.instances import Instances, count


def test_a_role_with_one_device_has_no_points_of_its_own():
    few = Instances(count(["grid", "battery", "genset"]))
    assert few.count == 0
    i = points.index("battery.soc_permille")
    assert (few.kind(i), few.name(i), few.of_device(i, "battery", 0)) == (i, "battery.soc_permille", i)


def test_every_device_of_a_shared_role_has_the_points_of_its_subsystem():
    many = Instances(count(["battery", "solar", "battery", "battery"]))
    own = [n for n in points.NAMES if n.startswith("battery.")]
    assert many.count == 3 * len(own)
    names = [many.name(i) for i in range(points.COUNT, points.COUNT + many.count)]
    assert len(set(names)) == len(names)
    assert names[0] == own[0].replace("battery.", "battery.1.")
    assert names[-1] == own[-1].replace("battery.", "battery.3.")


def test_numbers_names_and_kinds_agree():
    many = Instances({"battery": 2, "grid": 3, "rectifier": 2})
    for role, devices in (("battery", 2), ("grid", 3), ("rectifier", 2)):
        for point in [n for n in points.NAMES if n.startswith(role + ".")]:
            i = points.index(point)
            for number in range(devices):
                own = many.of_device(i, role, number)
                assert points.COUNT <= own < points.COUNT + many.count
                assert many.kind(own) == i
                form = "%s.l%d_%s" if role == "grid" else "%s.%d.%s"
                assert many.name(own) == form % (role, number + 1, point.split(".")[1])


def test_every_device_has_points_about_how_it_answers_behind_those_of_its_role():
    alone = Instances({}, 1)
    own = [n for n in points.NAMES if n.startswith("device.")]
    assert alone.count == len(own)
    some = Instances(count(["battery", "battery", "genset"]), 3)
    names = [some.name(points.COUNT + i) for i in range(some.count)]
    assert names[-3 * len(own) :] == [
        name.replace("device.", "device.%d." % n) for n in (1, 2, 3) for name in own
    ]
    online = points.index("device.online")
    assert some.name(some.of_device(online, "device", 2)) == "device.3.online"
    assert some.kind(some.of_device(online, "device", 2)) == online


def test_a_device_supplies_points_of_other_subsystems_as_if_it_were_alone():
    many = Instances({"solar": 2})
    i = points.index("battery.voltage_mv")
    assert many.of_device(i, "solar", 1) == i
