"""Modbus RTU on a serial adapter: the silence before a request, the wait for a reply, the rest of a late one.

RTU has no transaction number, so a late reply looks like the answer to the next request. After a silence the
same unit is not asked again until it can no longer answer (a late reply to another one's request is told by
its address); after damage nobody is. What came meanwhile is dropped. Adapters keep bytes back for a while
(FTDI: 16 ms), so silences here are longer than the 3.5 characters of "MODBUS over Serial Line V1.02" 2.5.1.1.
"""

from __future__ import annotations

import termios
import time

from greenmast.link import port as ports
from greenmast.modbus.master import DamagedError, LineError, Master
from greenmast_protocol import modbus_frame

QUIET_S = 0.02  # before a request
PAUSE_S = 0.1  # after a reply; some products miss what follows sooner, and none of the tables wants more
TURNAROUND_S = 0.5  # after a request its slave may still answer
_CHARACTER_BITS = 11
_HEAD = 3  # bytes that tell a refusal, which is short, and an echo from a reply
_BUSY_ROUNDS = 50  # silences that a babbling line may break before a request is given up


class RtuMaster(Master):
    """A line on serial port `port`. Raises LineError when it cannot be opened or does not know `baud`."""

    slack_s = 0.05

    def __init__(self, port: str, baud: int, parity: str = "N", stop_bits: int = 1) -> None:
        super().__init__(port)
        try:
            self._port = ports.open_port(port, baud, parity, stop_bits)
        except OSError as e:
            raise LineError(ports.why(port, e)) from e
        except ValueError as e:
            raise LineError(f"{port} {e}") from e
        self.baud = baud
        self._hold_s = time.monotonic() + TURNAROUND_S  # somebody may have been asked before us
        self._late_s: dict[int, float] = {}  # by unit: until when its reply may still come

    def close(self) -> None:
        self._port.close()

    def retune(self, baud: int) -> None:
        """Go on with another baud rate. Raises LineError when the adapter does not know it."""
        try:
            self._port.baudrate = baud
        except (OSError, ValueError, termios.error) as e:
            raise LineError(f"{self.name} does not know {baud} baud: {e}") from e
        self.baud = baud

    def _exchange(self, request: bytearray, timeout_s: float) -> bytearray:
        try:
            self._settle(request[0])
            reply = self._transact(request, timeout_s)
        except OSError as e:  # pyserial's own exception is one too
            raise LineError(f"{self.name} is gone: {e}") from e
        verdict = modbus_frame.check(request, reply, len(reply))
        self._hold_s = time.monotonic() + PAUSE_S if reply else 0.0
        until_s = time.monotonic() + max(0.0, TURNAROUND_S - timeout_s)
        if verdict == modbus_frame.TIMEOUT:
            self._late_s[request[0]] = until_s
        elif verdict not in (modbus_frame.OK, modbus_frame.OWN_ECHO) and verdict < modbus_frame.EXCEPTION:
            self._hold_s = max(until_s, time.monotonic() + timeout_s)
        return reply

    def _settle(self, unit: int) -> None:
        """Wait until nobody can answer an earlier request any more and the line is silent."""
        until_s = max(self._hold_s, self._late_s.pop(unit, 0.0))
        time.sleep(max(0.0, until_s - time.monotonic()))
        self._port.timeout = max(QUIET_S, 3.5 * self._character_s())
        for _ in range(_BUSY_ROUNDS):
            self._port.reset_input_buffer()
            if not self._port.read(1):
                return
        raise DamagedError(modbus_frame.LINE_BUSY)

    def _transact(self, request: bytearray, timeout_s: float) -> bytearray:
        self._port.write(request)
        self._port.timeout = (len(request) + 1) * self._character_s() + timeout_s
        reply = bytearray(self._port.read(1))
        while reply and (missing := modbus_frame.missing(request, reply, len(reply))):
            missing = missing if len(reply) >= _HEAD else 1
            self._port.timeout = missing * self._character_s() + timeout_s
            piece = self._port.read(missing)
            reply += piece
            if len(piece) < missing:
                break
        if not reply:
            return reply
        # A frame with bytes behind it is no frame.
        self._port.timeout = 3.5 * self._character_s()
        reply += self._port.read(1)
        return reply

    def _character_s(self) -> float:
        return _CHARACTER_BITS / self.baud
