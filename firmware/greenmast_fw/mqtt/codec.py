"""MQTT 3.1.1 packets to bytes and back, without input or output.

Owns the wire format, both ways, and the judgement of what a broker may send. It must not know sockets, time,
tasks or what a topic means.

`Decoder` holds one buffer of fixed size. Received bytes are read into `space()`, announced by raising `end`,
and `next()` names the packets one by one. A PUBLISH larger than the buffer is drained, not stored, however
long it is; its packet identifier is reported so that it can be acknowledged. There is no way to find the next
packet after a malformed one: `next()` then raises ValueError until `reset()`; the connection must be closed.
"""

MORE = 0  # no whole packet yet
CONNACK = 2
PUBLISH = 3
PUBACK = 4
SUBACK = 9
PINGRESP = 13
OVERSIZE = 16  # a PUBLISH that does not fit; its packet_id is valid, topic and payload are not

PINGREQ = b"\xc0\x00"
RETAIN = 0x01
QOS1 = 0x02
DUP = 0x08
SUBSCRIBE_ID = 1  # never given to a PUBLISH, so that one number never means two things

# What may come from a broker apart from PUBLISH. 0x50, 0x62, 0x70 and 0xB0 answer packets that this client
# never sends; in form they are legal.
_FIRSTS = b"\x20\x40\x50\x62\x70\x90\xb0\xd0"


def check_topic(topic: bytes) -> None:
    """Raise ValueError for the name of a topic that is empty or has a wildcard or NUL in it."""
    if not topic or b"+" in topic or b"#" in topic or b"\x00" in topic:
        raise ValueError("topic")


def connect(client_id: str, keepalive_s: int, will: "tuple[str, bytes, bool] | None") -> bytearray:
    """CONNECT for a persistent session; `will` is (topic, payload, retain) and is sent with QoS 1."""
    flags = 0
    body = _field(client_id.encode())
    if will is not None:
        topic = will[0].encode()
        check_topic(topic)
        flags = 0x2C if will[2] else 0x0C
        body += _field(topic) + _field(will[1])
    return _packet(0x10, b"\x00\x04MQTT\x04" + bytes((flags,)) + _u16(keepalive_s) + body, 0)


def subscribe(topics: "tuple[str, ...] | list[str]") -> bytearray:
    """SUBSCRIBE to all `topics` with QoS 1."""
    body = _u16(SUBSCRIBE_ID)
    for topic in topics:
        body += _field(topic.encode()) + b"\x01"
    return _packet(0x82, body, 0)


def publish(topic: bytes, payload_size: int, packet_id: int, retain: bool) -> bytearray:
    """A PUBLISH with QoS 1 up to its payload."""
    return _packet(0x30 | QOS1 | retain, _field(topic) + _u16(packet_id), payload_size)


def puback(packet_id: int) -> bytes:
    """PUBACK."""
    return b"\x40\x02" + _u16(packet_id)


def _u16(value: int) -> bytes:
    return bytes((value >> 8, value & 0xFF))


def _field(data: bytes) -> bytes:
    return _u16(len(data)) + data


def _packet(first: int, body: bytes, payload_size: int) -> bytearray:
    packet = bytearray((first,))
    length = len(body) + payload_size
    while length > 0x7F:
        packet.append(length & 0x7F | 0x80)
        length >>= 7
    packet.append(length)
    packet.extend(body)
    return packet


class Decoder:
    """Incremental decoder of what a broker sends.

    After `next()` returned a packet type, these describe the packet until the next call: `first` (fixed
    header byte), `packet_id` (PUBLISH, 0 for QoS 0, and acknowledgements), `topic` (bytes), `payload`
    (memoryview into the buffer; of other packets than PUBLISH the whole body). `end`: bytes in the buffer.
    """

    def __init__(self, size: int) -> None:
        """`size`: bytes of the largest packet that is taken, at least 128."""
        self._view = memoryview(bytearray(size))
        self.first = self.packet_id = 0
        self.topic = b""
        self.payload = self._view
        self.reset()

    def reset(self) -> None:
        """Forget everything received: a new connection begins."""
        self._start = self.end = 0
        self._skip = 0  # bytes still to be dropped
        self._rest = -1  # >= 0: the packet identifier of an oversize PUBLISH comes next, then so many to drop

    def space(self) -> memoryview:
        """Where to put received bytes; never empty once `next()` has answered MORE."""
        self.end -= self._start
        self._view[: self.end] = self._view[self._start : self._start + self.end]
        self._start = 0
        return self._view[self.end :]

    def next(self) -> int:
        """Type of the next whole packet (CONNACK .. PINGRESP, 5, 6, 7, 11), MORE or OVERSIZE. ValueError."""
        dropped = min(self._skip, self.end - self._start)
        self._start += dropped
        self._skip -= dropped
        if self._skip:
            return MORE
        start = at = self._start
        if self._rest >= 0:
            if at + 2 > self.end:
                return MORE
            self.packet_id = self._number(at)
            self._start = at + 2
            self._skip = self._rest
            self._rest = -1
            return OVERSIZE
        length = shift = 0
        byte = 0x80
        while byte & 0x80:
            at += 1
            if shift > 21:
                raise ValueError("length")
            if at >= self.end:
                return MORE
            byte = self._view[at]
            length |= (byte & 0x7F) << shift
            shift += 7
        at += 1
        first = self.first = self._view[start]
        end = at + length
        if first >> 4 == PUBLISH:
            return self._publish(at, end, end - start > len(self._view))
        least = 0 if first == 0xD0 else 2 + (first == 0x90)
        if first not in _FIRSTS or length < least or (length > least and first != 0x90) or length > 66:
            raise ValueError("packet")
        if end > self.end:
            return MORE
        self.payload = self._view[at:end]
        if first == 0x20:
            if self._view[at] > 1:
                raise ValueError("CONNACK")
        elif length:
            self.packet_id = self._number(at)
        self._start = end
        return first >> 4

    def _publish(self, at: int, end: int, is_oversize: bool) -> int:
        with_id = self.first & QOS1
        if self.first & 0x04 or (self.first & DUP and not with_id) or end < at + 3:
            raise ValueError("PUBLISH")
        if at + 2 > self.end:
            return MORE
        topic_end = at + 2 + self._number(at)
        if topic_end + with_id > end:
            raise ValueError("PUBLISH")
        if is_oversize:
            self._start = at
            if with_id:
                self._skip = topic_end - at
                self._rest = end - topic_end - 2
                return self.next()
            self._skip = end - at
            self.packet_id = 0
            return OVERSIZE
        if end > self.end:
            return MORE
        topic = bytes(self._view[at + 2 : topic_end])
        check_topic(topic)
        str(topic, "utf-8")  # raises ValueError when it is none
        self.packet_id = self._number(topic_end) if with_id else 0
        self.topic = topic
        self.payload = self._view[topic_end + with_id : end]
        self._start = end
        return PUBLISH

    def _number(self, at: int) -> int:
        """A packet identifier, or the length of a topic: never 0."""
        number = self._view[at] << 8 | self._view[at + 1]
        if not number:
            raise ValueError("0")
        return number
