"""The master on a line: silent intervals, refused replies, and no reply ever given to the wrong request."""

import asyncio

from modbus_fakes import Rig, sealed, words

from greenmast_fw.drivers import modbus_master as master
from greenmast_protocol import modbus_frame as frame

GOOD = sealed(3, 4, 8, words(11, 22, 33, 44))
OTHER = sealed(3, 4, 8, words(91, 92, 93, 94))


def read(rig):
    """One read of four registers of slave 3: their values, or the error."""
    data = rig.run(rig.master.read, 3, 4, 0x10, 4)
    return data if isinstance(data, Exception) else [(data[i] << 8) | data[i + 1] for i in (0, 2, 4, 6)]


def bad_replies():
    request = sealed(3, 4, words(0x10, 4))
    swapped = GOOD[:-2] + bytes([GOOD[-1], GOOD[-2]])
    return (
        ("wrong function", sealed(3, 3, 8, words(1, 2, 3, 4)), frame.WRONG_FUNCTION),
        ("wrong address", sealed(4, 4, 8, words(1, 2, 3, 4)), frame.WRONG_UNIT),
        ("fewer registers", sealed(3, 4, 6, words(1, 2, 3)), frame.BYTE_COUNT),
        ("more registers", sealed(3, 4, 10, words(1, 2, 3, 4, 5)), frame.BYTE_COUNT),
        ("byte count says more", sealed(3, 4, 10, words(1, 2, 3, 4)), frame.BYTE_COUNT),
        ("byte count 0", sealed(3, 4, 0), frame.BYTE_COUNT),
        ("byte count odd", sealed(3, 4, 7, words(1, 2, 3), 4), frame.BYTE_COUNT),
        ("exception for another function", sealed(3, 0x83, 2), frame.WRONG_FUNCTION),
        ("unknown exception", sealed(3, 0x84, 0x63), frame.EXCEPTION + 0x63),
        ("exception with a wrong CRC", sealed(3, 0x84, 2)[:-1] + b"\x00", frame.CRC),
        ("two frames back to back", GOOD + GOOD, frame.TRAILING),
        ("exception and a reply", sealed(3, 0x84, 2) + GOOD, frame.TRAILING),
        ("trailing byte", GOOD + b"\x00", frame.TRAILING),
        ("CRC wrong", GOOD[:-1] + bytes([GOOD[-1] ^ 1]), frame.CRC),
        ("CRC swapped", swapped, frame.CRC),
        ("data bit flipped", GOOD[:5] + bytes([GOOD[5] ^ 0x10]) + GOOD[6:], frame.CRC),
        ("truncated", GOOD[:7], frame.TRUNCATED),
        ("noise before", b"\xff" + GOOD, frame.WRONG_UNIT),
        ("own echo and silence", request, frame.OWN_ECHO),
        ("own echo and the reply", request + GOOD, frame.OWN_ECHO),
        ("300 bytes of babble", bytes([0x55] * 300), frame.WRONG_UNIT),
        ("babble that begins like a reply", GOOD[:3] + bytes([0x55] * 300), frame.CRC),
        ("nothing", b"", frame.TIMEOUT),
    )


def test_every_malformed_reply_is_refused_counted_and_leaves_the_next_request_unharmed():
    for baud in (9600, 115200):
        for what, reply, code in bad_replies():
            rig = Rig(baud)
            rig.line.answers = [[(2000, reply)], [(2000, OTHER)]]
            error = read(rig)
            assert isinstance(error, Exception), what
            assert error.code == code, (what, str(error))
            assert rig.master.stats == {code: 1}, what
            assert read(rig) == [91, 92, 93, 94], what
            assert min(rig.line.silences_us) >= rig.line.gap_us, what


def test_the_silent_interval_is_kept_before_every_request_at_every_speed():
    for baud in (2400, 9600, 19200, 38400, 115200):
        rig = Rig(baud)
        rig.line.answers = [[(delay_us, GOOD)] for delay_us in range(0, 20_000, 900)]
        for _ in range(len(rig.line.answers)):
            assert read(rig) == [11, 22, 33, 44]
        assert min(rig.line.silences_us[1:]) >= rig.line.gap_us, baud


def test_a_reply_is_handed_over_one_silent_interval_after_its_last_byte_not_later():
    rig = Rig(9600)
    rig.line.answers = [[(2000, GOOD)]]
    assert read(rig) == [11, 22, 33, 44]
    late_us = rig.clock.now_us - rig.line.last_us
    assert rig.line.gap_us <= late_us < rig.line.gap_us + 1000


