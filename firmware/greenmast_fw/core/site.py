"""What a site consists of, as far as the controller must know: outputs, roles and the battery.

Owns the numbers of the outputs. Knows no pin and no address; where an output leads to is the drivers'
business.
"""

from greenmast_protocol import instances, points

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

GRID = points.OUTPUTS.index("grid")
GENSET = points.OUTPUTS.index("genset")
PV = points.OUTPUTS.index("pv")
BATTERY = points.OUTPUTS.index("battery")
LOAD1 = points.OUTPUTS.index("load1")
LOAD2 = points.OUTPUTS.index("load2")
LOAD3 = points.OUTPUTS.index("load3")
START = points.OUTPUTS.index("genset_start")
COOLING = points.OUTPUTS.index("cooling")
MAJOR = points.OUTPUTS.index("alarm_major")
MINOR = points.OUTPUTS.index("alarm_minor")


class Site:
    """The fixed facts of one site.

    `outputs` maps an output's name to (idle, feedback): its main contacts without coil current (0 open, 1
    closed) and whether an auxiliary contact reports them (0, 1). The start line exists wherever the genset's
    contactor does, since a genset may be started over Modbus. Raises KeyError for an output that is not in
    the point table.
    """

    def __init__(
        self,
        outputs: "dict[str, tuple[int, int]]",
        roles: "tuple[str, ...]" = (),
        chemistry: str = "lfp",
        capacity_ah: int = 100,
        cells: int = 15,
    ) -> None:
        count = len(points.OUTPUTS)
        exists = bytearray(count)
        idle = bytearray(count)
        feedback = bytearray(count)
        for name in outputs:
            if name not in points.OUTPUTS:
                raise KeyError(name)
            i = points.OUTPUTS.index(name)
            exists[i] = 1
            idle[i], reported = outputs[name]
            feedback[i] = reported if name in points.FEEDBACKS else 0
        if exists[GENSET]:
            exists[START] = 1
        self.exists = bytes(exists)
        self.idle = bytes(idle)
        self.has_feedback = bytes(feedback)
        self.roles = tuple(roles)
        several = instances.Instances(instances.count(list(roles)))
        self.instances = several if several.count else None
        self.chemistry = chemistry
        self.capacity_mah = capacity_ah * 1000
        self.cells = cells


def from_config(document: "dict[str, Any]") -> Site:
    """The site of a configuration document that has been checked (`greenmast_protocol.config`)."""
    outputs: "dict[str, tuple[int, int]]" = {}
    rows: "dict[str, Any]" = document["outputs"]
    for name in rows:
        row = rows[name]
        outputs[name] = (1 if row["idle"] == "closed" else 0, 0 if row.get("feedback") is None else 1)
    devices: "list[dict[str, Any]]" = document["devices"]
    battery = document["battery"]
    return Site(
        outputs,
        tuple([device["role"] for device in devices for _ in range(device.get("phases", 1))]),
        battery["chemistry"],
        battery["capacity_ah"],
        battery["cells"],
    )
