"""Which device supplies which point of one site, worked out once at boot.

A point has one supplier. A device supplies the points of its own role first (the fuel level comes from a fuel
sender before the genset's controller); what a role lacks may then come from the rows that other devices offer
as well (a charge controller knows the battery's voltage). A setpoint goes to the devices of its role. Where
several devices share a role, or one measures several phases, each supplies points of its own (`instances`).
Knows profiles and the point table, no bus.
"""

from array import array

from greenmast_fw.devices import profile as tables
from greenmast_protocol import instances, points

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from greenmast_fw.devices.profile import Device, Profile, Row

    # An input of the site's module of relays and inputs: point number, channel from 0, 1: it is inverted.
    Channel = tuple[int, int, int]

PROFILES = (
    "comap-il4",
    "daly-bms",
    "datakom-d500",
    "daviteq-cap10",
    "dse-7320",
    "eastron-sdm120",
    "eastron-sdm230",
    "eastron-sdm630",
    "epever-tracer-an",
    "jk-pb",
    "meanwell-cmu2c",
    "meanwell-drs",
    "pace-bms",
    "pzem-017",
    "seplos-v3",
    "sunspec-battery",
    "sunspec-inverter",
    "sunspec-meter",
    "victron-mppt",
    "victron-shunt",
    "waveshare-relay-8ch",
)


def load(name: str) -> "Profile":
    """The profile module `name`, loaded when it is asked for. Raises KeyError for one that does not exist."""
    if name not in PROFILES:
        raise KeyError(name)
    return __import__("greenmast_fw.devices." + name.replace("-", "_"), None, None, ("NAME",))


def bind(
    wanted: "Sequence[tuple[str, str, int] | tuple[str, str, int, int]]",
    inputs: "Sequence[Channel]" = (),
) -> "list[Device]":
    """The devices of a whole site, in the order of `wanted`: (role, profile name, address[, phases]) each.

    `inputs`: what hangs on the inputs of a module. Where two devices could supply a point, the one listed
    first does. Raises KeyError for an unknown profile.
    """
    profiles = [load(row[1]) for row in wanted]
    roles: "list[str]" = []
    numbers = []  # of each device, or of its first phase, among those of its role
    for row in wanted:
        numbers.append(roles.count(row[0]))
        roles.extend([row[0]] * _phases(row))
    several = instances.Instances(instances.count(roles))
    shared = [block[0] for block in several.blocks]
    offered = [_offers(profiles[i], _phases(wanted[i])) for i in range(len(wanted))]
    suppliers: "dict[str, int]" = {}  # point -> place in `wanted`
    for rank in range(3):
        for i in range(len(wanted)):
            for name, _, _ in offered[i]:
                if _rank(wanted[i][0], name) == rank and name.split(".")[0] not in shared:
                    suppliers.setdefault(name, i)
    out = []
    for i, row in enumerate(wanted):
        supplied = []
        for name, phase, of_profile in offered[i]:
            point = points.index(name)
            own = several.of_device(point, row[0], numbers[i] + phase)
            if own != point or suppliers.get(name) == i:
                supplied.append((own, of_profile))
        read = getattr(profiles[i], "INPUTS", None)
        if read is not None:
            for point, channel, flip in inputs:
                of_module = ("", read, channel, tables.BIT, 1 - 2 * flip, 1, flip)
                supplied.append((point, of_module))
        out.append(_device(row[0], row[2], profiles[i], supplied))
    return out


def _phases(row: "tuple[str, str, int] | tuple[str, str, int, int]") -> int:
    return row[3] if len(row) > 3 else 1


def _rank(role: str, name: str) -> int:
    """Who is asked first for a point: a sender of its own, a device of its subsystem, any other."""
    if role == "fuel":
        return 0
    return 1 if name.startswith(role + ".") else 2


def _offers(profile: "Profile", phases: int) -> "list[tuple[str, int, Row]]":
    """The rows that it can supply: (point of the table, phase from 0, row)."""
    out = []
    for row in profile.ROWS:
        name, phase = row[0], 0
        role, rest = name.split(".")
        if rest[0] == "l" and rest[2] == "_":  # "l2_voltage_mv"
            name, phase = role + "." + rest[3:], int(rest[1]) - 1
        if phase < phases:
            out.append((name, phase, row))
    return out


def _device(role: str, unit: int, profile: "Profile", supplied: "list[tuple[int, Row]]") -> "Device":
    reads: "list[int]" = []
    rows: "list[int]" = []
    count = 0
    for number, read in enumerate(profile.READS):
        of_read = [(point, row) for point, row in supplied if row[1] == number]
        if of_read or read[0] == tables.READ_COILS:
            reads.extend(read)
            for point, row in of_read:
                rows.extend((point, count) + row[2:])
            count += 1
    writes: "list[Any]" = [row for row in profile.WRITES if row[0].startswith(role + ".")]
    if role == profile.ROLE:
        writes.extend(profile.SWITCHES)
    walker = getattr(profile, "WALKER", None)
    if walker is not None:
        models: "tuple[int, ...]" = getattr(profile, "MODELS")  # noqa: B009
        walker = walker(models, max([read[1] + read[2] for read in profile.READS]))
    return (
        unit,
        profile.TIMEOUT_MS,
        profile.GAP_MS,
        array("H", reads),
        array("i", rows),
        tuple(writes),
        getattr(profile, "READY", ((), ())),
        walker,
    )
