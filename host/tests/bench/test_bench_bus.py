"""The bus bench's own parts: its limit, its cases, its slaves and its words."""

from __future__ import annotations

import os
import select
import time

import pytest

from greenmast.bench import bus, bus_rates, bus_slave, malformed
from greenmast.bench.scripted_slave import ScriptedSlave, port, unpaced_line
from greenmast_protocol import modbus_frame


def test_the_limit_counts_two_silent_intervals() -> None:
    rates = [round(bus_rates.limit_per_s(baud), 1) for baud in bus_rates.BAUDS]
    assert rates == [21.8, 43.6, 150.4]


def test_every_case_is_named_once_and_the_judge_of_frames_agrees_with_its_verdict() -> None:
    names = [case.name for case in malformed.CASES]
    assert len(set(names)) == len(names) >= 19
    request = bytearray(modbus_frame.FRAME_MAX)
    n = modbus_frame.build(request, malformed.UNIT, malformed.FUNCTION, malformed.ADDRESS, malformed.COUNT)
    assert bytes(request[:n]) == malformed.REQUEST
    assert modbus_frame.check(request, bytearray(malformed.GOOD), len(malformed.GOOD)) == modbus_frame.OK
    for case in malformed.CASES:
        if all(delay_s < malformed.TIMEOUT_MS / 10_000 for delay_s, _ in case.pieces):
            sent = b"".join(data for _, data in case.pieces)[: modbus_frame.FRAME_MAX + 4]
            verdict = modbus_frame.check(request, bytearray(sent), len(sent))
            assert modbus_frame.verdict_name(verdict) == case.verdict, case.name


def test_the_slave_of_the_rates_leaves_the_silent_interval_before_its_reply() -> None:
    with unpaced_line() as (ours, path), bus_slave.running(path, 1200):
        request = malformed.sealed(bytes((bus_slave.UNIT, 3, 0, 0, 0, len(bus_slave.VALUES))))
        for sent in (request[:3], request[3:]):
            os.write(ours, sent)
            begun_s = time.monotonic()
        reply = os.read(ours, 256)
        assert time.monotonic() - begun_s >= malformed.gap_s(1200)
        assert reply[:3] == bytes((bus_slave.UNIT, 3, 20))
        assert malformed.crc(reply) == b"\x00\x00"


def test_a_scripted_slave_answers_in_turn() -> None:
    scripts = [[(0.0, b"a"), (0.01, b"b")], [(0.0, b"c")]]
    with unpaced_line() as (ours, path), port(path) as end, ScriptedSlave(ours, scripts) as slave:
        for expected in (b"ab", b"c"):
            os.write(end, malformed.REQUEST)
            got = b""
            while len(got) < len(expected) and select.select([end], [], [], 10)[0]:
                got += os.read(end, 16)
            assert got == expected
    assert slave.requests == [malformed.REQUEST] * 2


def _seen(per_s: float, violations: int) -> dict[str, float]:
    return {"per_s": per_s, "percent": per_s * 2, "gap_violations": violations, "gaps": 90}


def test_the_words_name_every_master_every_case_and_what_mbpoll_read_wrongly() -> None:
    result = {
        "registers": 10,
        "rates": [{"baud": 9600, "limit_per_s": 21.8, "masters": {"A": _seen(21, 0), "B": _seen(23, 88)}}],
        "refusals": {
            "cases": 28,
            "masters": {
                "A": {"accepted": [], "wrong_values": [], "next_lost": 0},
                "B": {"accepted": ["late", "CRC wrong"], "wrong_values": ["late"], "next_lost": 3},
            },
        },
        "cycle": {
            "devices": 10,
            "baud": 9600,
            "alive": {"cycle_mean_ms": 950, "cycle_worst_ms": 1600, "reads_per_minute": 63},
            "one_dead": {"cycle_mean_ms": 880, "cycle_worst_ms": 2000, "reads_per_minute": 68},
            "rate_kept_percent": 107.1,
        },
        "mbpoll": {"devices": 2, "readings": 4, "wrong": ["pzem-017 0x0000: 3, not 4"]},
    }
    text = bus.text(result)
    for words in ("0/90", "88/90", "2 (1; 3)", "late, CRC wrong", "worst 2000 ms", "107.1 %", "3, not 4"):
        assert words in text, words


def test_what_does_not_start_says_so() -> None:
    with pytest.raises(FileNotFoundError):
        bus_slave.serve("/dev/no-such-port", 9600, 0)
