"""A time server (SNTP) that tells whatever time it is given, and can do so badly."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Any

_FROM_1900_S = 2_208_988_800  # to 1970
_SERVER = 0x24  # version 4, mode 4
_KISS = 0
_UNSYNCHRONISED = 0xC0
# What it can be made to do; "" is a proper answer.
FAULTS = ("silent", "kiss", "unsynchronised", "truncated", "another question", "another port", "no answer")


class TimeServer:
    """Answers on `address` while it is open. `now` gives seconds since 1970; `fault`: one of FAULTS or ""."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.now = now
        self.fault = ""
        self.asked = 0
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._transport: asyncio.DatagramTransport | None = None
        self.address = "{}:{}".format(*self._socket.getsockname())  # host:port

    async def start(self) -> None:
        """Begin to answer in the running loop."""
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: _Protocol(self), sock=self._socket)

    def close(self) -> None:
        """Answer no more."""
        if self._transport:
            self._transport.close()
        else:
            self._socket.close()

    def answer(self, question: bytes, sender: Any) -> None:
        """Answer one datagram as `fault` has it."""
        self.asked += 1
        if len(question) < 48 or self.fault == "silent":
            return
        now = self.now()
        seconds = int(now + _FROM_1900_S) % (1 << 32)
        reply = bytearray(48)
        reply[0] = _SERVER | (_UNSYNCHRONISED if self.fault == "unsynchronised" else 0)
        reply[1] = _KISS if self.fault == "kiss" else 2
        reply[24:32] = bytes(8) if self.fault == "another question" else question[40:48]
        reply[40:48] = seconds.to_bytes(4, "big") + int(now % 1 * (1 << 32)).to_bytes(4, "big")
        if self.fault == "no answer":
            reply[0] = question[0]  # a client's packet, sent back
        if self.fault == "another port":
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
                other.sendto(reply, sender)
            return
        assert self._transport
        self._transport.sendto(reply[:20] if self.fault == "truncated" else reply, sender)


class _Protocol(asyncio.DatagramProtocol):
    def __init__(self, server: TimeServer) -> None:
        self._server = server

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self._server.answer(data, addr)
