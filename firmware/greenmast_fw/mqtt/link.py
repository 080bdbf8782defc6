"""One TCP connection, plain or TLS, that never blocks the scheduler.

Owns the use of sockets. It must not know MQTT, time limits or when to connect again. Another kind of
network is put in by giving `MqttClient` an `open_socket` whose result has the methods of `Link`.

It tries, and when nothing moved it sleeps a few milliseconds and tries again. Waiting in asyncio's io queue
would look better but is not safe: registering a socket allocates, and after a MemoryError there the poller
is left with an entry that crashes the interpreter; so does a socket closed while it is registered; and
cancelling one of two tasks that wait for the same socket silently forgets the other. This way needs no
memory and leaves nothing behind.
"""

import asyncio
import errno
import socket

TYPE_CHECKING = False
if TYPE_CHECKING:
    import typing

_TCP_NODELAY = 1  # the number is the same in Linux and lwIP; not every port names it
_LOOK_UP_AGAIN = 64
_LONGEST_SLEEP_MS = 15


class Dialer:
    """Opens connections to one host. The address is kept, because looking it up can block for 10 s."""

    def __init__(
        self, host: str, port: int, tls: "typing.Any" = None, server_hostname: str | None = None
    ) -> None:
        """`tls`: None or a client context of module `tls`; the certificate must be for `server_hostname`."""
        self._host = host
        self._port = port
        self._tls = tls
        self._server_hostname = server_hostname or host
        self._address: "typing.Any" = None
        self._uses = 0

    def open(self) -> "Link":
        """Begin to connect. Raises OSError, MemoryError; ValueError when `tls` is not usable."""
        # The host may have moved: look again, but rarely.
        if self._address is None or self._uses >= _LOOK_UP_AGAIN:
            self._uses = 0
            self._address = socket.getaddrinfo(self._host, self._port, 0, socket.SOCK_STREAM)[0]
        self._uses += 1
        return Link(self._address, self._tls, self._server_hostname)


class Link:
    """A stream of bytes in both directions: one task may read while one other writes."""

    def __init__(self, address: "typing.Any", tls: "typing.Any", server_hostname: str) -> None:
        self._raw = socket.socket(address[0], address[1], address[2])
        self._stream: "typing.Any" = self._raw
        try:
            self._raw.setblocking(False)
            self._raw.setsockopt(6, _TCP_NODELAY, 1)
            try:
                self._raw.connect(address[-1])
            except OSError as error:
                if error.errno != errno.EINPROGRESS:
                    raise
            if tls:
                # The handshake runs inside the first writes and reads, so that it does not block.
                self._stream = tls.wrap_socket(
                    self._raw, server_hostname=server_hostname, do_handshake_on_connect=False
                )
        except Exception:
            self._raw.close()
            raise

    async def write(self, data: "bytes | memoryview") -> None:
        """Write all of `data`. Raises OSError; ValueError when the peer's certificate is refused."""
        view = memoryview(data)
        sleep_ms = 0
        while view:
            count = self._stream.write(view)
            if count is None:
                sleep_ms = min(2 * sleep_ms + 1, _LONGEST_SLEEP_MS)
                await asyncio.sleep_ms(sleep_ms)  # type: ignore[attr-defined]
            else:
                view = view[count:]
                sleep_ms = 0

    async def read_into(self, view: memoryview) -> int:
        """Wait for bytes, put them into `view`. Returns their count, 0 at the end of the stream. OSError."""
        sleep_ms = 0
        while True:
            # even before the first attempt: a peer that never pauses must not keep the other tasks waiting
            await asyncio.sleep_ms(sleep_ms)  # type: ignore[attr-defined]
            count = self._stream.readinto(view)
            if count is not None:
                return int(count)
            sleep_ms = min(2 * sleep_ms + 1, _LONGEST_SLEEP_MS)

    def close(self) -> None:
        """Close; neither reading nor writing is allowed any more."""
        self._stream.close()
        # After a refused handshake the TLS object has let go of its socket.
        self._raw.close()
