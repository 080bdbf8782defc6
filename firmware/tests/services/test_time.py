"""Wall time: what the board believes of a time server, and the local minute that follows from it."""

import os

from greenmast_fw.drivers import sntp
from greenmast_fw.drivers.wall import Wall
from greenmast_fw.services import time_round

DAY = 86_400
NOW = 848_880_000  # late in 2026, since 2000
NONCE = b"question"


class Rtc:
    def datetime(self, value):
        self.value = value


class Journal:
    def __init__(self):
        self.lines = []

    def write(self, who, what):
        self.lines.append(what)


def wall_at(seconds, floor_s=NOW - 10 * DAY, zone=(0,)):
    wall = Wall(list(zone), Rtc())
    wall.set(seconds)
    wall.floor_s = floor_s
    return wall


def judged(wall, *answers):
    for answer in answers:
        time_round.judge(wall, answer, Journal())
    return wall.trusted


def reply(seconds, head=0x24, stratum=2, nonce=NONCE, fraction=0):
    data = bytearray(48)
    data[0] = head
    data[1] = stratum
    data[24:32] = nonce
    data[40:44] = (seconds & 0xFFFFFFFF).to_bytes(4, "big")
    data[44] = fraction
    return bytes(data)


def test_a_reply_gives_seconds_since_2000_rounded_and_in_the_next_era_too():
    assert sntp.read(reply(NOW + 3_155_673_600), NONCE) == NOW
    assert sntp.read(reply(NOW + 3_155_673_600, fraction=0x80), NONCE) == NOW + 1
    in_2040 = 40 * 31_556_952
    assert sntp.read(reply(in_2040 + 3_155_673_600), NONCE) == in_2040


def test_what_does_not_answer_our_question_is_nothing():
    good = reply(NOW + 3_155_673_600)
    for bad in (
        b"",
        good[:47],
        reply(NOW, head=0x23),
        reply(NOW, head=0xE4),
        reply(NOW, stratum=16),
        reply(NOW, nonce=b"QUESTION"),
        reply(0),
    ):
        assert sntp.read(bad, NONCE) == sntp.NOTHING, bad


def test_a_kiss_is_told_from_an_answer():
    assert sntp.read(reply(NOW, stratum=0), NONCE) == sntp.KISS


def test_a_time_within_a_year_above_the_floor_is_believed_at_once():
    wall = wall_at(0)
    assert judged(wall, NOW)
    assert wall.seconds() == NOW
    assert wall.now_s() == NOW + 946_684_800


def test_a_time_below_the_floor_is_never_believed():
    wall = wall_at(0)
    assert not judged(wall, *[wall.floor_s - 1] * 5)
    wall = wall_at(NOW)
    assert judged(wall, NOW)
    judged(wall, *[NOW - 11 * DAY] * 5)
    assert wall.seconds() == NOW


def test_a_time_far_ahead_is_believed_when_three_rounds_agree():
    wall = wall_at(NOW)
    assert not judged(wall, NOW + 800 * DAY, NOW + 800 * DAY)
    assert judged(wall, NOW + 800 * DAY)
    assert wall.seconds() == NOW + 800 * DAY


def test_answers_that_disagree_with_each_other_move_nothing():
    wall = wall_at(NOW)
    assert not judged(wall, *[NOW + (500 + i) * DAY for i in range(8)])
    assert wall.seconds() == NOW


def test_one_mad_answer_does_not_move_a_trusted_clock_either_way():
    wall = wall_at(NOW)
    judged(wall, NOW, NOW + 300 * DAY, NOW, NOW - 5 * DAY, NOW, NOW + 300 * DAY)
    assert wall.seconds() == NOW


def test_the_real_time_clock_is_set_along():
    wall = wall_at(0)
    judged(wall, NOW)
    assert wall._rtc.value[:3] == (2026, 11, 25)
    assert wall._rtc.value[4:7] == (0, 0, 0)


def test_local_minutes_follow_the_zones_rules_and_need_a_trusted_clock():
    start = 13_276_860  # the end of March 2025, when Berlin puts its clocks forward
    zone = [60, start, 120, start + 302_400, 60]
    wall = wall_at((start - 1) * 60, zone=zone)
    assert wall.minute() is None
    wall.trusted = True
    for at, ahead in ((start - 1, 60), (start, 120), (start + 302_399, 120), (start + 302_400, 60)):
        wall.set(at * 60)
        assert wall.minute() == at + ahead


def test_the_floor_is_kept_after_agreement_only_and_twice_a_day_at_most():
    stored = []
    original = time_round.files.store
    time_round.files.store = lambda name, body: stored.append((name, b"".join(body)))
    try:
        wall = wall_at(NOW)
        judged(wall, NOW)
        assert not stored
        judged(wall, NOW)
        assert stored == [("floor", b"%d" % NOW)]
        wall.set(NOW + 11 * 3600)
        judged(wall, NOW + 11 * 3600)
        assert len(stored) == 1
        wall.set(NOW + 12 * 3600)
        judged(wall, NOW + 12 * 3600)
        assert len(stored) == 2
        assert wall.floor_s == NOW + 12 * 3600
    finally:
        time_round.files.store = original


def test_a_stored_floor_is_found_and_a_blank_board_has_one_too():
    name = "floor.a"
    assert time_round._stored_floor() == time_round._FIRST_FLOOR_S
    time_round._store_floor(NOW, Journal())
    try:
        assert time_round._stored_floor() == NOW
    finally:
        os.remove(name)
