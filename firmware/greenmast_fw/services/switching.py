"""Switching through devices: the start of a genset by its controller, the relays of a module.

Loaded where something is switched so. A genset is told only while its controller is ready (READY of its
profile): one that a person has taken out of automatic is left alone.
"""

from greenmast_fw.devices import profile
from greenmast_protocol import modbus_frame

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from greenmast_fw.drivers.modbus_master import Master


async def write(master: "Master", station: "Any", i: int, value: int) -> bool:
    """Switch by row `i` of the station's writes. False: the device is not ready. Raises ModbusError."""
    _, function, address, on, off = station.writes[i]
    conditions = station.ready[0 if value else 1]
    if conditions and not value and not station.ours[i]:
        return False
    for asked, place, count, checks in conditions:
        if not profile.holds(checks, await master.read(station.unit, asked, place, count)):
            return False
    values = on if value else off
    if function == modbus_frame.WRITE_REGISTER:
        await master.write_register(station.unit, address, values[0])
    elif function == modbus_frame.WRITE_COIL:
        await master.write_coil(station.unit, address, values[0] > 0)
    else:
        await master.write_registers(station.unit, address, values)
    station.ours[i] = value > 0
    return True


def compare(station: "Any", first: int, data: memoryview) -> None:
    """Relays that are not as we hold them have dropped by themselves: they are due at once.

    `data`: the coils from `first` on.
    """
    for i in range(len(station.writes)):
        row, value = station.writes[i], station.held[i]
        if value is None or row[1] != modbus_frame.WRITE_COIL:
            continue
        channel = row[2] - first
        if (data[channel >> 3] >> (channel & 7) & 1) != ((row[3] if value else row[4])[0] > 0):
            station.write_due[i] = 0
