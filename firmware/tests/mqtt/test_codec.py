"""The MQTT packets, byte by byte. Runs on CPython and MicroPython."""

from greenmast_fw.mqtt import codec
from greenmast_fw.mqtt.codec import CONNACK, MORE, OVERSIZE, PINGRESP, PUBACK, PUBLISH, SUBACK, Decoder

SIZE = 128
MALFORMED = -1  # stands for the ValueError
GOOD = (
    (b"\x20\x02\x01\x00", CONNACK),
    (b"\x32\x0b\x00\x03a/b\x12\x34rest", PUBLISH),
    (b"\x30\x05\x00\x03a/b", PUBLISH),
    (b"\x40\x02\x12\x34", PUBACK),
    (b"\x90\x04\x00\x01\x01\x80", SUBACK),
    (b"\xd0\x00", PINGRESP),
    (b"\x30\x80\x00\x00\x01a", MALFORMED),  # a length of 0 in two bytes: legal, but no room for a topic
)


def feed(decoder, data):
    """Put as much of `data` as fits into the decoder, return the rest."""
    space = decoder.space()
    count = min(len(space), len(data))
    space[:count] = data[:count]
    decoder.end += count
    return data[count:]


def take(decoder):
    """The next kind of packet."""
    try:
        return decoder.next()
    except ValueError:
        return MALFORMED


def decode(data, step=SIZE):
    """Every event in `data`, given `step` bytes at a time, as (kind, packet_id, topic, payload)."""
    decoder = Decoder(SIZE)
    events = []
    kind = MORE
    while data and kind != MALFORMED:
        data = feed(decoder, data[:step]) + data[step:]
        kind = take(decoder)
        while kind != MORE:
            packet_id = decoder.packet_id if kind in (PUBLISH, OVERSIZE, PUBACK, SUBACK) else 0
            topic = decoder.topic if kind == PUBLISH else b""
            stored = kind in (PUBLISH, SUBACK, CONNACK)
            events.append((kind, packet_id, topic, bytes(decoder.payload) if stored else b""))
            if kind == MALFORMED:
                break
            kind = take(decoder)
    return events


def kinds(data):
    return [event[0] for event in decode(data)]


def test_connect_has_every_field_in_the_order_of_the_standard():
    packet = codec.connect("id", 60, ("w/t", b"gone", True))
    assert packet == b"\x10\x19\x00\x04MQTT\x04\x2c\x00\x3c\x00\x02id\x00\x03w/t\x00\x04gone"
    assert codec.connect("id", 60, ("w/t", b"gone", False))[9] == 0x0C


def test_connect_without_options_asks_for_a_persistent_session():
    assert codec.connect("id", 300, None) == b"\x10\x0e\x00\x04MQTT\x04\x00\x01\x2c\x00\x02id"


def test_connect_longer_than_127_bytes_has_a_length_of_two_bytes():
    packet = codec.connect("i" * 200, 60, None)
    assert packet[:3] == b"\x10\xd4\x01"
    assert len(packet) == 3 + 212


def test_subscribe_asks_for_qos_1():
    assert codec.subscribe(["a/#", "b"]) == b"\x82\x0c\x00\x01\x00\x03a/#\x01\x00\x01b\x01"


def test_publish_announces_the_payload_that_follows():
    assert codec.publish(b"a/b", 300, 0x1234, True) == b"\x33\xb3\x02\x00\x03a/b\x12\x34"
    assert codec.publish(b"a/b", 0, 0x1234, False) == b"\x32\x07\x00\x03a/b\x12\x34"


def test_puback_names_the_packet():
    assert codec.puback(0xABCD) == b"\x40\x02\xab\xcd"


def test_topic_that_cannot_be_published_to_is_refused():
    codec.check_topic(b"a/b")
    for topic in (b"", b"a/+", b"#", b"a\x00b"):
        try:
            codec.check_topic(topic)
        except ValueError:
            continue
        raise AssertionError(topic)


def test_every_packet_of_a_broker_is_decoded_whatever_the_pieces():
    data = b"".join([packet for packet, kind in GOOD])
    whole = decode(data)
    assert [event[0] for event in whole] == [kind for packet, kind in GOOD]
    assert whole[1] == (PUBLISH, 0x1234, b"a/b", b"rest")
    assert whole[2] == (PUBLISH, 0, b"a/b", b"")
    assert whole[4] == (SUBACK, 1, b"", b"\x00\x01\x01\x80")
    for step in range(1, 20):
        assert decode(data, step) == whole, step


def test_connack_tells_session_and_return_code():
    decoder = Decoder(SIZE)
    feed(decoder, b"\x20\x02\x01\x00\x20\x02\x00\x05")
    assert decoder.next() == CONNACK
    assert bytes(decoder.payload) == b"\x01\x00"
    assert decoder.next() == CONNACK
    assert bytes(decoder.payload) == b"\x00\x05"


