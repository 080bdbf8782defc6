"""One HTTP server in a thread: the API and the page. Knows how to listen, not what is shown."""

from __future__ import annotations

import socket
import threading
import time

import uvicorn
from fastapi import FastAPI
from nicegui import ui

from greenmast.errors import USAGE, UserError
from greenmast.hub import api
from greenmast.hub.ingest import Ingest
from greenmast.hub.page import site_page
from greenmast.hub.queries import Queries

START_S = 15.0


def parse_address(text: str) -> tuple[str, int]:
    """(host, port) of HOST:PORT, [IPV6]:PORT or PORT. Raises UserError (exit 2)."""
    host, _, port = text.rpartition(":")
    if not port.isascii() or not port.isdigit() or int(port) > 65535:
        raise UserError(f"--web: expected HOST:PORT, got {text}", USAGE)
    return host.strip("[]") or "127.0.0.1", int(port)


class WebServer:
    """Serves `queries` and the counters of `ingest`. One a process: the page's library has global state."""

    def __init__(self, queries: Queries, ingest: Ingest, host: str, port: int) -> None:
        self._socket = _listen(host, port)
        self.host, self.port = self._socket.getsockname()[:2]
        app = FastAPI(title="Greenmast hub", docs_url=None, redoc_url=None)
        app.include_router(api.build(queries, ingest))
        api.add_docs(app)
        site_page.register(queries, ingest)
        ui.run_with(
            app,
            title="Greenmast",
            favicon=site_page.FAVICON,
            dark=None,
            tailwind=False,
            show_welcome_message=False,
            reconnect_timeout=10,
        )
        self._server = uvicorn.Server(
            uvicorn.Config(app, log_level="warning", lifespan="on", timeout_graceful_shutdown=1)
        )
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [self._socket]}, name="hub-web", daemon=True
        )

    @property
    def url(self) -> str:
        """Where a browser on this machine finds the page."""
        host = "127.0.0.1" if self.host in ("0.0.0.0", "::") else self.host  # noqa: S104
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    def start(self) -> None:
        """Returns once requests are answered. Raises UserError when the server does not come up."""
        self._thread.start()
        deadline = time.monotonic() + START_S
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > deadline:
                raise UserError(f"the web server does not start on {self.host}:{self.port}")
            time.sleep(0.02)

    def stop(self) -> None:
        """Closes all connections and ends the thread."""
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(timeout=10)
        self._socket.close()


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise UserError(f"--web: cannot listen on {host}:{port}: {reason}") from error
    listener.set_inheritable(False)
    return listener
