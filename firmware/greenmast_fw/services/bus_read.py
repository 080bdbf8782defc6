"""One read of a bus on behalf of somebody at the console: what is there, and what does it say?

Owns the check of what was asked. The read itself goes through the bus's master, between those of the poller,
so nothing that the board does is disturbed by more than one exchange. Loaded when somebody asks.
"""

import binascii

from greenmast_fw.drivers.modbus_master import ModbusError
from greenmast_protocol import modbus_frame

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any

    from greenmast_fw.drivers.modbus_master import Master

_LIMITS = (("unit", 1, 247), ("function", 1, 4), ("address", 0, 0xFFFF), ("count", 1, 125))


def start(
    masters: "list[Master]", params: "dict[str, Any]"
) -> "Coroutine[None, None, dict[str, object]] | str":
    """`params`: bus (its place in the configuration, from 0), unit, function 1..4, address, count.

    Gives {"verdict": "ok" or a word of `modbus_frame`, "data": hex} in due time, or what is wrong with them.
    """
    numbers = []
    for name, low, high in (("bus", 0, len(masters) - 1),) + _LIMITS:
        value = params.get(name)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            return "%s must be an integer in %d .. %d" % (name, low, high)
        numbers.append(value)
    if len(params) > len(numbers):
        return "bus.read takes bus, unit, function, address and count"
    return _read(masters[numbers[0]], numbers)


async def _read(master: "Master", numbers: "list[int]") -> "dict[str, object]":
    try:
        data = await master.read(numbers[1], numbers[2], numbers[3], numbers[4])
        return {"verdict": "ok", "data": binascii.hexlify(data).decode()}
    except ModbusError as error:
        return {"verdict": modbus_frame.verdict_name(error.code), "data": ""}
