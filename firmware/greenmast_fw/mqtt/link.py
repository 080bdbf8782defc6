"""One TCP connection, plain or TLS, that never blocks the scheduler.

Owns the use of sockets. It must not know MQTT, time limits or when to connect again. Another kind of
network is put in by giving `MqttClient` another object with the methods of `Link`.

It tries, and when nothing moved it sleeps a few milliseconds and tries again. Waiting in asyncio's io queue
would look better but is not safe: registering a socket allocates, and after a MemoryError there the poller
is left with an entry that crashes the interpreter; so does a socket closed while it is registered; and
cancelling one of two tasks that wait for the same socket silently forgets the other. This way needs no
memory and leaves nothing behind.
"""

import errno
import socket
from asyncio import sleep_ms  # type: ignore[attr-defined]

TYPE_CHECKING = False
if TYPE_CHECKING:
    import typing

_ALERT = -0x7780  # mbedTLS: the peer ended the handshake with an alert
_PIPE = 32  # EPIPE, which MicroPython does not name
_TCP_NODELAY = 1  # the number is the same in Linux and lwIP; not every port names it
_LOOK_UP_AGAIN = 64
_LONGEST_SLEEP_MS = 15


class Link:
    """A stream of bytes in both directions: one task may read while one other writes.

    The host's address is kept from one connection to the next, because looking it up can block for 10 s.
    """

    def __init__(
        self, host: str, port: int, tls: "typing.Any" = None, server_hostname: "str | None" = None
    ) -> None:
        """`tls`: None or a client context of module `tls`; the certificate must be for `server_hostname`."""
        self._host = host
        self._port = port
        self._tls = tls
        self._server_hostname = server_hostname or host
        self._address: "typing.Any" = None
        self._uses = 0
        self._raw: "typing.Any" = None
        self._stream: "typing.Any" = None
        self._is_new = False  # nothing was read yet: the handshake may still be refused

    def open(self) -> None:
        """Begin to connect. Raises OSError, MemoryError; ValueError when `tls` is not usable."""
        # The host may have moved: look again, but rarely.
        if not self._uses:
            self._address = socket.getaddrinfo(self._host, self._port, 0, socket.SOCK_STREAM)[0]
        self._uses = (self._uses + 1) % _LOOK_UP_AGAIN
        self._is_new = self._tls is not None
        raw = self._raw = self._stream = socket.socket(*self._address[:3])
        raw.setblocking(False)
        raw.setsockopt(6, _TCP_NODELAY, 1)
        try:
            raw.connect(self._address[-1])
        except OSError as error:
            if error.errno != errno.EINPROGRESS:
                raise
        if self._tls:
            # The handshake runs inside the first writes and reads, so that it does not block.
            self._stream = self._tls.wrap_socket(
                raw, server_hostname=self._server_hostname, do_handshake_on_connect=False
            )

    async def write(self, data: "bytes | bytearray | memoryview") -> None:
        """Write all of `data`. Raises OSError; ValueError when the peer's certificate is refused."""
        view = memoryview(data)
        delay_ms = 0
        while view:
            count = self._stream.write(view)
            if count is None:
                delay_ms = min(2 * delay_ms + 1, _LONGEST_SLEEP_MS)
                await sleep_ms(delay_ms)
            else:
                view = view[count:]
                delay_ms = 0

    async def read_into(self, view: memoryview) -> int:
        """Wait for bytes, put them into `view`. Returns their count, 0 at the end of the stream.

        Raises as `write` does.
        """
        delay_ms = 0
        while True:
            # even before the first attempt: a peer that never pauses must not keep the other tasks waiting
            await sleep_ms(delay_ms)
            count = self._stream.readinto(view)
            if count is not None:
                self._is_new = False
                return int(count)
            delay_ms = min(2 * delay_ms + 1, _LONGEST_SLEEP_MS)

    def is_refusal(self, error: Exception) -> bool:
        """Whether `error` ended the handshake for a certificate: the peer's, by us, or ours, by the peer.

        mbedTLS has ValueError for one that it does not accept; a peer that does not accept ours sends an
        alert or just closes, which the next write then meets. Needs no memory.
        """
        refused = isinstance(error, OSError) and error.errno in (_ALERT, _PIPE)
        return self._is_new and (refused or isinstance(error, ValueError))

    def close(self) -> None:
        """Close, if it is open; neither reading nor writing is allowed any more."""
        if self._raw:
            self._stream.close()
            # After a refused handshake the TLS object has let go of its socket.
            self._raw.close()
            self._raw = self._stream = None  # a TLS session takes a lot of memory
