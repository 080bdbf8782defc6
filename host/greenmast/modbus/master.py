"""What every master of the laptop does: build a request, judge its reply by the rules that the board has too.

Owns the errors of an exchange. Knows neither ports nor products, and never asks twice: whoever calls knows
whether that is right.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from greenmast.errors import NO_CONTACT, UserError
from greenmast_protocol import modbus_frame

TIMEOUT_S = 0.5
ILLEGAL_FUNCTION = 1
ILLEGAL_ADDRESS = 2

_EXCEPTIONS = {
    1: "it does not know this function",
    2: "it has no such register",
    3: "it does not take this value or count",
    4: "it failed while answering",
    5: "it needs longer",
    6: "it is busy",
}
_DAMAGE = {
    modbus_frame.TRUNCATED: "the reply ends too early",
    modbus_frame.CRC: "the reply is damaged (checksum)",
    modbus_frame.WRONG_UNIT: "somebody with another address answered",
    modbus_frame.WRONG_FUNCTION: "the reply is to another function",
    modbus_frame.BYTE_COUNT: "the reply has another length than was asked for",
    modbus_frame.ECHO_MISMATCH: "the reply confirms something else than was written",
    modbus_frame.TRAILING: "there are bytes behind the reply",
    modbus_frame.OWN_ECHO: "the adapter returns what it sends (local echo)",
    modbus_frame.LINE_FAULT: "the port failed",
    modbus_frame.LINE_BUSY: "the line is never silent",
    modbus_frame.HEADER: "what came is no Modbus TCP",
}


class ModbusError(Exception):
    """An exchange that gave nothing; the text says why."""


class NoReplyError(ModbusError):
    """Nothing came back in time."""

    def __init__(self) -> None:
        super().__init__("no reply")


class RefusedByDeviceError(ModbusError):
    """The device answered with exception `code`."""

    def __init__(self, code: int) -> None:
        super().__init__(f"the device refuses: {_EXCEPTIONS.get(code, 'for a reason of its own')} ({code})")
        self.code = code


class DamagedError(ModbusError):
    """Something came back that is no answer; `verdict` is one of `modbus_frame`."""

    def __init__(self, verdict: int) -> None:
        super().__init__(_DAMAGE.get(verdict) or modbus_frame.verdict_name(verdict))
        self.verdict = verdict


class LineError(UserError):
    """The port, the host or the board that leads to the devices is not there, or has gone."""

    def __init__(self, text: str) -> None:
        super().__init__(text, NO_CONTACT)


class Master(ABC):
    """One line. Not for use by several threads at once.

    `name` is what a person calls the line; `slack_s` what the way there and back may add to a device's own
    slowest answer. Every request raises ModbusError, or LineError when there is no line any more; ValueError
    for what is no request.
    """

    slack_s = 0.0

    def __init__(self, name: str) -> None:
        self.name = name

    @abstractmethod
    def close(self) -> None:
        """Release the line. The master is of no use afterwards."""

    @abstractmethod
    def _exchange(self, request: bytearray, timeout_s: float) -> bytearray:
        """Send an RTU frame; returns what came back as one, damaged or empty as it may be."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def read(self, unit: int, function: int, address: int, count: int, timeout_s: float = TIMEOUT_S) -> bytes:
        """Functions 1-4: the data bytes of the reply."""
        reply = self._ask(unit, function, address, count, (), timeout_s)
        return bytes(reply[3 : 3 + reply[2]])

    def write_register(self, unit: int, address: int, value: int, timeout_s: float = TIMEOUT_S) -> None:
        """Function 6."""
        self._ask(unit, modbus_frame.WRITE_REGISTER, address, value, (), timeout_s)

    def write_registers(
        self, unit: int, address: int, values: Sequence[int], timeout_s: float = TIMEOUT_S
    ) -> None:
        """Function 16."""
        self._ask(unit, modbus_frame.WRITE_REGISTERS, address, len(values), tuple(values), timeout_s)

    def _ask(
        self, unit: int, function: int, address: int, word: int, values: tuple[int, ...], timeout_s: float
    ) -> bytearray:
        request = bytearray(modbus_frame.FRAME_MAX)
        n = modbus_frame.build(request, unit, function, address, word, values)
        reply = self._exchange(request[:n], timeout_s)
        verdict = modbus_frame.check(request, reply, len(reply))
        if verdict == modbus_frame.TIMEOUT:
            raise NoReplyError
        if verdict >= modbus_frame.EXCEPTION:
            raise RefusedByDeviceError(verdict - modbus_frame.EXCEPTION)
        if verdict != modbus_frame.OK:
            raise DamagedError(verdict)
        return reply
