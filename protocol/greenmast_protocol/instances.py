"""Points beyond the table: those of each device where several share a role, of each phase of an AC meter, and
how each device answers.

`battery.2.voltage_mv` is that of the second battery, `grid.l2_voltage_mv` that of the second phase; their
ranges and dead bands are those of `battery.voltage_mv` and `grid.voltage_mv`. `device.2.online` is of the
second device in the site's list, whatever its role. Their numbers follow the table's, in an order that only
the site's own configuration gives: as there, names are the wire format.
"""

from greenmast_protocol import points

ROLES = ("battery", "solar", "grid", "rectifier", "load")  # in this order
PHASES = ("grid",)  # its devices measure one phase each, or one device all of them
PHASES_MAX = 3
DEVICES_MAX = 8
_DEVICE = "device"  # no role: any device


class Instances:
    """`counts`: role -> number of its devices; those with one device have no points here. `devices`: of the
    site, in points about how each answers; 0 where nobody looks at that.

    `count`: how many points there are. `blocks`: (role, first table point of its subsystem, number of those,
    devices, first own point) each.
    """

    def __init__(self, counts: "dict[str, int]", devices: int = 0) -> None:
        self.blocks: "list[tuple[str, int, int, int, int]]" = []
        at = points.COUNT
        wanted = [(role, counts[role]) for role in ROLES if counts.get(role, 1) > 1]
        if devices:
            wanted.append((_DEVICE, devices))
        for role, number in wanted:
            first, size = _subsystem(role)
            self.blocks.append((role, first, size, number, at))
            at += size * number
        self.count = at - points.COUNT

    def kind(self, i: int) -> int:
        """The point of the table whose range and dead band point `i` has."""
        for _, first, size, devices, at in self.blocks:
            if at <= i < at + size * devices:
                return first + (i - at) % size
        return i

    def name(self, i: int) -> str:
        """Name of point `i`, of the table or beyond it."""
        for role, first, size, devices, at in self.blocks:
            if at <= i < at + size * devices:
                number, place = (i - at) // size + 1, (i - at) % size
                rest = points.name(first + place)[len(role) + 1 :]
                return ("%s.l%d_%s" if role in PHASES else "%s.%d.%s") % (role, number, rest)
        return points.name(i)

    def of_device(self, i: int, role: str, number: int) -> int:
        """The point that device `number` (from 0) of `role` supplies where a single one would supply `i`."""
        for own, first, size, _, at in self.blocks:
            if own == role and first <= i < first + size:
                return at + number * size + i - first
        return i


def count(roles: "list[str]") -> "dict[str, int]":
    """Role -> number of devices, of a list with one role for each device, or each phase that it measures."""
    out: "dict[str, int]" = {}
    for role in roles:
        out[role] = out.get(role, 0) + 1
    return out


def _subsystem(role: str) -> "tuple[int, int]":
    """First point of a subsystem and the number of its points, which stand together in the table."""
    first = size = 0
    for i in range(points.COUNT):
        if points.name(i).startswith(role + "."):
            first = first if size else i
            size += 1
    return first, size
