"""The hub put together: broker (if none is given), store, ingest, web. `greenmast hub run` is `run`."""

from __future__ import annotations

import json
import logging
import signal
import sys
import threading
import time

from sqlalchemy import Engine

from greenmast.errors import DONE, UserError
from greenmast.hub.broker import EmbeddedBroker
from greenmast.hub.ingest import BrokerAddress, Ingest
from greenmast.hub.queries import STALE_AFTER_S, Queries, SiteView
from greenmast.hub.store import DEFAULT_URL, client_id, open_database
from greenmast.hub.web import WebServer, parse_address
from greenmast.hub.writer import PATIENCE_MS, Writer

DEFAULT_WEB = "127.0.0.1:8080"
EMBEDDED_PORT = 1883


class Hub:
    """Ingest, store and web of one database. `start` raises UserError with the exit code of what is missing.

    One a process, because of the web page. `web_port` 0 takes a free one; `web_url` tells which.
    """

    def __init__(
        self,
        broker_url: str,
        db_url: str = DEFAULT_URL,
        web_host: str = "127.0.0.1",
        web_port: int = 0,
        *,
        stale_after_s: int = STALE_AFTER_S,
        patience_ms: int = PATIENCE_MS,
    ) -> None:
        self._address = BrokerAddress.parse(broker_url)
        self._db_url = db_url
        self._web_address = (web_host, web_port)
        self._stale_after_s = stale_after_s
        self._patience_ms = patience_ms
        self._engine: Engine | None = None
        self._ingest: Ingest | None = None
        self._queries: Queries | None = None
        self._web: WebServer | None = None

    @property
    def web_url(self) -> str:
        """http://host:port of the page, once started."""
        return self._web.url if self._web is not None else ""

    @property
    def db_name(self) -> str:
        """The database's URL without its password, once started."""
        return self._engine.url.render_as_string(hide_password=True) if self._engine is not None else ""

    def start(self) -> None:
        """Opens the database, listens, connects. When it returns all runs; when it raises nothing does."""
        self._engine = open_database(self._db_url)
        self._queries = Queries(self._engine, stale_after_s=self._stale_after_s)
        writer = Writer(self._engine, patience_ms=self._patience_ms)
        self._ingest = Ingest(self._address, writer, client_id(self._engine))
        try:
            self._web = WebServer(self._queries, self._ingest, *self._web_address)
            self._ingest.start()
            self._web.start()
        except UserError:
            self.stop()
            raise

    def stop(self) -> None:
        """Ends everything that `start` has begun. What was not yet committed stays with broker and boards."""
        if self._ingest is not None:
            self._ingest.stop()
        if self._web is not None:
            self._web.stop()
        if self._engine is not None:
            self._engine.dispose()

    def stats(self) -> dict[str, int]:
        """Counters since the start, see `Ingest.stats`."""
        return self._ingest.stats() if self._ingest is not None else {}

    def latest(self, site: str) -> SiteView | None:
        """What is known of a site now, or None."""
        return self._queries.site(site, int(time.time())) if self._queries is not None else None


def run(
    broker: str | None,
    db: str | None,
    web: str = DEFAULT_WEB,
    *,
    json_output: bool = False,
    stale_after_s: int = STALE_AFTER_S,
    patience_ms: int = PATIENCE_MS,
) -> int:
    """Runs a hub until SIGINT or SIGTERM. Without `broker` it brings its own, on 127.0.0.1:1883.

    With `json_output` stdout gets a line {"web","broker","db"} when ready and at the end one with counters.
    Raises UserError: exit 3 without a broker, 4 when it refuses, 1 for a port in use, 2 for a bad URL.
    """
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    web_host, web_port = parse_address(web)
    end = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: end.set())
    embedded = EmbeddedBroker(EMBEDDED_PORT) if broker is None else None
    if embedded is not None:
        embedded.start()
    url = embedded.url if embedded is not None else str(broker)
    hub = Hub(
        url, db or DEFAULT_URL, web_host, web_port, stale_after_s=stale_after_s, patience_ms=patience_ms
    )
    try:
        hub.start()
        ready = {"web": hub.web_url, "broker": str(BrokerAddress.parse(url)), "db": hub.db_name}
        print(json.dumps(ready) if json_output else _ready_text(ready), flush=True)
        end.wait()
        stats = hub.stats()
    finally:
        hub.stop()
        if embedded is not None:
            embedded.stop()
    if json_output:
        print(json.dumps(stats), flush=True)
    return DONE


def _ready_text(ready: dict[str, str]) -> str:
    return f"page {ready['web']}  broker {ready['broker']}  store {ready['db']}  (Ctrl-C ends)"
