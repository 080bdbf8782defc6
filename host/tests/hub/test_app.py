"""The hub as a whole: its own broker, its ready line, its exit codes."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from greenmast.errors import UserError
from greenmast.hub.broker import EmbeddedBroker
from greenmast.hub.web import parse_address

Make = Callable[..., Any]


@pytest.fixture
def embedded() -> Iterator[EmbeddedBroker]:
    broker = EmbeddedBroker()
    broker.start()
    yield broker
    broker.stop()


def test_the_embedded_broker_carries_a_board_to_the_store(
    tmp_path: Path, embedded: EmbeddedBroker, make_hub: Make, make_board: Make, until: Callable[..., None]
) -> None:
    hub = make_hub(embedded.url, f"sqlite:///{tmp_path}/hub.sqlite3")
    assert hub.ready["broker"] == embedded.url
    board = make_board(embedded.port)
    board.state()
    for _ in range(20):
        board.tele({"dc.bus_mv": 51_000})
    until(lambda: board.acked == 20, "acknowledgements")
    assert httpx.get(hub.ready["web"] + "/").status_code == 200
    assert httpx.get(hub.ready["web"] + "/api/sites").json()["sites"][0]["online"] is True
    code, stats, log = hub.terminate()
    assert (code, stats["records"], stats["stored_rows"]) == (0, 20, 20), log
    assert "Traceback" not in log


def test_a_port_in_use_is_one_line_and_exit_1(embedded: EmbeddedBroker) -> None:
    with pytest.raises(UserError) as caught:
        EmbeddedBroker(embedded.port).start()
    assert caught.value.exit_code == 1
    assert "\n" not in caught.value.message


@pytest.mark.parametrize("what", ["broker", "web", "db"])
def test_what_is_missing_is_named_with_its_exit_code(
    what: str, tmp_path: Path, embedded: EmbeddedBroker, make_hub: Make
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        web = f"127.0.0.1:{taken.getsockname()[1] if what == 'web' else 0}"
        broker = "mqtt://127.0.0.1:1" if what == "broker" else embedded.url
        db = "sqlite:////no/such/folder/x.db" if what == "db" else f"sqlite:///{tmp_path}/hub.sqlite3"
        code = (
            "import sys; from greenmast.errors import UserError; from greenmast.hub import run\n"
            "try: run(*sys.argv[1:], json_output=True)\n"
            "except UserError as error: print(error.message); sys.exit(error.exit_code)\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", code, broker, db, web],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )
    assert done.returncode == {"broker": 3, "web": 1, "db": 2}[what], done.stderr
    assert len(done.stdout.splitlines()) == 1
    assert "Traceback" not in done.stderr


def test_web_addresses() -> None:
    assert parse_address("0.0.0.0:80") == ("0.0.0.0", 80)
    assert parse_address("8080") == ("127.0.0.1", 8080)
    assert parse_address("[::1]:81") == ("::1", 81)
    for text in ("", "x", "host:", "host:http", "host:70000", "host:-1"):
        with pytest.raises(UserError) as caught:
            parse_address(text)
        assert caught.value.exit_code == 2
