"""A thousand commands a second from the broker: the board goes on controlling, reporting and answering."""

from __future__ import annotations

import time

import paho.mqtt.client as paho
from hil_tests.bench import SITE, House
from paho.mqtt.enums import CallbackAPIVersion

from greenmast.emulator.board import POWER_ON

RATE, SECONDS = 1000, 3


def test_a_flood_of_commands_delays_no_scan_and_is_dropped_but_for_a_few(house: House) -> None:
    bench = house.bench
    answers: list[bytes] = []
    sender = paho.Client(CallbackAPIVersion.VERSION2, client_id="flood")
    sender.on_message = lambda _client, _data, message: answers.append(message.payload)
    sender.connect("127.0.0.1", house.broker.port)
    sender.subscribe(f"greenmast/1/{SITE}/rsp/flood", 1)
    sender.loop_start()
    acked = sum(house.acked.values())
    before = bench.statistics()
    start = time.monotonic()
    for number in range(RATE * SECONDS):
        body = f'{{"id":{number + 1},"method":"command","params":{{"name":"genset.start","args":{{}}}}}}'
        sender.publish(f"greenmast/1/{SITE}/req/flood", body, 1)
        time.sleep(max(0.0, start + number / RATE - time.monotonic()))
    try:
        bench.until("reports again", lambda: sum(house.acked.values()) > acked + 1)
        after = bench.statistics()
        bench.until("an answer", lambda: answers)
    finally:
        sender.disconnect()
        sender.loop_stop()
    period_ms = 1000
    print("longest time between scans, ms:", after["scan_gap_max_ms"], "before:", before["scan_gap_max_ms"])
    assert after["scan_gap_max_ms"] < period_ms + 250
    assert all(b"not_authorised" in answer for answer in answers)
    assert len(answers) < RATE * SECONDS / 10
    assert bench.point("output.genset_start") == 0
    assert bench.chain.world.board.resets == [POWER_ON]
    assert "MemoryError" not in bench.chain.log.read_text()
