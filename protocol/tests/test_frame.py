"""Framing under abuse: bounded memory, resynchronisation, no exception."""

from greenmast_protocol import frame

_BODY = b'{"id":1,"method":"hello"}'


def test_crc_is_the_standard_crc_32():
    """The check value of CRC-32/ISO-HDLC over "123456789" is CBF43926."""
    assert frame.encode(b"123456789") == b"123456789 CBF43926#\n"


def test_an_unterminated_64_kb_line_is_dropped_and_the_next_frame_is_read():
    decoder = frame.FrameDecoder()
    for _ in range(256):
        assert not decoder.feed(b"{" + b"x" * 255)
    assert decoder.feed(b"\n" + frame.encode(_BODY)) == [(frame.FRAME, _BODY)]
    assert decoder.overlong == 1


def test_every_byte_value_in_every_place_raises_nothing_and_costs_at_most_one_frame():
    line = frame.encode(_BODY)
    decoder = frame.FrameDecoder()
    for place in range(len(line)):
        for byte in range(256):
            damaged = bytearray(line)
            damaged[place] = byte
            events = decoder.feed(bytes(damaged))
            for kind, body in events:
                assert kind != frame.FRAME or body == _BODY, (place, byte)
            events = decoder.feed(b"\n" + line)
            assert events[-1] == (frame.FRAME, _BODY), (place, byte)


def test_every_truncation_costs_only_itself():
    line = frame.encode(_BODY)
    for length in range(len(line)):
        decoder = frame.FrameDecoder()
        events = decoder.feed(line[:length] + b"\n" + line)
        assert events[-1] == (frame.FRAME, _BODY), length
        assert [kind for kind, _ in events].count(frame.FRAME) == (2 if length == len(line) - 1 else 1), (
            length
        )


def test_a_frame_swallowed_by_text_without_a_newline_is_text():
    decoder = frame.FrameDecoder()
    events = decoder.feed(b"half a log line" + frame.encode(_BODY))
    assert [kind for kind, _ in events] == [frame.TEXT]


def test_ansi_colours_of_a_boot_log_are_text():
    decoder = frame.FrameDecoder()
    assert decoder.feed(b"\x1b[0;32mI (42) boot\x1b[0m\r\n") == [
        (frame.TEXT, b"\x1b[0;32mI (42) boot\x1b[0m")
    ]
