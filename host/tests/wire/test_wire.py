"""The wire: every byte arrives, in order, never before its time; the process never outlives its owner."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from greenmast.emulator.wire import Wire

LIMIT_S = 30.0


@contextmanager
def opened(path: str) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def read_exactly(descriptor: int, size: int) -> tuple[bytes, list[float]]:
    """`size` bytes and the time at which each was seen."""
    data, times = b"", list[float]()
    end = time.monotonic() + LIMIT_S
    while len(data) < size:
        assert time.monotonic() < end, f"only {len(data)} of {size} bytes came"
        try:
            piece = os.read(descriptor, size - len(data))
        except BlockingIOError:
            time.sleep(0.0005)
            continue
        data += piece
        times += [time.monotonic()] * len(piece)
    return data, times


def test_every_byte_arrives_in_order_in_either_direction() -> None:
    seed = 4711
    print("seed", seed)
    random_bytes = random.Random(seed).randbytes
    there, back = random_bytes(3000), random_bytes(3000)
    with Wire(115200, speed=20) as wire, opened(wire.master_path) as m, opened(wire.slave_path) as s:
        assert os.write(m, there) == 3000
        assert read_exactly(s, 3000)[0] == there
        assert os.write(s, back) == 3000
        assert read_exactly(m, 3000)[0] == back
        counters = wire.counters()
    told = ("to_slave", "to_master", "waiting", "collisions", "damaged", "lost")
    assert [counters[name] for name in told] == [3000, 3000, 0, 0, 0, 0]


def test_all_other_ends_hear_what_one_sends() -> None:
    with (
        Wire(115200, slaves=2) as wire,
        opened(wire.master_path) as m,
        opened(wire.slave_paths[0]) as first,
        opened(wire.slave_paths[1]) as second,
    ):
        os.write(m, b"ask")
        assert read_exactly(first, 3)[0] == read_exactly(second, 3)[0] == b"ask"
        os.write(second, b"reply")
        assert read_exactly(m, 5)[0] == read_exactly(first, 5)[0] == b"reply"
        assert wire.counters()["to_slave"] == 11
        frames = wire.trace()
    assert [(frame["from"], bytes.fromhex(frame["heard"])) for frame in frames] == [
        ("master", b"ask"),
        ("slave 2", b"reply"),
    ]


def test_two_that_send_at_once_hurt_each_other() -> None:
    seed = 4712
    print("seed", seed)
    random_bytes = random.Random(seed).randbytes
    there, back = random_bytes(400), random_bytes(400)
    with Wire(9600) as wire, opened(wire.master_path) as m, opened(wire.slave_path) as s:
        os.write(m, there)
        time.sleep(0.05)  # of 0.46 s
        os.write(s, back)
        heard, answered = read_exactly(s, 400)[0], read_exactly(m, 400)[0]
        collisions = wire.counters()["collisions"]
    assert heard != there
    assert answered != back
    assert heard[0] == there[0]  # while it was alone
    assert answered[-1] == back[-1]
    assert 100 < collisions < 800


def test_a_fault_begins_and_ends_while_the_wire_runs() -> None:
    data = bytes(100)
    with Wire(115200) as wire, opened(wire.master_path) as m, opened(wire.slave_path) as s:
        wire.fault("noise", per_million=1_000_000)
        os.write(m, data)
        assert all(byte.bit_count() == 1 for byte in read_exactly(s, 100)[0])
        wire.clear("noise")
        os.write(m, data)
        assert read_exactly(s, 100)[0] == data
        with pytest.raises(ValueError, match="no such fault"):
            wire.fault("nois")
        with pytest.raises(ValueError, match="no such option"):
            wire.fault("noise", rate=3)
        assert wire.counters()["damaged"] == 100


def test_babble_fills_the_line_and_no_more() -> None:
    with Wire(9600) as wire, opened(wire.master_path) as m, opened(wire.slave_path) as s:
        start = time.monotonic()
        wire.fault("babble")
        read_exactly(m, 100)
        took = time.monotonic() - start
        wire.clear("babble")
        assert took >= 100 * 11 / 9600
        time.sleep(0.05)  # a character has begun
        heard = wire.counters()["to_slave"]
        time.sleep(0.05)
        assert heard == wire.counters()["to_slave"] >= 100
        read_exactly(s, heard)
        os.write(m, b"calm")
        assert read_exactly(s, 4)[0] == b"calm"


def test_a_master_that_leaves_no_silence_is_caught_and_one_that_does_is_not() -> None:
    baud = 9600
    silence_s = 38.5 / baud
    for pause_s, caught in ((1.5 * silence_s, False), (0.0, True)):
        with Wire(baud) as wire, opened(wire.master_path) as m, opened(wire.slave_path) as s:
            for _ in range(5):
                os.write(m, b"request")
                read_exactly(s, 7)
                os.write(s, b"reply")
                read_exactly(m, 5)
                heard = time.monotonic()
                while time.monotonic() < heard + pause_s:
                    pass
            counters = wire.counters()
        assert counters["gaps"] == 4
        if caught:
            assert counters["gap_violations"] >= 1
            assert 0 <= counters["gap_min_us"] < 1e6 * silence_s
        else:
            assert counters["gap_violations"] == 0
            assert counters["gap_min_us"] >= 1e6 * pause_s


def test_a_reader_that_sleeps_loses_nothing() -> None:
    data = bytes(range(256)) * 64  # four times what a pseudo-terminal holds
    with Wire(115200, speed=200) as wire, opened(wire.master_path) as m, opened(wire.slave_path) as s:
        sent = 0
        end = time.monotonic() + LIMIT_S
        while sent < len(data) and time.monotonic() < end:
            try:
                sent += os.write(m, data[sent : sent + 1000])
            except BlockingIOError:
                time.sleep(0.01)
        assert sent == len(data)
        time.sleep(0.2)
        assert read_exactly(s, len(data))[0] == data


def test_no_byte_is_ahead_of_the_baud_rate() -> None:
    for baud, bits in ((9600, 11), (19200, 10), (115200, 11)):
        char_s = bits / baud
        with Wire(baud, bits=bits) as wire, opened(wire.master_path) as m, opened(wire.slave_path) as s:
            start = time.monotonic()
            os.write(m, bytes(100))
            _, times = read_exactly(s, 100)
        for i, seen in enumerate(times):
            assert seen - start >= (i + 1) * char_s, (baud, i)


def test_binary_bytes_that_a_terminal_would_interpret_pass_unchanged() -> None:
    data = bytes(range(256))
    with Wire(115200, speed=10) as wire, opened(wire.master_path) as m, opened(wire.slave_path) as s:
        os.write(m, data)
        assert read_exactly(s, 256)[0] == data
        os.write(s, data)
        assert read_exactly(m, 256)[0] == data


def test_an_end_may_close_and_open_again() -> None:
    with Wire(115200, speed=10) as wire, opened(wire.master_path) as m:
        for _ in range(3):
            with opened(wire.slave_path) as s:
                os.write(m, b"hello")
                assert read_exactly(s, 5)[0] == b"hello"


def gone(pid: int) -> bool:
    """The process has ended, within a bounded wait (a zombie of another parent counts as ended)."""
    end = time.monotonic() + LIMIT_S
    while time.monotonic() < end:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except FileNotFoundError:
            return True
        if state == "Z":
            return True
        time.sleep(0.02)
    return False


def test_the_process_ends_with_the_context_and_with_a_killed_owner() -> None:
    with Wire(9600) as wire:
        assert wire._process is not None
        pid = wire._process.pid
    assert gone(pid)
    script = (
        "import time\nfrom greenmast.emulator.wire import Wire\n"
        "with Wire(9600) as w:\n print(w._process.pid, flush=True)\n time.sleep(60)\n"
    )
    owner = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert owner.stdout is not None
    pid = int(owner.stdout.readline())
    owner.send_signal(signal.SIGKILL)
    owner.wait(LIMIT_S)
    owner.stdout.close()
    assert gone(pid)
