"""Which device supplies which point of one site.

A point has one supplier. A device supplies the points of its own role first; what a role lacks may then come
from the rows that other devices offer as well (a charge controller knows the battery's voltage). Knows
profiles and the point table, no bus.
"""

from greenmast_fw import devices
from greenmast_protocol import points

TYPE_CHECKING = False
if TYPE_CHECKING:
    from greenmast_fw.devices.profile import Profile


class Device:
    """One slave. `points[i]` is the number of the point that row `i` of its profile supplies, or -1."""

    __slots__ = ("points", "profile", "role", "unit")

    def __init__(self, role: str, profile: "Profile", unit: int) -> None:
        self.role = role
        self.profile = profile
        self.unit = unit
        self.points = [-1] * len(profile.ROWS)

    def supplies(self, read: int) -> "list[int]":
        """Numbers of the points that read number `read` supplies."""
        rows = self.profile.ROWS
        return [self.points[i] for i in range(len(rows)) if rows[i][1] == read and self.points[i] >= 0]


def bind(wanted: "list[tuple[str, str, int]]") -> "list[Device]":
    """The devices of a whole site, in the order of `wanted`: (role, profile name, address) each.

    Where two devices could supply a point, the one listed first does. Raises KeyError for an unknown profile.
    """
    bound = [Device(role, devices.load(name), unit) for role, name, unit in wanted]
    taken: "set[int]" = set()
    for own_role in (True, False):
        for device in bound:
            rows = device.profile.ROWS
            for i in range(len(rows)):
                if rows[i][0].startswith(device.role + ".") == own_role:
                    number = points.index(rows[i][0])
                    if number not in taken:
                        taken.add(number)
                        device.points[i] = number
    return bound
