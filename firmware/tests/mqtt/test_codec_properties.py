"""The MQTT codec against generated traffic."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from greenmast_fw.mqtt import codec
from greenmast_fw.mqtt.codec import MORE, OVERSIZE, PUBLISH, Decoder

MALFORMED = -1  # stands for the ValueError

topics = st.text(st.characters(codec="utf-8", exclude_characters="+#\x00"), min_size=1, max_size=40)
messages = st.tuples(topics, st.binary(max_size=400), st.integers(1, 65535), st.booleans(), st.booleans())
Message = tuple[str, bytes, int, bool, bool]


def encode(topic: str, payload: bytes, packet_id: int, retain: bool, without_id: bool) -> bytes:
    """A PUBLISH, with QoS 0 when it is `without_id`."""
    name = topic.encode()
    codec.check_topic(name)
    packet = codec.publish(name, len(payload) - 2 * without_id, packet_id, retain)
    if without_id:
        packet[0] &= ~codec.QOS1
        del packet[-2:]
    return bytes(packet) + payload


def events(decoder: Decoder, data: bytes, sizes: list[int]) -> list[tuple[int, int, bytes, bytes, int]]:
    """Everything the decoder says when `data` comes in pieces of `sizes`, over and over."""
    found = []
    at = turn = 0
    while at < len(data):
        space = decoder.space()
        assert len(space) > 0
        piece = data[at : at + min(sizes[turn % len(sizes)], len(space))]
        space[: len(piece)] = piece
        decoder.end += len(piece)
        at += len(piece)
        turn += 1
        try:
            while (kind := decoder.next()) != MORE:
                topic, payload = (decoder.topic, decoder.payload) if kind == PUBLISH else (b"", b"")
                found.append((kind, decoder.packet_id, topic, bytes(payload), decoder.first))
        except ValueError:
            return [*found, (MALFORMED, 0, b"", b"", 0)]
    return found


@given(st.lists(messages, max_size=8), st.lists(st.integers(1, 300), min_size=1, max_size=5))
def test_what_is_encoded_is_decoded_and_what_does_not_fit_is_skipped(
    sent: list[Message], sizes: list[int]
) -> None:
    size = 256
    packets = [encode(*message) for message in sent]
    found = events(Decoder(size), b"".join(packets), sizes)
    assert [kind for kind, *_ in found] == [
        PUBLISH if len(packet) <= size else OVERSIZE for packet in packets
    ]
    for (kind, packet_id, topic, payload, first), message in zip(found, sent, strict=True):
        name, body, number, retain, without_id = message
        assert packet_id == (0 if without_id else number)
        if kind == PUBLISH:
            assert (topic, payload, bool(first & codec.RETAIN)) == (name.encode(), body, retain)


@given(st.binary(max_size=600), st.lists(st.integers(1, 50), min_size=1, max_size=5))
def test_any_bytes_give_the_same_events_whatever_the_pieces(data: bytes, sizes: list[int]) -> None:
    assert events(Decoder(128), data, sizes) == events(Decoder(128), data, [128])


@given(st.integers(0, 255), st.binary(max_size=300))
def test_any_first_byte_is_judged_without_raising(first: int, rest: bytes) -> None:
    found = events(Decoder(128), bytes((first,)) + rest, [300])
    assert all(kind in (2, 3, 4, 5, 6, 7, 9, 11, 13, OVERSIZE, MALFORMED) for kind, *_ in found)
