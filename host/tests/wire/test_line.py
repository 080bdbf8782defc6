"""A line in time that the test tells: the schedule, collisions and every fault, by what the ends receive."""

from __future__ import annotations

import random

import pytest

from greenmast.emulator.line import Line
from greenmast.emulator.line_faults import FAULTS

CHAR_NS = 1_000_000  # 11 bits at 11,000 baud
BAUD = 11_000
REQUEST, REPLY = bytes(range(0x10, 0x18)), bytes(range(0x20, 0x34))


def make(ends: int = 2, **options: float) -> Line:
    line = Line(ends, BAUD, **options)  # type: ignore[arg-type]
    assert line.char_ns == CHAR_NS
    return line


def run(line: Line, until_ns: int) -> None:
    """Wake up whenever something is due, as the process does."""
    while (due_ns := line.due_ns()) is not None and due_ns <= until_ns:
        line.release(due_ns)
    line.release(until_ns)


def passed(name: str, sender: int = 0, data: bytes = REQUEST, ends: int = 2, **options: int | str) -> Line:
    """A line with a fault, over which `data` has gone."""
    line = make(ends)
    line.fault(name, options, 0)
    line.take(sender, data, 1)
    run(line, 500 * CHAR_NS)
    return line


def test_a_character_arrives_when_its_time_is_over_and_not_before() -> None:
    line = make()
    line.take(0, b"ab", 5)
    line.release(5 + CHAR_NS - 1)
    assert line.arrived[1] == b""
    line.release(5 + CHAR_NS)
    assert line.arrived[1] == b"a"
    line.release(5 + 2 * CHAR_NS)
    assert line.arrived[1] == b"ab"
    assert line.arrived[0] == b""


def test_a_late_wake_up_lets_out_all_that_is_due_in_one_piece() -> None:
    line = make()
    line.take(0, REQUEST, 0)
    line.release(5 * CHAR_NS)
    assert line.arrived[1] == REQUEST[:5]


def test_only_what_overlaps_in_time_is_hurt() -> None:
    line = make(3)
    line.take(1, REPLY, 1)
    line.take(2, b"\x55", round(9.5 * CHAR_NS))
    run(line, 100 * CHAR_NS)
    heard = line.arrived[0]
    assert len(heard) == len(REPLY) + 1
    assert heard[:9] == REPLY[:9]
    assert heard[12:] == REPLY[11:]
    assert heard[9:12] != bytes((REPLY[9], 0x55, REPLY[10]))
    assert line.counters()["collisions"] == 3


def test_a_low_level_wins_a_collision() -> None:
    line = make(3)
    line.take(1, b"\x0f", 1)
    line.take(2, b"\x3c", 1)
    run(line, 10 * CHAR_NS)
    assert line.arrived[0] == b"\x0c\x0c"


def test_equal_bytes_at_equal_times_do_not_pass_for_one() -> None:
    line = make(3)
    line.take(1, REPLY, 1)
    line.take(2, REPLY, 1)
    run(line, 100 * CHAR_NS)
    assert all(a != b for a, b in zip(line.arrived[0][::2], REPLY, strict=True))
    assert all(a != b for a, b in zip(line.arrived[0][1::2], REPLY, strict=True))
    assert line.counters()["collisions"] == 2 * len(REPLY)


def test_one_after_the_other_is_no_collision() -> None:
    line = make()
    line.take(0, REQUEST, 1)
    run(line, 1 + len(REQUEST) * CHAR_NS)
    line.take(1, REPLY, 1 + len(REQUEST) * CHAR_NS)
    run(line, 100 * CHAR_NS)
    assert line.arrived == [REPLY, REQUEST]
    assert line.counters()["collisions"] == 0


def test_noise_inverts_single_bits_at_its_rate() -> None:
    line = passed("noise", data=bytes(400), per_million=100_000)
    hit = [byte for byte in line.arrived[1] if byte]
    assert 15 < len(hit) < 85
    assert all(byte.bit_count() == 1 for byte in hit)
    assert line.counters()["damaged"] == len(hit)


def test_the_same_seed_is_the_same_noise_and_another_is_not() -> None:
    heard = []
    for seed in (1, 1, 2):
        line = Line(2, BAUD, seed=seed)
        line.fault("noise", {"per_million": 200_000}, 0)
        line.take(0, bytes(200), 1)
        run(line, 300 * CHAR_NS)
        heard.append(bytes(line.arrived[1]))
    assert heard[0] == heard[1] != heard[2]


