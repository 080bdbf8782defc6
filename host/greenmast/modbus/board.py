"""Through the board: its own master reads for us, between its own polls, so that nothing need be unplugged.

Reads only. Knows nothing of products.
"""

from __future__ import annotations

from greenmast.errors import USAGE, UserError
from greenmast.link.base import Link, RefusedError
from greenmast.modbus.master import DamagedError, Master, ModbusError, NoReplyError, RefusedByDeviceError
from greenmast_protocol import modbus_frame

METHOD = "bus.read"
UNITS = range(1, 248)  # the board asks no others
_QUEUE_S = 3.0  # the board's own exchanges come first
_EXCEPTION = "exception_"


class BoardBus(Master):
    """Bus `bus_name` of the board behind `link`, which stays the caller's to close.

    Raises UserError when the board has no such bus, and what `Link.call` raises.
    """

    def __init__(self, link: Link, bus_name: str) -> None:
        super().__init__(f"bus {bus_name} of {link.name}")
        names = [str(bus.get("name")) for bus in link.call("config.get").get("buses", [])]
        if bus_name not in names:
            raise UserError(f"{link.name} has no bus {bus_name}; it has: {', '.join(names) or 'none'}", USAGE)
        self._link = link
        self._number = names.index(bus_name)

    def close(self) -> None:
        """Nothing is held."""

    def read(self, unit: int, function: int, address: int, count: int, timeout_s: float = 0.5) -> bytes:
        """Functions 1-4: the data bytes of the reply."""
        if unit not in UNITS:
            raise NoReplyError
        params = {
            "bus": self._number,
            "unit": unit,
            "function": function,
            "address": address,
            "count": count,
        }
        result = self._link.call(METHOD, params, timeout_s=timeout_s + _QUEUE_S)
        try:
            data = bytes.fromhex(result["data"])
            verdict = result.get("verdict", "ok")
        except (AttributeError, KeyError, TypeError, ValueError) as e:
            raise RefusedError("malformed", f"the board's answer makes no sense: {e}") from e
        if verdict != "ok":
            raise _error(str(verdict))
        return data

    def _exchange(self, request: bytearray, timeout_s: float) -> bytearray:
        raise UserError("through the board there are reads only", USAGE)


def _error(verdict: str) -> ModbusError:
    if verdict.startswith(_EXCEPTION):
        return RefusedByDeviceError(int(verdict.removeprefix(_EXCEPTION)))
    known = {modbus_frame.verdict_name(code): code for code in range(modbus_frame.UNREACHABLE + 1)}
    if known.get(verdict) in (modbus_frame.TIMEOUT, modbus_frame.UNREACHABLE):
        return NoReplyError()
    return DamagedError(known.get(verdict, modbus_frame.LINE_FAULT))