def test_a_late_reply_is_never_given_to_the_next_request():
    for delay_us in range(1000, 500_000, 7_300):
        rig = Rig(9600, timeout_ms=100, turnaround_ms=500)
        rig.line.answers = [[(delay_us, GOOD)], [(2000, OTHER)]]
        first = read(rig)
        if isinstance(first, Exception):
            assert first.code in (frame.TIMEOUT, frame.TRUNCATED)
            assert read(rig) == [91, 92, 93, 94], delay_us
            assert rig.master.stray_bytes > 0
        else:
            assert first == [11, 22, 33, 44]


def test_a_failed_exchange_keeps_the_line_until_the_slave_can_no_longer_answer():
    rig = Rig(9600, timeout_ms=100, turnaround_ms=400)
    rig.line.answers = [[], [(2000, GOOD)]]
    assert read(rig).code == frame.TIMEOUT
    begun_us = rig.clock.now_us
    assert read(rig) == [11, 22, 33, 44]
    assert rig.line.silences_us[1] >= 399_000
    assert begun_us < rig.clock.now_us


def test_a_slow_product_gets_its_own_time_limit_and_gap():
    rig = Rig(9600, timeout_ms=100, turnaround_ms=200)
    rig.master.limit(3, 1000, 30)
    rig.line.answers = [[(900_000, GOOD)], [(900_000, GOOD)]]
    assert read(rig) == [11, 22, 33, 44]
    assert read(rig) == [11, 22, 33, 44]
    assert rig.line.silences_us[1] >= 30_000


def test_an_exception_costs_no_quarantine():
    rig = Rig(9600)
    rig.line.answers = [[(2000, sealed(3, 0x84, 2))], [(2000, GOOD)]]
    assert read(rig).code == frame.EXCEPTION + 2
    assert read(rig) == [11, 22, 33, 44]
    assert rig.line.silences_us[1] < 10_000


def test_a_reply_may_pause_inside_but_not_drip_for_ever():
    rig = Rig(9600)
    rig.line.answers = [[(2000, GOOD[:5]), (150_000, GOOD[5:])]]
    assert read(rig) == [11, 22, 33, 44]
    rig.line.answers = [[(40_000 * i, GOOD[i : i + 1]) for i in range(len(GOOD))]]
    assert read(rig).code == frame.TRUNCATED


def test_a_line_that_never_falls_silent_is_given_up_without_sending():
    rig = Rig(9600)
    for _ in range(40):
        rig.line.arrive(rig.clock.now_us + len(rig.line.arriving) * rig.line.char_us, bytes([0x55] * 100))
    sent = len(rig.line.sent)
    assert read(rig).code == frame.LINE_BUSY
    assert len(rig.line.sent) == sent


def test_a_line_that_has_gone_is_an_error_not_an_end():
    rig = Rig(9600)
    rig.line.broken = True
    assert read(rig).code == frame.LINE_FAULT
    rig.line.broken = False
    rig.line.answers = [[(2000, GOOD)]]
    assert read(rig) == [11, 22, 33, 44]


def test_the_echo_of_a_write_is_no_confirmation_on_a_line_that_reads_have_shown_to_echo():
    rig = Rig(9600)
    write = sealed(3, 6, words(0x20, 5400))
    rig.line.answers = [[(2000, write)]]
    assert rig.run(rig.master.write_register, 3, 0x20, 5400) is None
    rig.line.answers = [[(0, sealed(3, 4, words(0x10, 4)))], [(0, write)], [(2000, GOOD)], [(2000, write)]]
    assert read(rig).code == frame.OWN_ECHO
    assert rig.run(rig.master.write_register, 3, 0x20, 5400).code == frame.OWN_ECHO
    assert read(rig) == [11, 22, 33, 44]
    assert rig.run(rig.master.write_register, 3, 0x20, 5400) is None
    coil = sealed(3, 5, words(7, 0xFF00))
    rig.line.answers = [[(0, sealed(3, 4, words(0x10, 4)))], [(0, coil)]]
    assert read(rig).code == frame.OWN_ECHO
    assert rig.run(rig.master.write_coil, 3, 7, 1).code == frame.OWN_ECHO


def test_writes_are_sent_as_asked_and_confirmed():
    rig = Rig(9600)
    to = rig.master
    for function, arguments, sent, reply in (
        (to.write_coil, (3, 7, 1), sealed(3, 5, words(7, 0xFF00)), None),
        (to.write_coil, (3, 7, 0), sealed(3, 5, words(7, 0)), None),
        (to.write_register, (3, 0x20, 5400), sealed(3, 6, words(0x20, 5400)), None),
        (to.write_coils, (3, 7, (1, 0, 1)), sealed(3, 15, words(7, 3), 1, 5), sealed(3, 15, words(7, 3))),
        (
            to.write_registers,
            (3, 0x9003, (5600, 5500)),
            sealed(3, 16, words(0x9003, 2), 4, words(5600, 5500)),
            sealed(3, 16, words(0x9003, 2)),
        ),
    ):
        rig.line.answers = [[(2000, reply or sent)]]
        assert rig.run(function, *arguments) is None
        assert rig.line.sent.pop() == sent
    assert rig.master.stats == {frame.OK: 5}


