"""The master on a network: headers, refused replies, time limits, and no reply given to the wrong request."""

import asyncio

from modbus_fakes import TcpRig, words

from greenmast_protocol import modbus_frame as frame

GOOD = bytes([3, 4, 8]) + words(11, 22, 33, 44)
OTHER = bytes([3, 4, 8]) + words(91, 92, 93, 94)


def framed(request, body, length=None, protocol=0, number=None):
    """A reply to `request`; what is given differs from what would be right."""
    length = len(body) if length is None else length
    number = (request[0] << 8 | request[1]) if number is None else number & 0xFFFF
    return words(number, protocol, length) + body


def answer(body, delay_us=2000, **changed):
    return lambda request: [(delay_us, framed(request, body, **changed))]


def raw(*pieces):
    return lambda request: [(delay_us, make(request)) for delay_us, make in pieces]


def read(rig):
    """One read of four registers of unit 3: their values, or the error."""
    data = rig.run(rig.master.read, 3, 4, 0x10, 4)
    return data if isinstance(data, Exception) else [(data[i] << 8) | data[i + 1] for i in (0, 2, 4, 6)]


def before(request):
    return (request[0] << 8 | request[1]) - 1


def test_a_request_is_the_header_and_the_frame_without_its_crc():
    rig = TcpRig()
    rig.server.answers = [answer(GOOD), answer(OTHER)]
    assert read(rig) == [11, 22, 33, 44]
    assert read(rig) == [91, 92, 93, 94]
    first, second = rig.server.sent
    assert first[2:] == bytes([0, 0, 0, 6, 3, 4, 0, 0x10, 0, 4])
    assert second[2:] == first[2:]
    assert (second[0] << 8 | second[1]) == (first[0] << 8 | first[1]) + 1 & 0xFFFF
    assert len(rig.server.opened) == 1


def test_every_write_is_confirmed_by_its_own_reply():
    rig = TcpRig()
    master = rig.master
    for function, arguments, sent, reply in (
        (master.write_coil, (3, 7, 1), bytes([3, 5]) + words(7, 0xFF00), None),
        (master.write_coil, (3, 7, 0), bytes([3, 5]) + words(7, 0), None),
        (master.write_register, (3, 7, 5400), bytes([3, 6]) + words(7, 5400), None),
        (master.write_coils, (3, 7, (1, 0, 1)), bytes([3, 15]) + words(7, 3) + b"\x01\x05", 6),
        (master.write_registers, (3, 7, (8, 9)), bytes([3, 16]) + words(7, 2) + b"\x04" + words(8, 9), 6),
    ):
        rig.server.answers = [answer(sent[:reply])]
        assert rig.run(function, *arguments) is None
        assert rig.server.sent[-1][6:] == sent
        changed = bytearray(sent[:reply])
        changed[3] ^= 1
        rig.server.answers = [answer(bytes(changed))]
        assert rig.run(function, *arguments).code == frame.ECHO_MISMATCH


def bad_replies():
    return (
        ("wrong protocol", answer(GOOD, protocol=1), frame.HEADER),
        ("length 0", answer(GOOD, length=0), frame.HEADER),
        ("length of an empty reply", answer(GOOD, length=2), frame.HEADER),
        ("length beyond the longest", answer(GOOD, length=255), frame.HEADER),
        ("length says more", answer(GOOD, length=13), frame.TRUNCATED),
        ("length says less", answer(GOOD, length=9), frame.TRUNCATED),
        ("wrong unit", answer(b"\x04" + GOOD[1:]), frame.WRONG_UNIT),
        ("wrong function", answer(b"\x03\x03" + GOOD[2:]), frame.WRONG_FUNCTION),
        ("fewer registers", answer(bytes([3, 4, 6]) + words(1, 2, 3)), frame.BYTE_COUNT),
        ("more registers", answer(bytes([3, 4, 10]) + words(1, 2, 3, 4, 5)), frame.BYTE_COUNT),
        ("byte count says more", answer(bytes([3, 4, 10]) + words(1, 2, 3, 4)), frame.BYTE_COUNT),
        ("byte count 0", answer(bytes([3, 4, 0])), frame.BYTE_COUNT),
        ("byte count odd", answer(bytes([3, 4, 7]) + words(1, 2, 3) + b"\x04"), frame.BYTE_COUNT),
        ("bytes behind the registers", answer(GOOD + b"\x00"), frame.TRAILING),
        ("exception for another function", answer(bytes([3, 0x83, 2])), frame.WRONG_FUNCTION),
        ("exception and more", answer(bytes([3, 0x84, 2, 0])), frame.TRAILING),
        ("our own request", raw((0, bytes)), frame.BYTE_COUNT),
        ("babble", raw((0, lambda _: b"\x55" * 300)), frame.HEADER),
        ("half a reply", raw((0, lambda request: framed(request, GOOD)[:9])), frame.TRUNCATED),
        ("half a header", raw((0, lambda request: framed(request, GOOD)[:4])), frame.TRUNCATED),
        ("the end", raw((0, lambda _: None)), frame.LINE_FAULT),
        (
            "half a reply and the end",
            raw((0, lambda request: framed(request, GOOD)[:9]), (9, lambda _: None)),
            frame.LINE_FAULT,
        ),
    )


def test_every_malformed_reply_is_refused_counted_and_leaves_the_next_request_unharmed():
    for what, reply, code in bad_replies():
        rig = TcpRig()
        rig.server.answers = [reply, answer(OTHER)]
        error = read(rig)
        assert isinstance(error, Exception), what
        assert error.code == code, (what, str(error))
        assert rig.master.stats == {code: 1}, what
        assert not rig.server.opened[0].is_open, what  # who knows where its next reply begins
        assert read(rig) == [91, 92, 93, 94], what
        assert len(rig.server.opened) == 2, what


