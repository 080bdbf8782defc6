"""Ingest against a real Mosquitto, with the hub and the broker killed in the middle."""

from __future__ import annotations

import json
import signal
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from greenmast.errors import UserError
from greenmast.hub.ingest import BrokerAddress, Ingest
from greenmast.hub.store import open_database
from greenmast.hub.writer import Writer

RECORDS = 500
Make = Callable[..., Any]


def stored(db: Path) -> list[int]:
    """The numbers in the store, as often as they are there."""
    with sqlite3.connect(db) as connection:
        return [row[0] for row in connection.execute("SELECT seq FROM messages ORDER BY seq")]


def samples(db: Path) -> int:
    with sqlite3.connect(db) as connection:
        return int(connection.execute("SELECT count(*) FROM samples").fetchone()[0])


def test_a_hub_killed_in_the_middle_loses_nothing_and_stores_nothing_twice(
    tmp_path: Path, make_broker: Make, make_hub: Make, make_board: Make, until: Callable[..., None]
) -> None:
    broker = make_broker(persistent=True)
    db = tmp_path / "hub.sqlite3"
    hub = make_hub(broker.url, f"sqlite:///{db}")
    board = make_board(broker.port)
    killed_at = []
    for seq in range(1, RECORDS + 1):
        board.tele({"dc.bus_mv": 50_000 + seq, "load.power_w": seq})
        if seq in (100, 300):
            enough = seq - 50
            until(lambda enough=enough: board.acked >= enough, "acknowledgements")
            hub.kill()
            durable = stored(db)
            assert board.acked <= len(durable), "acknowledged before it was durable"
            killed_at.append(len(durable))
        if seq in (200, 400):
            hub = make_hub(broker.url, f"sqlite:///{db}")
    assert len(killed_at) == 2
    assert killed_at[-1] < RECORDS
    until(lambda: board.acked == RECORDS, "the last acknowledgement")
    assert stored(db) == list(range(1, RECORDS + 1))
    assert samples(db) == 2 * RECORDS
    code, stats, log = hub.terminate()
    assert (code, stats["malformed"], stats["given_up"]) == (0, 0, 0), log


def test_what_was_received_but_not_committed_comes_again_after_a_kill(
    tmp_path: Path, make_broker: Make, make_hub: Make, make_board: Make, until: Callable[..., None]
) -> None:
    broker = make_broker(persistent=True)
    db = tmp_path / "hub.sqlite3"
    hub = make_hub(broker.url, f"sqlite:///{db}")
    board = make_board(broker.port)
    board.tele({"dc.bus_mv": 51_000})
    until(lambda: board.acked == 1, "the first acknowledgement")
    with closing(sqlite3.connect(db)) as other:
        other.execute("BEGIN IMMEDIATE")  # nobody else can write now
        for _ in range(15):
            board.tele({"dc.bus_mv": 51_001})
        until(board.flushed, "the broker to take everything")
        metrics = hub.ready["web"] + "/metrics"
        until(
            lambda: "\ngreenmast_hub_messages_total 1\n" not in httpx.get(metrics).text, "the hub to receive"
        )
        hub.kill()
        other.rollback()
    assert (board.acked, stored(db)) == (1, [1])
    make_hub(broker.url, f"sqlite:///{db}")
    until(lambda: board.acked == 16, "the last acknowledgement")
    assert stored(db) == list(range(1, 17))


def test_a_broker_killed_without_persistence_costs_no_record(
    tmp_path: Path, make_broker: Make, make_hub: Make, make_board: Make, until: Callable[..., None]
) -> None:
    broker = make_broker(persistent=False)
    db = tmp_path / "hub.sqlite3"
    hub = make_hub(broker.url, f"sqlite:///{db}")
    board = make_board(broker.port)
    for _ in range(50):
        board.tele({"dc.bus_mv": 51_000})
    until(lambda: board.acked == 50, "acknowledgements")
    broker.stop(signal.SIGKILL)
    board.tele({"dc.bus_mv": 51_001})
    broker.start()
    until(board.connected, "the board to be back")
    # Where the board is back first, the broker throws away what it sends: it has no session for the hub.
    for _ in range(10):
        board.tele({"dc.bus_mv": 51_002})
    until(board.flushed, "the broker to take everything")
    metrics = hub.ready["web"] + "/metrics"
    until(lambda: "\ngreenmast_hub_connected 1\n" in httpx.get(metrics).text, "the hub to be back")
    seq = board.tele({"dc.bus_mv": 51_003})
    until(lambda: seq in stored(db), "the record behind the hole")
    assert board.acked < seq or stored(db) == list(range(1, seq + 1)), "acknowledged over a hole"
    board.resend()
    until(lambda: board.acked == seq, "the acknowledgement after sending again")
    assert stored(db) == list(range(1, seq + 1))
    code, stats, log = hub.terminate()
    assert code == 0, log
    assert stats["connects"] >= 2