def test_flags_of_a_message_are_kept():
    decoder = Decoder(SIZE)
    feed(decoder, b"\x3b\x07\x00\x01a\x00\x07xy")
    assert decoder.next() == PUBLISH
    assert decoder.first & codec.DUP
    assert decoder.first & codec.RETAIN


def test_malformed_packets_are_refused():
    for data in (
        b"\x00\x00",  # type 0
        b"\x10\x00",  # a client's packets
        b"\x82\x03\x00\x01\x01",
        b"\xc0\x00",
        b"\xe0\x00",
        b"\xf0\x00",  # type 15
        b"\x21\x02\x00\x00",  # flags where none are allowed
        b"\x42\x02\x00\x01",
        b"\x60\x02\x00\x01",  # PUBREL without its flags
        b"\x20\x01\x00",  # wrong lengths
        b"\x20\x03\x00\x00\x00",
        b"\x40\x03\x00\x01\x00",
        b"\x90\x02\x00\x01",
        b"\xd0\x01x",
        b"\x20\x02\x02\x00",  # CONNACK with reserved flags
        b"\x40\x02\x00\x00",  # packet identifier 0
        b"\x32\x05\x00\x01a\x00\x00",
        b"\x34\x05\x00\x01a\x00\x01",  # QoS 2, which is never asked for, and 3
        b"\x36\x05\x00\x01a\x00\x01",
        b"\x38\x03\x00\x01a",  # DUP with QoS 0
        b"\x30\xff\xff\xff\xff",  # endless length
        b"\x30\x80\x80\x80\x80\x01",
        b"\x30\x00",  # no topic, half a topic
        b"\x30\x01\x00",
        b"\x30\x04\x00\x03ab",
        b"\x32\x04\x00\x01a\x00",  # no room for the packet identifier
        b"\x30\x02\x00\x00",  # empty topic
        b"\x30\x03\x00\x01+",
        b"\x30\x05\x00\x03a/#",
        b"\x30\x03\x00\x01\x00",
        b"\x30\x03\x00\x01\xff",  # broken UTF-8
        b"\x30\x04\x00\x02a\xc3",
    ):
        assert kinds(data) == [MALFORMED], data
        for step in (1, 2, 3):
            assert [event[0] for event in decode(data, step)] == [MALFORMED], (data, step)


def test_nothing_is_decoded_after_a_malformed_packet_until_reset():
    decoder = Decoder(SIZE)
    feed(decoder, b"\x00\x00\xd0\x00")
    assert take(decoder) == MALFORMED
    assert take(decoder) == MALFORMED
    decoder.reset()
    assert decoder.next() == MORE
    feed(decoder, b"\xd0\x00")
    assert decoder.next() == PINGRESP


def test_a_message_of_exactly_the_buffer_is_taken():
    body = b"\x00\x01a" + b"x" * (SIZE - 5)
    data = b"\x30" + bytes([SIZE - 2]) + body
    assert len(data) == SIZE
    assert decode(data + b"\xd0\x00", 1) == [(PUBLISH, 0, b"a", b"x" * (SIZE - 5)), (PINGRESP, 0, b"", b"")]


def test_oversize_messages_are_drained_and_named_and_the_next_packet_is_found():
    body = b"\x00\x03a/b\x12\x34" + b"\xff" * 1000
    big = b"\x32" + bytes([len(body) & 0x7F | 0x80, len(body) >> 7]) + body
    body_0 = b"\x00\x03a/b" + b"\xff" * 1000
    big_0 = b"\x30" + bytes([len(body_0) & 0x7F | 0x80, len(body_0) >> 7]) + body_0
    data = b"\xd0\x00" + big + big_0 + big + b"\x40\x02\x00\x07"
    for step in (1, 2, 7, 100, SIZE):
        events = [(event[0], event[1]) for event in decode(data, step) if event[0] != PINGRESP]
        assert events == [(OVERSIZE, 0x1234), (OVERSIZE, 0), (OVERSIZE, 0x1234), (PUBACK, 7)], step


def test_oversize_topic_is_drained_too():
    body = b"\x01\xf4" + b"t" * 500 + b"\x00\x09" + b"x"
    data = b"\x32" + bytes([len(body) & 0x7F | 0x80, len(body) >> 7]) + body + b"\xd0\x00"
    for step in (1, 3, SIZE):
        assert decode(data, step)[0][:2] == (OVERSIZE, 9), step
        assert decode(data, step)[-1][0] == PINGRESP, step


def test_oversize_message_with_impossible_topic_is_malformed():
    for first, topic_size in ((0x30, 0), (0x30, 0xFFFF), (0x32, 1000), (0x32, 999)):
        data = bytes((first, 0xE8, 0x07, topic_size >> 8, topic_size & 0xFF)) + b"x" * 50
        assert kinds(data) == [MALFORMED], (first, topic_size)


def test_a_length_of_256_megabytes_takes_no_memory_and_ends():
    decoder = Decoder(SIZE)
    feed(decoder, b"\x30\xff\xff\xff\x7f\x00\x01a")
    assert decoder.next() == OVERSIZE
    assert decoder.next() == MORE
    assert len(decoder.space()) == SIZE
