"""RTU frames: the standard's own examples, every field's limit, and the length of every reply."""

from modbus_fakes import sealed, words

from greenmast_protocol import modbus_frame as frame


def built(*arguments):
    request = bytearray(frame.FRAME_MAX)
    n = frame.build(request, *arguments)
    return bytes(request[:n]), request


def refuses(*arguments):
    try:
        built(*arguments)
    except ValueError:
        return True
    return False


def test_crc_matches_the_published_check_value_and_a_meter_manual():
    assert frame.crc16(b"123456789", 9) == 0x4B37
    assert built(1, 4, 0, 2)[0] == bytes([1, 4, 0, 0, 0, 2, 0x71, 0xCB])
    assert frame.crc16(bytes([1, 4, 0, 0, 0, 2, 0x71, 0xCB]), 8) == 0


def test_requests_are_those_of_the_application_protocol_examples():
    assert built(0x11, 1, 0x13, 0x13)[0][:6] == bytes([0x11, 1, 0, 0x13, 0, 0x13])
    assert built(0x11, 3, 0x6B, 3)[0] == bytes([0x11, 3, 0, 0x6B, 0, 3, 0x76, 0x87])
    assert built(1, 6, 1, 3)[0][:6] == bytes([1, 6, 0, 1, 0, 3])
    many = built(1, 16, 1, 2, (0x000A, 0x0102))[0]
    assert many[:11] == bytes([1, 16, 0, 1, 0, 2, 4, 0, 0x0A, 1, 2])
    assert frame.crc16(many, len(many)) == 0
    assert built(1, 5, 0xAC, 0xFF00)[0][:6] == bytes([1, 5, 0, 0xAC, 0xFF, 0])
    coils = built(1, 15, 0x13, 10, (1, 0, 1, 1, 0, 0, 1, 1, 1, 0))[0]
    assert coils[:9] == bytes([1, 15, 0, 0x13, 0, 0x0A, 2, 0xCD, 1])
    assert (len(coils), frame.crc16(coils, len(coils))) == (11, 0)
    assert len(built(1, 15, 0, 1968, [1] * 1968)[0]) == 255


def test_a_request_that_cannot_be_carried_or_addressed_is_not_built():
    for arguments in (
        (1, 3, 0, 126),
        (1, 4, 0, 126),
        (1, 1, 0, 2001),
        (1, 3, 0, 0),
        (1, 3, 0, -1),
        (1, 0, 0, 1),
        (1, 5, 0, 1),
        (1, 5, 0, 0xFE00),
        (0, 5, 0, 0xFF00),
        (1, 15, 0, 1),
        (1, 15, 0, 0),
        (1, 15, 0, 2, [1]),
        (0, 15, 0, 1, [1]),
        (1, 15, 0, 1969, [0] * 1969),
        (256, 3, 0, 1),
        (-1, 3, 0, 1),
        (1, 3, 0x10000, 1),
        (1, 3, -1, 1),
        (0, 6, 0, 1),
        (256, 6, 0, 1),
        (1, 6, 0, -1),
        (1, 6, 0, 0x10000),
        (1, 16, 0, 124, [0] * 124),
        (1, 16, 0, 0, []),
        (1, 16, 0, 1, [0x10000]),
        (0, 16, 0, 1, [1]),
    ):
        assert refuses(*arguments), arguments
    for arguments in ((1, 3, 0, 125), (0, 4, 0, 1), (1, 6, 0, 0xFFFF), (255, 16, 0, 123, [0] * 123)):
        assert not refuses(*arguments), arguments


def test_each_function_knows_the_length_of_its_reply():
    for arguments, length in (
        ((1, 1, 0, 9), 7),
        ((1, 2, 0, 8), 6),
        ((1, 3, 0, 10), 25),
        ((1, 4, 0, 125), 255),
        ((1, 5, 0, 0), 8),
        ((1, 6, 0, 1), 8),
        ((1, 15, 0, 9, [1] * 9), 8),
        ((1, 16, 0, 2, [1, 2]), 8),
    ):
        assert frame.reply_length(built(*arguments)[1]) == length


