"""Walking SunSpec devices: what a visit does while it is not known where the model begins.

Loaded where a site has such a device. The way through the models is `devices.sunspec`'s; here is what it
costs the bus and what it means for the points.
"""

from greenmast_fw.devices import profile
from greenmast_fw.drivers.modbus_master import ModbusError
from greenmast_protocol import modbus_frame, quality

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from greenmast_fw.core.snapshot import Image
    from greenmast_fw.drivers.modbus_master import Master

_STEPS = 8  # in one visit
_UNSUPPORTED = -2  # base of a station whose device has no such model; -1 while it is not known


async def visit(master: "Master", image: "Image", station: "Any", scans_a_minute: int) -> bool:
    """Some steps of the walk. False: no answer, or a damaged one.

    A device without the model says so by its points, and is walked again every minute.
    """
    walker = station.walker
    if station.base == _UNSUPPORTED:
        for number in range(len(station.due)):
            image.refresh(station.source + number)
        station.due[0] -= 1
        if not station.due[0]:
            station.walk_again()
        return True
    for _ in range(_STEPS):
        try:
            walker.took(await master.read(station.unit, walker.function, walker.at, walker.step))
        except ModbusError as error:
            if error.code < modbus_frame.EXCEPTION:
                return False
            walker.refused()
        if walker.at < 0:
            break
    if walker.start:
        station.base = walker.start
        station.due = bytearray(len(station.due))
    elif walker.at < 0:
        station.base = _UNSUPPORTED
        station.due[0] = scans_a_minute
        for i in range(0, len(station.rows), profile.ROW_SIZE):
            image.invalid(station.rows[i], quality.UNSUPPORTED)
    return True