def test_a_refusal_is_an_answer_and_keeps_the_connection():
    rig = TcpRig()
    rig.server.answers = [answer(bytes([3, 0x84, 2])), answer(bytes([3, 0x84, 99])), answer(GOOD)]
    assert read(rig).code == frame.EXCEPTION + 2
    assert read(rig).code == frame.EXCEPTION + 99
    assert read(rig) == [11, 22, 33, 44]
    assert len(rig.server.opened) == 1


def test_a_device_that_the_gateway_cannot_reach_is_silent():
    for code in (10, 11):
        rig = TcpRig()
        rig.server.answers = [answer(bytes([3, 0x84, code])), answer(GOOD)]
        assert read(rig).code == frame.UNREACHABLE
        assert read(rig) == [11, 22, 33, 44]
        assert len(rig.server.opened) == 1


def test_a_late_reply_is_dropped_and_never_given_to_the_next_request():
    for delay_us in range(120_000, 350_000, 7_300):
        rig = TcpRig(timeout_ms=100)
        rig.server.answers = [answer(GOOD, delay_us), answer(OTHER, 2000)]
        assert read(rig).code == frame.TIMEOUT
        rig.clock.now_us += 150_000
        assert read(rig) == [91, 92, 93, 94], delay_us
        if delay_us < 250_000:
            assert rig.master.stray_bytes == 6 + len(GOOD)
        assert len(rig.server.opened) == 1


def test_replies_to_other_requests_are_dropped_while_waiting():
    rig = TcpRig()
    rig.server.answers = [
        raw(
            (0, lambda request: framed(request, OTHER, number=before(request))),
            (0, lambda request: framed(request, OTHER, number=before(request) + 2)),
            (3000, lambda request: framed(request, GOOD)),
        )
    ]
    assert read(rig) == [11, 22, 33, 44]
    assert rig.master.stray_bytes == 2 * (6 + len(GOOD))


def test_a_reply_may_come_twice_or_in_pieces():
    rig = TcpRig()
    rig.server.answers = [
        raw((0, lambda request: 2 * framed(request, GOOD))),
        lambda request: [(9_000 * i, framed(request, OTHER)[i : i + 1]) for i in range(6 + len(OTHER))],
        answer(GOOD),
    ]
    for expected in ([11, 22, 33, 44], [91, 92, 93, 94], [11, 22, 33, 44]):
        assert read(rig) == expected
    assert rig.master.stray_bytes == 6 + len(GOOD)
    assert len(rig.server.opened) == 1


def test_a_stream_of_stale_replies_ends_at_the_time_limit():
    rig = TcpRig(timeout_ms=300)

    def flood(request):
        return [(1000 * i, framed(request, OTHER, number=before(request))) for i in range(2000)]

    rig.server.answers = [flood, answer(GOOD)]
    begun_us = rig.clock.now_us
    assert read(rig).code == frame.TIMEOUT
    assert rig.clock.now_us - begun_us < 400_000
    rig.clock.now_us += 1_000_000
    assert read(rig) == [11, 22, 33, 44]  # on a new connection


def test_a_connection_that_the_server_has_closed_meanwhile_is_no_failure():
    rig = TcpRig()
    rig.server.answers = [answer(GOOD), answer(OTHER)]
    assert read(rig) == [11, 22, 33, 44]
    rig.server.opened[0].arriving.append((rig.clock.now_us, None))
    assert read(rig) == [91, 92, 93, 94]
    assert len(rig.server.opened) == 2
    assert rig.master.stats == {frame.OK: 2}


def test_attempts_to_connect_become_rare_and_cost_the_requests_between_them_nothing():
    for nobody in (True, False):
        rig = TcpRig()
        rig.server.is_there = not nobody
        rig.server.refuses = not nobody
        longest_us = []
        for _ in range(600):
            begun_us = rig.clock.now_us
            assert read(rig).code == frame.LINE_FAULT
            longest_us.append(rig.clock.now_us - begun_us)
            rig.clock.now_us += 1_000_000
        assert 10 <= len(rig.server.opened) <= 16
        assert max(longest_us) < 3_200_000
        assert all([not connection.is_open for connection in rig.server.opened])
        assert rig.master.is_faulty()
        rig.server.is_there = True
        rig.server.refuses = False
        rig.clock.now_us += 65_000_000
        rig.server.answers = [answer(GOOD)]
        assert read(rig) == [11, 22, 33, 44]


def test_a_peer_that_takes_nothing_costs_no_more_than_the_time_limit():
    rig = TcpRig(timeout_ms=200)
    rig.server.answers = [answer(GOOD), answer(OTHER)]
    assert read(rig) == [11, 22, 33, 44]
    rig.server.opened[0].room = 5
    begun_us = rig.clock.now_us
    assert read(rig).code == frame.LINE_FAULT
    assert rig.clock.now_us - begun_us < 300_000
    rig.server.answers = [answer(OTHER)]
    assert read(rig) == [91, 92, 93, 94]


def test_an_abandoned_request_ends_the_connection():
    rig = TcpRig()
    rig.server.answers = [answer(GOOD), answer(OTHER)]

    receive = rig.master._receive

    async def cancelled(timeout_ms):
        raise asyncio.CancelledError

    async def interrupted():
        rig.master._receive = cancelled
        try:
            await rig.master.read(3, 4, 0x10, 4)
        except asyncio.CancelledError:
            rig.master._receive = receive

    rig.run(interrupted)
    assert not rig.server.opened[0].is_open
    assert read(rig) == [91, 92, 93, 94]
