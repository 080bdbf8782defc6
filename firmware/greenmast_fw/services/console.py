"""The serial console: one stream shared by a host's frames, a person's words and the log.

Owns the stream's two directions. Knows no pin and no method: bytes come from `reader`, answers from `rpc` and
`words`. Writes go out in pieces with a yield between them, so that a long answer never holds up the scan.
"""

import asyncio
import binascii

from greenmast_fw.services import overlay, rpc
from greenmast_protocol import frame

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Protocol

    class Reader(Protocol):
        async def read(self, n: int) -> bytes:
            """At least one and at most `n` bytes, as they come; none at the end of the stream."""

    class Writer(Protocol):
        def write(self, data: "bytes | bytearray") -> object: ...

        async def drain(self) -> None: ...


CHUNK = 256
TICK_MS = 100
LOG_LINES_MAX = 16
LOG_LENGTH_MAX = 200
_REST_MS = 500  # after a stream's end or error


class Console:
    """One console. `run` serves it for ever; `log` takes a line from anywhere."""

    def __init__(
        self, rpc_: rpc.Rpc, reader: "Reader", writer: "Writer", sleep_ms: "Callable[[int], Awaitable[None]]"
    ) -> None:
        self._rpc = rpc_
        self._reader = reader
        self._writer = writer
        self._sleep_ms = sleep_ms
        self._lock = asyncio.Lock()
        self._session = rpc.Session()
        self._lines = []  # type: list[str]
        self.decoder = frame.FrameDecoder(frame.HOST_LINE_MAX)
        self.lines_lost = 0

    def log(self, text: str) -> None:
        """Queue a line of log text. When the stream cannot take more, the line is lost and counted."""
        if len(self._lines) >= LOG_LINES_MAX:
            self.lines_lost += 1
            return
        text = text.replace("\n", " ").replace("\r", " ")[:LOG_LENGTH_MAX]
        self._lines.append(" " + text if text.startswith("{") else text)

    async def run(self) -> None:
        """Serve both directions. Ends only by cancellation."""
        await asyncio.gather(self._receive(), self._tell())

    async def _receive(self) -> None:
        while True:
            try:
                data = await self._reader.read(frame.HOST_LINE_MAX)
                for kind, body in self.decoder.feed(data):
                    await self._serve(kind, body)
            except OSError:
                data = b""
            if not data:  # nobody at the other end: look again later
                await self._sleep_ms(_REST_MS)

    async def _tell(self) -> None:
        while True:
            await self._sleep_ms(TICK_MS)
            try:
                while self._lines:
                    await self._write([self._lines.pop(0).encode()], False)
                if self._session.due(TICK_MS):
                    await self._write(self._rpc.tell(self._session), True)
            except OSError:
                await self._sleep_ms(_REST_MS)

    async def _serve(self, kind: int, body: bytes) -> None:
        if kind == frame.TEXT:
            for line in overlay.run(_answer, self._rpc.board, body.decode()):
                await self._write([line.encode()], False)
            return
        answer = await self._rpc.handle(
            body, kind == frame.FRAME, self._session if kind == frame.FRAME else None
        )
        await self._write(answer, kind == frame.FRAME)

    async def _write(self, pieces: "rpc.Pieces", framed: bool) -> None:
        """One whole line: nobody else writes in between. No pieces are no line.

        They are made as they go out. Where there is no memory for the next one, or it cannot be read, the
        line ends without its CRC, so that nobody takes it for an answer.
        """
        tail = b""
        crc = 0
        async with self._lock:
            try:
                for piece in pieces:
                    tail = b"\n"
                    crc = binascii.crc32(piece, crc)
                    for i in range(0, len(piece), CHUNK):
                        self._writer.write(piece[i : i + CHUNK])
                        await self._writer.drain()
                if tail and framed:
                    tail = frame.tail(crc)
            except (MemoryError, OSError):
                self._rpc.faults += 1
            self._writer.write(tail)
            await self._writer.drain()


def _answer(board: "rpc.Board", line: str) -> "list[str]":
    from greenmast_fw.services import words

    return words.answer(board, line)
