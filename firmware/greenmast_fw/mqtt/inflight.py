"""The packets in flight: queued, or sent and not yet acknowledged.

Owns their order, their packet identifiers and what is sent again after a reconnection. It must not know
sockets, tasks or time limits.
"""

from greenmast_fw.mqtt import codec

TYPE_CHECKING = False
if TYPE_CHECKING:
    import typing

# Fields of a packet.
ID = 0
HEAD = 1  # of the PUBLISH, up to its payload
PIECES = 2  # of the payload, kept by reference
SENT_MS = 3


class InFlight:
    """`packets`, oldest first; the first `sent` of them are sent and wait for their PUBACK.

    `size`: bytes of their payloads.
    """

    def __init__(self) -> None:
        self.packets: "list[list[typing.Any]]" = []
        self.sent = self.size = 0
        self._last_id = codec.SUBSCRIBE_ID

    def add(self, topic: bytes, pieces: "list[typing.Any]", retain: bool) -> None:
        """Queue a packet. `pieces` of its payload: bytes of any kind."""
        packet_id = 0
        while packet_id <= codec.SUBSCRIBE_ID or self._find(packet_id) >= 0:
            packet_id = self._last_id = self._last_id + 1 & 0xFFFF
        length = sum([len(piece) for piece in pieces])
        self.size += length
        self.packets.append([packet_id, codec.publish(topic, length, packet_id, retain), pieces, 0])

    def acknowledge(self, packet_id: int) -> bool:
        """Let a packet go. False when none with this identifier waits for it."""
        index = self._find(packet_id)
        if not 0 <= index < self.sent:
            return False
        self.size -= sum([len(piece) for piece in self.packets.pop(index)[PIECES]])
        self.sent -= 1
        return True

    def resend(self) -> None:
        """A new connection begins: what was sent is sent again, as a duplicate. Only here is DUP set."""
        while self.sent:
            self.sent -= 1
            self.packets[self.sent][HEAD][0] |= codec.DUP

    def _find(self, packet_id: int) -> int:
        for index in range(len(self.packets)):
            if self.packets[index][ID] == packet_id:
                return index
        return -1