def test_stray_bytes_come_in_the_silence_to_every_end() -> None:
    line = make(3)
    line.fault("stray", {"per_second": 20}, 0)
    line.release(0)
    run(line, 2_000 * CHAR_NS)
    assert 10 < len(line.arrived[0]) < 80
    assert line.arrived[0] == line.arrived[1] == line.arrived[2]


def test_babble_leaves_no_pause_and_spoils_what_is_sent_meanwhile() -> None:
    line = make()
    line.fault("babble", {}, 0)
    line.release(0)
    line.take(0, REQUEST, 1)
    run(line, 50 * CHAR_NS)
    assert len(line.arrived[0]) == 50
    assert len(line.arrived[1]) == 50 + len(REQUEST)
    assert line.counters()["collisions"] >= 2 * len(REQUEST)
    line.clear("babble", 50 * CHAR_NS)
    run(line, 100 * CHAR_NS)
    assert len(line.arrived[0]) <= 51


def test_a_driver_that_is_stuck_lets_no_byte_through_as_it_was() -> None:
    line = passed("stuck")
    assert len(line.arrived[1]) == len(REQUEST)
    assert all(a != b for a, b in zip(line.arrived[1], REQUEST, strict=True))


def test_a_cut_cable_carries_nothing() -> None:
    line = passed("cut")
    assert line.arrived == [b"", b""]
    assert line.counters()["lost"] == len(REQUEST)


def test_the_cut_cable_of_one_end_leaves_the_others() -> None:
    line = passed("cut", ends=3, end=2)
    assert line.arrived == [b"", REQUEST, b""]
    line.take(2, REPLY, 600 * CHAR_NS)
    run(line, 700 * CHAR_NS)
    assert line.arrived == [b"", REQUEST, b""]


def test_an_echo_gives_the_master_its_own_bytes_and_the_reply() -> None:
    line = passed("echo")
    line.take(1, REPLY, 600 * CHAR_NS)
    run(line, 700 * CHAR_NS)
    assert line.arrived == [REQUEST + REPLY, REQUEST]


def test_propagation_is_a_delay_and_nothing_else() -> None:
    line = make()
    line.fault("delay", {"us": 3_000}, 0)
    line.take(0, REQUEST, 0)
    line.release((8 + 3) * CHAR_NS - 1)
    assert line.arrived[1] == REQUEST[:-1]
    line.release((8 + 3) * CHAR_NS)
    assert line.arrived[1] == REQUEST


def test_a_driver_enabled_late_loses_the_first_characters() -> None:
    assert passed("late_de", sender=1, data=REPLY, characters=2).arrived[0] == REPLY[2:]
    damaged = passed("late_de", sender=1, data=REPLY, how="damaged").arrived[0]
    assert damaged[0] != REPLY[0]
    assert damaged[1:] == REPLY[1:]


def test_a_driver_released_early_loses_the_last_characters() -> None:
    assert passed("early_release", sender=1, data=REPLY, characters=3).arrived[0] == REPLY[:-3]


def test_driver_faults_concern_the_ends_they_are_of() -> None:
    assert passed("late_de").arrived[1] == REQUEST  # of the slaves
    assert passed("late_de", by="master").arrived[1] == REQUEST[1:]
    assert passed("early_release", by="all").arrived[1] == REQUEST[:-1]
    assert passed("early_release", sender=2, data=REPLY, ends=3, by=1).arrived[0] == REPLY


def test_every_transmission_has_its_own_first_and_last_character() -> None:
    line = make()
    line.fault("late_de", {"by": "master"}, 0)
    line.fault("early_release", {"by": "master"}, 0)
    line.take(0, b"abcd", 0)
    run(line, 4 * CHAR_NS)
    line.take(0, b"efgh", 6 * CHAR_NS)
    run(line, 20 * CHAR_NS)
    assert line.arrived[1] == b"bcfg"


def test_a_second_node_on_the_address_spoils_replies_and_no_requests() -> None:
    assert passed("collision").arrived[1] == REQUEST
    line = passed("collision", sender=1, data=REPLY)
    assert all(a != b for a, b in zip(line.arrived[0], REPLY, strict=True))
    assert line.counters()["collisions"] == len(REPLY)


