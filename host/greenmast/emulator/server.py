"""The slaves of one bus behind serial ports and TCP: several devices, addressed by unit.

Owns addressing, silence, counters and the ports. Must not know products or the plant's physics. Framing
and transport are pymodbus's; requests are carried out by `devices.pdu`, because pymodbus's own server
answers for units that do not exist and fixes exceptions and holes for all products alike. Everything runs
on one event loop: `refresh` and each request are single calls, so what one request reads belongs to one
refresh.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from pymodbus.framer import FramerBase, FramerRTU, FramerSocket
from pymodbus.pdu import DecodePDU, ModbusPDU
from pymodbus.transport import CommParams, CommType, ModbusProtocol

from greenmast.emulator.devices import Device, Plant, pdu

NO_RESPONSE_FROM_TARGET = 0x0B  # what a TCP gateway says of a unit that does not answer
UNIX98_PTY_SLAVE_MAJOR = range(136, 144)
# A frame that stands still this long is broken. A slave gives up after 3.5 characters, but a host may stall.
FRAME_GAP_S = 0.1


@dataclass
class DeviceStats:
    """`requests` answered, `exceptions` among them."""

    requests: int = 0
    exceptions: int = 0


@dataclass
class BusStats:
    """Counters of a bus; `unanswered` counts requests to units that are silent or not there."""

    unanswered: int = 0
    devices: dict[int, DeviceStats] = field(default_factory=dict)

    @property
    def requests(self) -> int:
        return sum(device.requests for device in self.devices.values())

    @property
    def exceptions(self) -> int:
        return sum(device.exceptions for device in self.devices.values())


class BusServer:
    """Serves `devices` (unit address -> device) on any number of ports."""

    def __init__(self, devices: Mapping[int, Device]) -> None:
        self.devices = dict(devices)
        self.stats = BusStats(devices={unit: DeviceStats() for unit in self.devices})
        # For those who watch: unit, request and reply, as `answer` has them.
        self.on_exchange: Callable[[int, bytes, bytes | None], None] = lambda unit, request, reply: None
        self._listeners: list[_Listener] = []

    async def serve_serial(self, path: str, baud: int, parity: str = "N") -> None:
        """Answer on the serial port or pseudo-terminal `path`; `parity` "N", "E" or "O". Raises OSError."""
        if _is_pty(path):
            parity = "N"  # a pseudo-terminal carries bytes, not characters, and refuses parity
        await self._listen(
            CommParams(
                comm_name="bus",
                comm_type=CommType.SERIAL,
                source_address=(path, 0),
                baudrate=baud,
                bytesize=8,
                parity=parity,
                stopbits=1,
            )
        )

    async def serve_tcp(self, host: str = "127.0.0.1", port: int = 0) -> tuple[str, int]:
        """Answer Modbus TCP on `host`:`port` (0: any free port) and return where. Raises OSError."""
        listener = await self._listen(
            CommParams(comm_name="bus", comm_type=CommType.TCP, source_address=(host, port))
        )
        bound: tuple[str, int] = listener.transport.sockets[0].getsockname()[:2]  # type: ignore[attr-defined]
        return bound

    async def stop(self) -> None:
        """Close every port."""
        for listener in self._listeners:
            listener.close()
        self._listeners.clear()

    def refresh(self, plant: Plant, views: Mapping[int, Plant] | None = None) -> None:
        """Carry out on `plant` what masters have written, then show its truths in every register.

        `views`: what single units see and act on in its place.
        """
        for unit, device in self.devices.items():
            if not device.frozen:
                device.refresh(views.get(unit, plant) if views else plant)

    def answer(self, unit: int, request: bytes) -> bytes | None:
        """Reply of `unit` to `request` (function code and data), None where nothing answers."""
        device = self.devices.get(unit)
        if device is None or device.silent:
            self.stats.unanswered += 1
            return None
        reply = pdu.execute(device, request)
        stats = self.stats.devices[unit]
        stats.requests += 1
        stats.exceptions += reply[0] >> 7
        return reply

    async def _listen(self, params: CommParams) -> _Listener:
        listener = _Listener(self, params)
        await listener.open()
        self._listeners.append(listener)
        return listener


class _Listener(ModbusProtocol):
    """An open port."""

    def __init__(self, bus: BusServer, params: CommParams) -> None:
        super().__init__(params, True)
        self._bus = bus

    async def open(self) -> None:
        """As `listen`, which reports a failure to the log instead of the caller. Raises OSError."""
        self.is_listener = True
        opened = await self.call_create()
        self.transport = opened[0] if isinstance(opened, tuple) else opened

    def callback_new_connection(self) -> ModbusProtocol:
        return _Connection(self._bus, self.comm_params)

    def callback_connected(self) -> None:
        """Connections have objects of their own."""

    def callback_disconnected(self, exc: Exception | None) -> None:
        """Connections have objects of their own."""

    def callback_data(self, data: bytes, addr: tuple[str, int] | None = None) -> int:
        raise RuntimeError("data belongs to a connection")


class _Connection(ModbusProtocol):
    """One master: bytes in, frames out."""

    def __init__(self, bus: BusServer, params: CommParams) -> None:
        super().__init__(params, True)
        self._bus = bus
        self._serial = params.comm_type == CommType.SERIAL
        decoder = DecodePDU(True)
        for function in {function for device in bus.devices.values() for function in device.custom_functions}:
            decoder.register(_request_without_data(function))
        self._framer: FramerBase = FramerRTU(decoder) if self._serial else FramerSocket(decoder)
        self._turnaround_s = _frame_gap_s(params.baudrate) if self._serial else 0.0
        self._heard_s = 0.0

    def data_received(self, data: bytes) -> None:
        now_s = self.loop.time()
        if self._serial and now_s - self._heard_s > FRAME_GAP_S:
            self.recv_buffer = b""
        self._heard_s = now_s
        super().data_received(data)

    def callback_data(self, data: bytes, addr: tuple[str, int] | None = None) -> int:
        used = 0
        replies = []
        while used < len(data):
            length, unit, transaction, request = self._framer.decode(data[used:])
            used += length
            if not length or not request:
                break
            reply = self._bus.answer(unit, request)
            self._bus.on_exchange(unit, request, reply)
            if reply is None and not self._serial:
                reply = bytes((request[0] | 0x80, NO_RESPONSE_FROM_TARGET))
            if reply is not None:
                replies.append(self._framer.encode(reply, unit, transaction))
        if replies:
            self.loop.call_later(self._turnaround_s, self._reply, b"".join(replies))
        if not self._serial and any(data[used + 2 : used + 4]):
            self.close()  # not Modbus: the protocol identifier is always zero
        return used

    def _reply(self, data: bytes) -> None:
        if self.transport:  # not by send(), which also drops the bytes of a request that is still coming in
            self.transport.write(data)  # type: ignore[attr-defined]

    def callback_new_connection(self) -> ModbusProtocol:
        raise RuntimeError("a connection does not listen")

    def callback_connected(self) -> None:
        """Nothing to prepare."""

    def callback_disconnected(self, exc: Exception | None) -> None:
        """Nothing to give back."""


def _frame_gap_s(baud: int) -> float:
    """Silence that ends a frame and so the soonest answer: 3.5 characters, above 19200 baud 1.75 ms."""
    return 3.5 * 11 / baud if baud <= 19_200 else 1.75e-3


def _request_without_data(function: int) -> type[ModbusPDU]:
    """Lets the RTU framer find the end of a product's own function: address, function, checksum."""
    return type(f"Function{function}Request", (ModbusPDU,), {"function_code": function, "rtu_frame_size": 4})


def _is_pty(path: str) -> bool:
    return os.major(os.stat(path).st_rdev) in UNIX98_PTY_SLAVE_MAJOR
