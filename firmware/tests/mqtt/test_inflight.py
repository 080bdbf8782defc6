"""Packets in flight: order, identifiers, duplicates. Runs on CPython and MicroPython."""

from greenmast_fw.mqtt import codec
from greenmast_fw.mqtt.inflight import SUBSCRIBE_ID, InFlight


def test_packets_are_sent_in_the_order_in_which_they_were_added():
    table = InFlight(4)
    added = [table.add(b"t", memoryview(bytes([number])), False, 1) for number in range(4)]
    assert table.is_full()
    sent = []
    for _ in range(4):
        slot = table.next_unsent()
        slot.is_sent = True
        sent.append(slot.packet_id)
    assert table.next_unsent() is None
    assert sent == [slot.packet_id for slot in added]
    assert table.oldest() is added[0]


def test_order_is_kept_when_acknowledgements_are_not_in_order():
    table = InFlight(3)
    first = table.add(b"t", memoryview(b"1"), False, 1)
    second = table.add(b"t", memoryview(b"2"), False, 1)
    table.free(table.find(first.packet_id))
    third = table.add(b"t", memoryview(b"3"), False, 1)
    assert table.oldest() is second
    table.free(second)
    assert table.oldest() is third
    table.free(third)
    assert table.oldest() is None
    assert table.used == 0


def test_only_what_was_sent_becomes_a_duplicate():
    table = InFlight(3)
    sent = table.add(b"t", memoryview(b"1"), True, 1)
    sent.is_sent = True
    waiting = table.add(b"t", memoryview(b"2"), False, 1)
    table.resend()
    assert sent.first == 0x30 | codec.QOS1 | codec.RETAIN | codec.DUP
    assert waiting.first == 0x30 | codec.QOS1
    assert table.next_unsent() is sent


def test_a_reused_slot_is_no_duplicate():
    table = InFlight(1)
    slot = table.add(b"t", memoryview(b"1"), True, 1)
    slot.is_sent = True
    table.resend()
    table.free(slot)
    assert table.add(b"t", memoryview(b"2"), False, 1).first == 0x30 | codec.QOS1


def test_identifiers_wrap_and_skip_what_is_in_flight():
    table = InFlight(2)
    kept = table.add(b"t", memoryview(b"kept"), False, 1)
    for _ in range(65534):
        slot = table.add(b"t", memoryview(b""), False, 1)
        assert slot.packet_id not in (0, SUBSCRIBE_ID, kept.packet_id)
        table.free(slot)
    assert table.find(kept.packet_id) is kept


def test_qos_0_has_no_identifier():
    table = InFlight(2)
    slot = table.add(b"t", memoryview(b""), False, 0)
    assert (slot.first, slot.packet_id) == (0x30, 0)


def test_the_payload_is_let_go():
    table = InFlight(1)
    slot = table.add(b"t", memoryview(b"payload"), False, 1)
    table.free(slot)
    assert len(slot.payload) == 0
