"""The embedded MQTT broker: for the demo and for a hub without a broker of its own. Loopback only, no
persistence.

It loses its sessions when it stops; boards and hub do not rely on it (see `sequence`). A fleet brings its own
broker.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import threading

from amqtt.broker import Broker
from amqtt.errors import BrokerError

from greenmast.errors import UserError

HOST = "127.0.0.1"
START_S = 10.0
CLOSE_S = 2.0


class EmbeddedBroker:
    """An MQTT 3.1.1 broker on 127.0.0.1, in a thread. Port 0 takes a free one; `port` tells which."""

    def __init__(self, port: int = 0) -> None:
        self.port = port
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve()), name="mqtt-broker", daemon=True
        )
        self._loop: asyncio.AbstractEventLoop | None = None
        self._end: asyncio.Event | None = None
        self._settled = threading.Event()
        self._failure = "it does not answer"

    @property
    def url(self) -> str:
        """mqtt://127.0.0.1:port"""
        return f"mqtt://{HOST}:{self.port}"

    def start(self) -> None:
        """Returns once it listens. Raises UserError (exit 1) when the port is taken."""
        self.port = _free_port(self.port)
        for name in ("amqtt", "transitions"):
            logging.getLogger(name).setLevel(logging.ERROR)
        self._thread.start()
        if not self._settled.wait(START_S) or self._failure:
            raise UserError(f"the embedded broker does not start on {HOST}:{self.port}: {self._failure}")

    def stop(self) -> None:
        """Disconnects every client and ends the thread."""
        if self._loop is not None and self._end is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._end.set)
            self._thread.join(START_S)

    async def _serve(self) -> None:
        self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
        broker = Broker(
            {
                "listeners": {"default": {"type": "tcp", "bind": f"{HOST}:{self.port}"}},
                "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
            }
        )
        try:
            await broker.start()
        except (BrokerError, OSError) as error:
            self._failure = str(error)
            return
        else:
            self._failure = ""
        finally:
            self._settled.set()
        await self._end.wait()
        await broker.shutdown()
        # Its connections close in tasks of their own, which it does not wait for.
        if connections := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(connections, timeout=CLOSE_S)


def _free_port(port: int) -> int:
    """`port`, or a free one for 0. Raises UserError when something listens there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise UserError(
                f"the embedded broker cannot have {HOST}:{port}: {error.strerror}; "
                "if another broker runs there, give its URL"
            ) from error
        return int(probe.getsockname()[1])