def test_records_that_the_board_has_dropped_do_not_stop_acknowledgements(
    tmp_path: Path, make_broker: Make, make_hub: Make, make_board: Make, until: Callable[..., None]
) -> None:
    broker = make_broker(persistent=False)
    hub = make_hub(broker.url, f"sqlite:///{tmp_path}/hub.sqlite3", patience_ms=200)
    board = make_board(broker.port)
    board.tele({"dc.bus_mv": 51_000})
    until(lambda: board.acked == 1, "the first acknowledgement")
    board.sent += 7

    def goes_on() -> bool:
        seq = board.tele({"dc.bus_mv": 51_000})
        until(lambda: board.acks[-1][1] in (1, seq), "an acknowledgement")
        return bool(board.acked > 8)

    until(goes_on, "the acknowledgement over the hole")
    assert hub.terminate()[1]["given_up"] == 7


def test_malformed_messages_are_counted_and_do_not_hold_up_good_ones(
    tmp_path: Path, make_broker: Make, make_hub: Make, make_board: Make, until: Callable[..., None]
) -> None:
    broker = make_broker(persistent=False)
    db = tmp_path / "hub.sqlite3"
    hub = make_hub(broker.url, f"sqlite:///{db}")
    board = make_board(broker.port)
    tele = board.topic("tele")
    numbered = {"boot": 1, "seq": 2, "ts": "soon", "trusted": True, "full": False, "v": {}, "q": {}}
    bad: list[tuple[str, object]] = [
        (tele, b""),
        (tele, b"\xff\x00\xfe"),
        (tele, b"{"),
        (tele, b"[" * 50_000),
        (tele, b"x" * 70_000),
        (tele, b'{"boot":1,"seq":NaN}'),
        (tele, b'{"boot":1,"seq":99999999999999999999}'),
        (tele, [1, 2]),
        (tele, {"boot": True, "seq": 1}),
        ("greenmast/1/BAD SITE/tele", {}),
        (board.topic("state"), {"online": "yes"}),
        (board.topic("alarms"), {"not": "a list"}),
        (board.topic("info"), 5),
        (board.topic("log"), {"boot": 1, "records": [{"seq": -1}]}),
        (tele, numbered),
    ]
    board.tele({"dc.bus_mv": 51_000})
    for topic, payload in bad:
        board.say(topic, payload)
        board.say(topic, payload)
    board.sent = 2
    last = board.tele({"dc.bus_mv": 51_001})
    until(lambda: board.acked == last, "the acknowledgement of the good record behind them")
    metrics = httpx.get(hub.ready["web"] + "/metrics").text
    code, stats, log = hub.terminate()
    assert (code, stats["malformed"]) == (0, 2 * len(bad))
    assert stored(db) == [1, 2, 3]
    kinds = [line for line in metrics.splitlines() if line.startswith("greenmast_hub_malformed_total{")]
    assert len(kinds) == log.count("malformed message ("), "each kind is logged once"
    assert "Traceback" not in log


def test_a_retained_state_from_long_ago_is_no_contact(
    tmp_path: Path, make_broker: Make, make_hub: Make, make_board: Make, until: Callable[..., None]
) -> None:
    broker = make_broker(persistent=False)
    board = make_board(broker.port)
    board.state()
    board.say(board.topic("info"), {"board": "virtual"}, retain=True)
    until(board.flushed, "the retained messages")
    hub = make_hub(broker.url, f"sqlite:///{tmp_path}/hub.sqlite3")
    site = hub.ready["web"] + f"/api/sites/{board.site}"
    until(lambda: httpx.get(site).status_code == 200 and httpx.get(site).json()["info"], "the retained info")
    assert httpx.get(site).json()["seen_s_ago"] is None
    board.tele({"dc.bus_mv": 51_000})
    until(lambda: httpx.get(site).json()["fresh"], "the board's own word")
    board.vanish()
    until(lambda: httpx.get(site).json()["online"] is False, "the will")
    assert httpx.get(site).json()["points"]["dc.bus_mv"]["quality"] == "stale"


def test_no_broker_is_exit_3(tmp_path: Path) -> None:
    writer = Writer(open_database(f"sqlite:///{tmp_path}/hub.sqlite3"))
    with pytest.raises(UserError) as caught:
        Ingest(BrokerAddress.parse("mqtt://127.0.0.1:1"), writer, "test").start()
    assert caught.value.exit_code == 3


def test_a_broker_that_refuses_the_hub_is_exit_4(tmp_path: Path, make_broker: Make) -> None:
    broker = make_broker(persistent=False, anonymous=False)
    ingest = Ingest(
        BrokerAddress.parse(broker.url), Writer(open_database(f"sqlite:///{tmp_path}/hub.sqlite3")), "test"
    )
    with pytest.raises(UserError) as caught:
        ingest.start()
    ingest.stop()
    assert caught.value.exit_code == 4


@pytest.mark.parametrize("url", ["", "127.0.0.1", "http://x", "mqtt://", "mqtt://x:99999", "mqtt://x:y"])
def test_a_bad_broker_url_is_exit_2(url: str) -> None:
    with pytest.raises(UserError) as caught:
        BrokerAddress.parse(url)
    assert caught.value.exit_code == 2


def test_broker_urls_never_show_the_password() -> None:
    address = BrokerAddress.parse("mqtts://me:s%20cret@host")
    assert (address.host, address.port, address.user, address.password) == ("host", 8883, "me", "s cret")
    assert json.dumps(str(address)) == '"mqtts://host:8883"'
