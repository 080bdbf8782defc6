"""The packets in flight: queued, or sent and not yet acknowledged.

Owns their order, their packet identifiers and what is sent again after a reconnection. It must not know
sockets, tasks or time limits.
"""

from greenmast_fw.mqtt import codec

SUBSCRIBE_ID = 1  # never given to a PUBLISH, so that one number never means two things
_EMPTY = memoryview(b"")


class Slot:
    """One PUBLISH. The payload is kept by reference."""

    def __init__(self) -> None:
        self.packet_id = 0  # 0: QoS 0
        self.first = 0  # fixed header byte
        self.topic = b""
        self.payload = _EMPTY
        self.is_sent = False
        self.sent_ms = 0


class InFlight:
    """A table of fixed size, oldest packet first."""

    def __init__(self, capacity: int) -> None:
        self._slots = [Slot() for _ in range(capacity)]
        self._last_id = SUBSCRIBE_ID
        self.used = 0

    def is_full(self) -> bool:
        """True when `add` is not allowed."""
        return self.used == len(self._slots)

    def add(self, topic: bytes, payload: memoryview, retain: bool, qos: int) -> Slot:
        """Queue a packet. The table must not be full."""
        slot = self._slots[self.used]
        slot.first = 0x30 | (codec.QOS1 if qos else 0) | (codec.RETAIN if retain else 0)
        slot.packet_id = self._new_id() if qos else 0
        slot.topic = topic
        slot.payload = payload
        slot.is_sent = False
        self.used += 1
        return slot

    def find(self, packet_id: int) -> Slot | None:
        """The packet with this identifier."""
        for index in range(self.used):
            if self._slots[index].packet_id == packet_id:
                return self._slots[index]
        return None

    def next_unsent(self) -> Slot | None:
        """The packet to be sent next."""
        for index in range(self.used):
            if not self._slots[index].is_sent:
                return self._slots[index]
        return None

    def oldest(self) -> Slot | None:
        """The packet that has waited longest."""
        return self._slots[0] if self.used else None

    def free(self, slot: Slot) -> None:
        """This packet needs nothing more: it is acknowledged, or sent with QoS 0."""
        self._slots.remove(slot)
        self._slots.append(slot)
        slot.payload = _EMPTY
        self.used -= 1

    def resend(self) -> None:
        """A new connection begins: what was sent is sent again, as a duplicate. Only here is DUP set."""
        for index in range(self.used):
            slot = self._slots[index]
            if slot.is_sent:
                slot.is_sent = False
                slot.first |= codec.DUP

    def _new_id(self) -> int:
        while True:
            self._last_id = self._last_id + 1 if self._last_id < 65535 else SUBSCRIBE_ID + 1
            if self.find(self._last_id) is None:
                return self._last_id
