"""One TCP connection, plain or TLS, that never blocks the scheduler.

Owns the use of sockets and of asyncio's io queue. It must not know MQTT, time limits or when to connect
again. Another kind of network is put in by giving `MqttClient` an `open_socket` whose result has the
methods of `Link`.

Waiting is done on the io queue itself. A task that is waiting here leaves the queue when it is cancelled;
only then may `close()` be called, because a closed socket that the poller still knows crashes the
interpreter.
"""

import errno
import socket
from asyncio import core  # type: ignore[attr-defined]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator
    from typing import Any

_TCP_NODELAY = 1  # the number is the same in Linux and lwIP; not every port names it
_LOOK_UP_AGAIN = 64


class Dialer:
    """Opens connections to one host. The address is kept, because looking it up can block for 10 s."""

    def __init__(self, host: str, port: int, tls: "Any" = None, server_hostname: str | None = None) -> None:
        """`tls`: None or a client context of module `tls`; the certificate must be for `server_hostname`."""
        self._host = host
        self._port = port
        self._tls = tls
        self._server_hostname = server_hostname or host
        self._address: "Any" = None
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

    def __init__(self, address: "Any", tls: "Any", server_hostname: str) -> None:
        self._raw = socket.socket(address[0], address[1], address[2])
        self._stream: "Any" = self._raw
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

    def ready(self) -> "Generator[None, None, None]":
        """Wait until connected or failed; a failure shows in the first `write`."""
        yield core._io_queue.queue_write(self._stream)

    def write(self, data: "bytes | memoryview") -> "Generator[None, None, None]":
        """Write all of `data`. Raises OSError; ValueError when the peer's certificate is refused."""
        view = memoryview(data)
        while view:
            count = self._stream.write(view)
            if count is None:
                yield core._io_queue.queue_write(self._stream)
            else:
                view = view[count:]

    def read_into(self, view: memoryview) -> "Generator[None, None, int]":
        """Wait for bytes, put them into `view`. Returns their count, 0 at the end of the stream. OSError."""
        while True:
            yield core._io_queue.queue_read(self._stream)
            count = self._stream.readinto(view)
            if count is not None:
                return int(count)

    def close(self) -> None:
        """Close. No task may be waiting in this link any more."""
        # A task that got MemoryError on its way into the io queue has left its entry there.
        if core._io_queue.map.pop(id(self._stream), None) is not None:
            core._io_queue.poller.unregister(self._stream)
        self._stream.close()
        # After a refused handshake the TLS object has let go of its socket.
        self._raw.close()
