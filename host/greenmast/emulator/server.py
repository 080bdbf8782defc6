"""The slaves of one bus behind serial ports and TCP: several devices, addressed by unit.

Owns addressing, which device has which fault, counters and the ports. Must not know products, the plant's
physics, or what a fault does to a reply (`reply_faults`) and to its numbers (`register_faults`). Framing
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

from greenmast.emulator import reply_faults
from greenmast.emulator.devices import Device, Plant, pdu, register_faults
from greenmast.emulator.reply_faults import Pieces, Reply

NO_RESPONSE_FROM_TARGET = 0x0B  # what a TCP gateway says of a unit that does not answer
UNIX98_PTY_SLAVE_MAJOR = range(136, 144)
SILENT, FROZEN = "silent", "frozen"
FAULTS = (SILENT, FROZEN, *register_faults.FAULTS, *reply_faults.FAULTS)
# A frame that stands still this long is broken. A slave gives up after 3.5 characters, but a host may stall.
FRAME_GAP_S = 0.1
FRAME_MAX = 256


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
    """Serves `devices` (unit address -> device) on any number of ports.

    `speed`: how many times faster than the clock on the wall the masters' time runs; replies keep up with it.
    """

    def __init__(self, devices: Mapping[int, Device]) -> None:
        self.speed = 1.0
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
            if FROZEN not in device.faults:
                device.refresh(views.get(unit, plant) if views else plant)

    def fault(self, unit: int, name: str, so: bool = True) -> None:
        """Begin or end a fault of `FAULTS`: `silent` answers nothing, as with its cable pulled; `frozen`
        answers what it did before. Raises ValueError for an unknown one, KeyError for an unknown unit.
        """
        if name not in FAULTS:
            raise ValueError(f"{name}: no such fault, choose from {', '.join(FAULTS)}")
        faults = self.devices[unit].faults
        (faults.add if so else faults.discard)(name)

    def answer(self, unit: int, request: bytes) -> bytes | None:
        """Reply of `unit` to `request` (function code and data), None where nothing answers."""
        device = self.devices.get(unit)
        if device is None or SILENT in device.faults:
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
        self._framer: FramerBase = _Requests(decoder) if self._serial else FramerSocket(decoder)
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
        pieces: Pieces = []
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
                pieces += self._pieces(unit, reply, transaction)
        for delay_s in dict.fromkeys(at_s for at_s, _ in pieces):
            together = b"".join(data for at_s, data in pieces if at_s == delay_s)
            self.loop.call_later((self._turnaround_s + delay_s) / self._bus.speed, self._reply, together)
        if not self._serial and any(data[used + 2 : used + 4]):
            self.close()  # not Modbus: the protocol identifier is always zero
        return used

    def _pieces(self, unit: int, pdu: bytes, transaction: int) -> Pieces:
        """What `unit` sends when, as its faults leave it."""
        device = self._bus.devices.get(unit)
        faults = (
            [] if device is None else [f for name, f in reply_faults.FAULTS.items() if name in device.faults]
        )
        if device is None or not faults:
            return [(0.0, self._framer.encode(pdu, unit, transaction))]
        reply = Reply(unit, pdu, self._serial, device.late_s, device.random)
        for fault in faults:
            fault.said(reply)
        frame = self._framer.encode(reply.pdu, reply.unit, transaction)
        for fault in faults:
            frame = fault.framed(frame, reply)
        pieces = [(0.0, frame)]
        for fault in faults:
            pieces = fault.timed(pieces, reply)
        return pieces

    def _reply(self, data: bytes) -> None:
        if self.transport:  # not by send(), which also drops the bytes of a request that is still coming in
            self.transport.write(data)  # type: ignore[attr-defined]

    def callback_new_connection(self) -> ModbusProtocol:
        raise RuntimeError("a connection does not listen")

    def callback_connected(self) -> None:
        """Nothing to prepare."""

    def callback_disconnected(self, exc: Exception | None) -> None:
        """Nothing to give back."""


class _Requests(FramerRTU):
    """Finds requests among what else is heard on a line: other slaves' replies, and noise."""

    def __init__(self, decoder: DecodePDU) -> None:
        super().__init__(decoder)
        self._functions = frozenset(decoder.pdu_table)

    def decode(self, data: bytes) -> tuple[int, int, int, bytes]:
        for at in range(len(data) - self.MIN_SIZE + 1):
            if data[at + 1] not in self._functions:
                continue
            kind = self.decoder.lookupPduClass(data[at:])
            end = at + (kind.calculateRtuFrameSize(data[at:]) if kind else 0)
            if at + self.MIN_SIZE <= end <= len(data) and not any(self.compute_CRC(data[at:end]).to_bytes(2)):
                return end, data[at], 0, data[at + 1 : end - 2]
        return max(0, len(data) - FRAME_MAX), 0, 0, self.EMPTY


def _frame_gap_s(baud: int) -> float:
    """Silence that ends a frame and so the soonest answer: 3.5 characters, above 19200 baud 1.75 ms."""
    return 3.5 * 11 / baud if baud <= 19_200 else 1.75e-3


def _request_without_data(function: int) -> type[ModbusPDU]:
    """Lets the RTU framer find the end of a product's own function: address, function, checksum."""
    return type(f"Function{function}Request", (ModbusPDU,), {"function_code": function, "rtu_frame_size": 4})


def _is_pty(path: str) -> bool:
    return os.major(os.stat(path).st_rdev) in UNIX98_PTY_SLAVE_MAJOR
