"""Which device supplies which point of one site, worked out once at boot.

A point has one supplier. A device supplies the points of its own role first; what a role lacks may then come
from the rows that other devices offer as well (a charge controller knows the battery's voltage). A setpoint
goes to the devices of its role. Where several devices share a role, each supplies points of its own
(`instances`). Knows profiles and the point table, no bus.
"""

from array import array

from greenmast_protocol import instances, points

TYPE_CHECKING = False
if TYPE_CHECKING:
    from greenmast_fw.devices.profile import Device, Profile, Row

PROFILES = (
    "daly-bms",
    "dse-7320",
    "eastron-sdm230",
    "epever-tracer-an",
    "meanwell-drs",
    "pzem-017",
    "seplos-v3",
)


def load(name: str) -> "Profile":
    """The profile module `name`, loaded when it is asked for. Raises KeyError for one that does not exist."""
    if name not in PROFILES:
        raise KeyError(name)
    return __import__("greenmast_fw.devices." + name.replace("-", "_"), None, None, ("NAME",))


def bind(wanted: "list[tuple[str, str, int]]") -> "list[Device]":
    """The devices of a whole site, in the order of `wanted`: (role, profile name, address) each.

    Where two devices could supply a point, the one listed first does. Raises KeyError for an unknown profile.
    """
    profiles = [load(name) for _, name, _ in wanted]
    several = instances.Instances(instances.count([role for role, _, _ in wanted]))
    shared = [block[0] for block in several.blocks]
    met: "list[str]" = []
    numbers = []  # of each device among those of its role
    for role, _, _ in wanted:
        numbers.append(met.count(role))
        met.append(role)
    suppliers: "dict[str, int]" = {}  # point -> place in `wanted`
    for own_role in (True, False):
        for i, (role, _, _) in enumerate(wanted):
            for row in profiles[i].ROWS:
                if row[0].startswith(role + ".") == own_role and row[0].split(".")[0] not in shared:
                    suppliers.setdefault(row[0], i)
    out = []
    for i, (role, _, unit) in enumerate(wanted):
        supplied = []
        for row in profiles[i].ROWS:
            point = points.index(row[0])
            own = several.of_device(point, role, numbers[i])
            if own != point or suppliers.get(row[0]) == i:
                supplied.append((own, row))
        out.append(_device(role, unit, profiles[i], supplied))
    return out


def _device(role: str, unit: int, profile: "Profile", supplied: "list[tuple[int, Row]]") -> "Device":
    reads: "list[int]" = []
    rows: "list[int]" = []
    count = 0
    for number, read in enumerate(profile.READS):
        of_read = [(point, row) for point, row in supplied if row[1] == number]
        if of_read:
            reads.extend(read)
            for point, row in of_read:
                rows.extend((point, count) + row[2:])
            count += 1
    writes = tuple([row for row in profile.WRITES if row[0].startswith(role + ".")])
    return (unit, profile.TIMEOUT_MS, profile.GAP_MS, array("H", reads), array("i", rows), writes)