@pytest.mark.parametrize("name", ["parity", "framing"])
def test_a_uart_hands_a_bad_character_on_or_drops_it(name: str) -> None:
    data = random.Random(3).randbytes(200)
    line = passed(name, data=data, per_million=1_000_000)
    assert len(line.arrived[1]) == 200
    assert all(a != b for a, b in zip(line.arrived[1], data, strict=True))
    dropped = passed(name, data=data, per_million=500_000, receiver="dropped").arrived[1]
    assert 50 < len(dropped) < 150
    rest = iter(data)
    assert all(byte in rest for byte in dropped)  # in order, and nothing else


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_that_is_over_leaves_nothing(name: str) -> None:
    line = make(3)
    line.fault(name, {}, 0)
    line.take(0, REQUEST, 1)
    run(line, 100 * CHAR_NS)
    line.clear(name, 100 * CHAR_NS)
    run(line, 110 * CHAR_NS)
    for arrived in line.arrived:
        arrived.clear()
    line.take(1, REPLY, 200 * CHAR_NS)
    run(line, 300 * CHAR_NS)
    assert line.arrived == [REPLY, b"", REPLY]


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_says_what_it_is_and_refuses_what_it_does_not_know(name: str) -> None:
    assert FAULTS[name].__doc__
    with pytest.raises(ValueError, match="no such option"):
        make().fault(name, {"colour": "red"}, 0)
    for option, default in FAULTS[name].options.items():
        if isinstance(default, int):
            with pytest.raises(ValueError, match=option):
                make().fault(name, {option: "much"}, 0)


@pytest.mark.parametrize(("baud", "speed"), [(9_600, 1.0), (19_200, 5.0), (115_200, 1.0)])
def test_the_silence_before_a_request_is_measured_in_the_lines_own_time(baud: int, speed: float) -> None:
    least_us = 38_500_000 / baud if baud <= 19_200 else 1_750
    for pause_us, violations in ((least_us + 1, 0), (least_us - 10, 1)):
        line = Line(2, baud, speed=speed)
        line.take(0, REQUEST, 0)
        now_ns = len(REQUEST) * line.char_ns
        run(line, now_ns)
        line.take(1, REPLY, now_ns)
        now_ns += len(REPLY) * line.char_ns
        run(line, now_ns)
        line.take(0, REQUEST, now_ns + round(pause_us * 1_000 / speed))
        counters = line.counters()
        assert (counters["gaps"], counters["gap_violations"]) == (1, violations)
        assert counters["gap_min_us"] == pytest.approx(pause_us, abs=1.5)


def test_a_wire_that_hands_over_late_gives_no_silence_away() -> None:
    line = make()
    line.take(1, REPLY, 0)
    line.release(30 * CHAR_NS)  # ten characters late
    line.take(0, REQUEST, 31 * CHAR_NS)
    assert line.counters()["gap_violations"] == 1
    assert line.counters()["gap_min_us"] == 1_000


def test_noise_right_before_a_request_is_not_the_masters_violation() -> None:
    line = make()
    line.take(1, REPLY, 0)
    run(line, 20 * CHAR_NS)
    line.fault("babble", {}, 25 * CHAR_NS)
    line.release(25 * CHAR_NS)
    run(line, 30 * CHAR_NS)
    line.take(0, REQUEST, 30 * CHAR_NS)
    assert line.counters()["gaps"] == 1
    assert line.counters()["gap_violations"] == 0


def test_a_request_into_a_reply_is_a_violation() -> None:
    line = make()
    line.take(1, REPLY, 0)
    run(line, 10 * CHAR_NS)
    line.take(0, REQUEST, round(10.5 * CHAR_NS))
    assert line.counters()["gap_violations"] == 1


def test_the_trace_keeps_the_last_transmissions_as_sent_and_as_heard() -> None:
    line = make()
    line.fault("early_release", {}, 0)
    now_ns = 0
    for number in range(150):
        for end in (0, 1):
            line.take(end, bytes((number, end, 7)), now_ns)
            now_ns += 10 * CHAR_NS
            run(line, now_ns)
    frames = line.trace()
    assert len(frames) == 200
    assert frames[-2:] == [
        {"at_us": 2_980_000, "from": "master", "sent": "950007", "heard": "950007"},
        {"at_us": 2_990_000, "from": "slave 1", "sent": "950107", "heard": "9501"},
    ]
