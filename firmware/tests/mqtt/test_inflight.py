"""Packets in flight: order, identifiers, duplicates. Runs on CPython and MicroPython."""

from greenmast_fw.mqtt import codec
from greenmast_fw.mqtt.inflight import HEAD, ID, PIECES, InFlight


def add(table, payload, retain=False):
    table.add(b"t", [payload], retain)
    return table.packets[-1]


def payloads(table):
    return [b"".join(packet[PIECES]) for packet in table.packets]


def test_packets_keep_the_order_in_which_they_were_added():
    table = InFlight()
    for payload in (b"1", b"2", b"3"):
        add(table, payload)
    assert payloads(table) == [b"1", b"2", b"3"]


def test_order_is_kept_when_acknowledgements_are_not_in_order():
    table = InFlight()
    first, second, third = [add(table, payload) for payload in (b"1", b"2", b"3")]
    table.sent = 3
    assert table.acknowledge(second[ID])
    add(table, b"4")
    assert payloads(table) == [b"1", b"3", b"4"]
    assert table.sent == 2
    assert table.acknowledge(first[ID])
    assert table.acknowledge(third[ID])
    assert payloads(table) == [b"4"]
    assert table.sent == 0


def test_only_what_was_sent_can_be_acknowledged():
    table = InFlight()
    first = add(table, b"1")
    second = add(table, b"2")
    table.sent = 1
    assert not table.acknowledge(second[ID])
    assert not table.acknowledge(second[ID] + 1)
    assert not table.acknowledge(0)
    assert table.acknowledge(first[ID])
    assert not table.acknowledge(first[ID])
    assert payloads(table) == [b"2"]


def test_only_what_was_sent_becomes_a_duplicate():
    table = InFlight()
    sent = add(table, b"1", True)
    waiting = add(table, b"2")
    table.sent = 1
    table.resend()
    assert sent[HEAD][0] == 0x30 | codec.QOS1 | codec.RETAIN | codec.DUP
    assert waiting[HEAD][0] == 0x30 | codec.QOS1
    assert table.sent == 0
    assert payloads(table) == [b"1", b"2"]


def test_the_head_carries_topic_identifier_and_the_length_with_the_payload():
    packet = add(InFlight(), b"payload")
    assert packet[HEAD] == b"\x32\x0c\x00\x01t" + bytes((packet[ID] >> 8, packet[ID] & 0xFF))


def test_identifiers_wrap_and_skip_what_is_in_flight():
    table = InFlight()
    kept = add(table, b"kept")
    table.sent = 2
    for _ in range(65534):
        packet_id = add(table, b"")[ID]
        assert packet_id not in (0, codec.SUBSCRIBE_ID, kept[ID])
        assert table.acknowledge(packet_id)
        table.sent = 2
    assert payloads(table) == [b"kept"]