def test_a_reply_is_complete_at_its_length_and_an_exception_at_five_bytes():
    _, request = built(3, 4, 0x10, 4)
    good = sealed(3, 4, 8, words(1, 2, 3, 4))
    for n in range(len(good)):
        assert frame.missing(request, good, n) == len(good) - n
    assert frame.missing(request, good, len(good)) == 0
    no = sealed(3, 0x84, 2)
    assert [frame.missing(request, no, n) for n in range(6)] == [13, 12, 3, 2, 1, 0]


def test_waiting_ends_as_soon_as_a_byte_is_wrong():
    _, request = built(3, 4, 0x10, 4)
    assert frame.missing(request, b"\x04", 1) == 0
    assert frame.missing(request, b"\x03\x03", 2) == 0
    assert frame.missing(request, b"\x03\x04\x06", 3) == 0
    echo = bytes(request)
    assert [frame.missing(request, echo, n) for n in (3, 7, 8)] == [5, 1, 0]


def test_good_replies_are_accepted():
    _, read = built(3, 4, 0x10, 2)
    reply = sealed(3, 4, 4, words(1, 2))
    assert frame.check(read, reply, len(reply)) == frame.OK
    for arguments in (
        (3, 5, 0x20, 0xFF00),
        (3, 6, 0x20, 5400),
        (3, 15, 0x20, 3, [1, 0, 1]),
        (3, 16, 0x20, 3, [1, 2, 3]),
    ):
        sent, request = built(*arguments)
        reply = sealed(sent[:6])
        assert frame.check(request, reply, len(reply)) == frame.OK


def test_exceptions_carry_their_code_known_or_not():
    _, request = built(3, 4, 0x10, 2)
    for code in (1, 2, 4, 11, 0, 99, 255):
        reply = sealed(3, 0x84, code)
        assert frame.check(request, reply, 5) == frame.EXCEPTION + code
    assert frame.verdict_name(frame.EXCEPTION + 2) == "exception_2"
    assert frame.verdict_name(frame.CRC) == "crc"


def test_a_write_reply_with_another_address_value_or_count_is_refused():
    sent, request = built(3, 6, 0x20, 5400)
    for changed in (sealed(3, 6, words(0x21, 5400)), sealed(3, 6, words(0x20, 5401))):
        assert frame.check(request, changed, 8) == frame.ECHO_MISMATCH
    sent, request = built(3, 16, 0x20, 2, [1, 2])
    assert frame.check(request, sealed(3, 16, words(0x20, 3)), 8) == frame.ECHO_MISMATCH
    assert frame.check(request, sent, len(sent)) == frame.OWN_ECHO


def test_the_echo_of_several_coils_or_registers_is_no_reply():
    for arguments in ((3, 15, 0x20, 3, [1, 0, 1]), (3, 16, 0x20, 1, [7])):
        sent, request = built(*arguments)
        assert frame.check(request, sent, len(sent)) == frame.OWN_ECHO
        assert frame.check(request, sent[:8], 8) == frame.OWN_ECHO


def test_a_reply_without_crc_is_judged_by_the_same_rules():
    _, request = built(3, 4, 0x10, 2)
    good = bytes([3, 4, 4]) + words(1, 2)
    for reply, verdict in (
        (good, frame.OK),
        (good[:-1], frame.TRUNCATED),
        (good + b"\x00", frame.TRAILING),
        (b"\x04" + good[1:], frame.WRONG_UNIT),
        (bytes([3, 0x84, 2]), frame.EXCEPTION + 2),
        (bytes([3, 0x83, 2]), frame.WRONG_FUNCTION),
    ):
        assert frame.verdict(request, reply, len(reply)) == verdict
    sent, request = built(3, 15, 0x20, 3, [1, 0, 1])
    assert frame.verdict(request, sent[:6], 6) == frame.OK


def test_every_truncation_of_a_good_reply_is_refused():
    _, request = built(3, 4, 0x10, 4)
    good = sealed(3, 4, 8, words(1, 2, 3, 4))
    assert frame.check(request, good, 0) == frame.TIMEOUT
    for n in range(1, len(good)):
        assert frame.check(request, good, n) == frame.TRUNCATED