def test_counters_of_a_unit_tell_errors_from_silence_and_know_the_time_of_a_reply():
    rig = Rig(9600)
    rig.master.limit(3, 100, 0)
    rig.master.limit(4, 100, 0)
    seen = rig.master.unit(3)
    rig.line.answers = [[(2000, GOOD)], [(50_000, GOOD)], [], [(2000, GOOD[:-1] + b"x")]]
    for _ in range(4):
        read(rig)
    assert list(seen)[:3] == [4, 1, 1]
    assert 26 <= seen[master.REPLY_MS] <= 45  # 8 + 13 characters, a gap, and 2 or rarely 50 ms
    assert (seen[master.UNANSWERED], seen[master.DAMAGED]) == (2, 1)
    rig.line.answers = [[(2000, sealed(3, 0x84, 2))]]
    assert read(rig).code == frame.EXCEPTION + 2
    assert list(seen)[:3] == [5, 2, 1]
    assert (seen[master.UNANSWERED], seen[master.DAMAGED]) == (0, 0)
    assert list(rig.master.unit(4))[:6] == [0, 0, 0, 0, 255, 0]  # nothing is known of it


def faulty_after(rig, answers):
    rig.master.limit(3, 100, 0)
    rig.line.answers = list(answers)
    for _ in answers:
        read(rig)
    return rig.master.is_faulty()


BAD = [(2000, GOOD[:-1] + b"x")]
FINE = [(2000, GOOD)]


def test_a_bus_is_faulty_when_one_unit_gives_only_damaged_replies_or_many_replies_are_damaged():
    assert not faulty_after(Rig(9600), [BAD, BAD])
    assert faulty_after(Rig(9600), [BAD, BAD, BAD])
    assert faulty_after(Rig(9600), [BAD, [], BAD, [], BAD])  # two slaves on one address
    assert not faulty_after(Rig(9600), [BAD, BAD, BAD, FINE])
    assert not faulty_after(Rig(9600), [[]] * 10)  # silent: nothing is said of the bus
    assert not faulty_after(Rig(9600), ([BAD] + [FINE] * 12) * 10)
    often = Rig(9600)
    assert faulty_after(often, ([BAD] + [FINE] * 4) * 10)
    assert not faulty_after(often, [FINE] * 60)


def test_a_line_that_babbles_or_has_gone_is_faulty():
    rig = Rig(9600)
    rig.master.limit(3, 100, 0)
    rig.line.broken = True
    for _ in range(3):
        read(rig)
    assert rig.master.is_faulty()


def test_two_tasks_never_share_the_line():
    rig = Rig(9600)
    rig.line.answers = [[(2000, GOOD)], [(2000, OTHER)]]

    async def both():
        async def one():
            return bytes(await rig.master.read(3, 4, 0x10, 4))

        return await asyncio.gather(one(), one())

    assert rig.run(both) == [GOOD[3:-2], OTHER[3:-2]]
    assert min(rig.line.silences_us[1:]) >= rig.line.gap_us


def test_an_abandoned_request_leaves_a_quarantine_behind():
    rig = Rig(9600)
    rig.line.answers = [[(2000, GOOD)], [(2000, OTHER)]]
    receive = rig.line.receive

    async def cancelled(view, missing, timeout_ms):
        raise asyncio.CancelledError

    async def abandon():
        rig.line.receive = cancelled
        try:
            await rig.master.read(3, 4, 0x10, 4)
        except asyncio.CancelledError:
            rig.line.receive = receive

    rig.run(abandon)
    assert read(rig) == [91, 92, 93, 94]
    assert rig.master.stray_bytes == len(GOOD)


def test_a_long_silence_delays_nothing_though_ticks_have_wrapped():
    for silence_s in (500, 540, 800, 1_070, 3 * 86_400, 7 * 86_400, 12 * 86_400):
        rig = Rig(9600)
        rig.line.answers = [[], [(2000, GOOD)], [(2000, OTHER)]]
        assert read(rig).code == frame.TIMEOUT
        for expected in ([11, 22, 33, 44], [91, 92, 93, 94]):
            rig.clock.now_us += silence_s * 1_000_000
            begun_us = rig.clock.now_us
            assert read(rig) == expected
            assert rig.clock.now_us - begun_us < 100_000, silence_s
