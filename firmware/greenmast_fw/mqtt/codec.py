"""MQTT 3.1.1 packets to bytes and back, without input or output.

Owns the wire format, both ways, and the judgement of what a broker may send. It must not know sockets, time,
tasks or what a topic means.

`Decoder` holds one buffer of fixed size. Received bytes are read into `space()`, announced with `filled()`,
and `next()` names the packets one by one. A PUBLISH larger than the buffer is drained, not stored, however
long it is; its packet identifier is reported so that it can be acknowledged. There is no way to find the next
packet after a malformed one: `next()` then answers MALFORMED until `reset()`; the connection must be closed.
"""

CONNACK = 2
PUBLISH = 3
PUBACK = 4
SUBACK = 9
PINGRESP = 13
MORE = 0  # no whole packet yet
OVERSIZE = 16  # a PUBLISH that does not fit; its packet_id is valid, topic and payload are not
MALFORMED = 17

PINGREQ = b"\xc0\x00"
RETAIN = 0x01
DUP = 0x08
QOS1 = 0x02
HEAD_SIZE = 9  # `publish_head_into` writes the topic and at most so many bytes more
_QOS_MASK = 0x06

# What may come from a broker apart from PUBLISH: first byte -> remaining length. 0x50, 0x62, 0x70 and 0xB0
# answer packets that this client never sends; in form they are legal.
_LENGTHS = {0x20: 2, 0x40: 2, 0x50: 2, 0x62: 2, 0x70: 2, 0x90: 3, 0xB0: 2, 0xD0: 0}
_LONGEST_SUBACK = 66


def _is_bad_topic(topic: bytes) -> bool:
    return not topic or len(topic) > 65535 or b"+" in topic or b"#" in topic or b"\x00" in topic


def _field(value: bytes | str) -> bytes:
    """A string or binary field with its length in front. Raises ValueError above 65,535 bytes."""
    data = value.encode() if isinstance(value, str) else value
    if len(data) > 65535:
        raise ValueError("MQTT field too long")
    return bytes((len(data) >> 8, len(data) & 0xFF)) + data


def _packet(first: int, body: bytes) -> bytes:
    head = bytearray(5)
    head[0] = first
    end = _put_length(head, 1, len(body))
    return bytes(head[:end]) + body


def _put_length(buffer: bytearray, at: int, length: int) -> int:
    while length > 0x7F:
        buffer[at] = length & 0x7F | 0x80
        length >>= 7
        at += 1
    buffer[at] = length
    return at + 1


def connect(
    client_id: str,
    keepalive_s: int,
    user: str | None,
    password: "bytes | str | None",
    will: "tuple[str, bytes, bool] | None",
) -> bytes:
    """CONNECT for a persistent session; `will` is (topic, payload, retain) and is sent with QoS 1."""
    flags = 0
    body = _field(client_id)
    if will is not None:
        topic, payload, retain = will
        if _is_bad_topic(topic.encode()):
            raise ValueError("will topic")
        flags |= 0x2C if retain else 0x0C
        body += _field(topic) + _field(payload)
    if user is not None:
        flags |= 0x80
        body += _field(user)
        if password is not None:
            flags |= 0x40
            body += _field(password)
    head = b"\x00\x04MQTT\x04" + bytes((flags, keepalive_s >> 8 & 0xFF, keepalive_s & 0xFF))
    return _packet(0x10, head + body)


def subscribe(packet_id: int, topics: "tuple[str, ...] | list[str]") -> bytes:
    """SUBSCRIBE to all `topics` with QoS 1."""
    body = bytes((packet_id >> 8, packet_id & 0xFF))
    for topic in topics:
        body += _field(topic) + b"\x01"
    return _packet(0x82, body)


def topic_name(topic: str) -> bytes:
    """The bytes of a topic to publish to. ValueError when it is empty, too long or has a wildcard or NUL."""
    name = topic.encode()
    if _is_bad_topic(name):
        raise ValueError("topic name")
    return name


def publish_head_into(
    buffer: bytearray, at: int, first: int, topic: bytes, payload_size: int, packet_id: int
) -> int:
    """Write a PUBLISH up to its payload, return the end. `first`: 0x30 with RETAIN, QOS1, DUP or not."""
    length = len(topic)
    buffer[at] = first
    at = _put_length(buffer, at + 1, 2 + length + (2 if first & _QOS_MASK else 0) + payload_size)
    buffer[at] = length >> 8
    buffer[at + 1] = length & 0xFF
    at += 2
    buffer[at : at + length] = topic
    at += length
    if first & _QOS_MASK:
        buffer[at] = packet_id >> 8
        buffer[at + 1] = packet_id & 0xFF
        at += 2
    return at


def puback_into(buffer: bytearray, at: int, packet_id: int) -> int:
    """Write a PUBACK of 4 bytes, return where it ends."""
    buffer[at] = 0x40
    buffer[at + 1] = 2
    buffer[at + 2] = packet_id >> 8
    buffer[at + 3] = packet_id & 0xFF
    return at + 4


class Decoder:
    """Incremental decoder of what a broker sends.

    After `next()` returned a packet type, these describe the packet until the next call: `first` (fixed
    header byte), `packet_id` (PUBLISH, 0 for QoS 0, and acknowledgements), `topic` (bytes), `payload`
    (memoryview into the buffer: PUBLISH, and the return codes of SUBACK), `code` and `session_present`
    (CONNACK).
    """

    def __init__(self, size: int) -> None:
        """`size`: bytes of the largest packet that is taken, at least 128."""
        self._buffer = bytearray(size)
        self._view = memoryview(self._buffer)
        self.reset()

    def reset(self) -> None:
        """Forget everything received: a new connection begins."""
        self._start = 0
        self._end = 0
        self._skip = 0  # bytes still to be dropped
        self._rest = (
            -1
        )  # >= 0: an oversize PUBLISH's packet identifier comes next, then so many bytes to drop
        self._malformed = False
        self.first = 0
        self.packet_id = 0
        self.topic = b""
        self.payload = self._view[:0]
        self.code = 0
        self.session_present = False

    def space(self) -> memoryview:
        """Where to put received bytes; never empty once `next()` has answered MORE."""
        if self._start:
            kept = self._end - self._start
            self._view[:kept] = self._view[self._start : self._end]
            self._start = 0
            self._end = kept
        return self._view[self._end :]

    def filled(self, count: int) -> None:
        """`count` bytes were put at the start of `space()`."""
        self._end += count

    def next(self) -> int:
        """The type of the next whole packet (CONNACK .. PINGRESP, 5, 6, 7, 11), MORE, OVERSIZE, MALFORMED."""
        if self._malformed:
            return MALFORMED
        kind = self._parse()
        self._malformed = kind == MALFORMED
        return kind

    def _parse(self) -> int:
        if self._skip:
            dropped = min(self._skip, self._end - self._start)
            self._start += dropped
            self._skip -= dropped
            if self._skip:
                return MORE
        if self._rest >= 0:
            return self._oversize_id()
        buffer = self._buffer
        start = at = self._start
        length = 0
        shift = 0
        byte = 0x80
        while byte & 0x80:
            at += 1
            if shift > 21:
                return MALFORMED
            if at >= self._end:
                return MORE
            byte = buffer[at]
            length |= (byte & 0x7F) << shift
            shift += 7
        at += 1
        first = self.first = buffer[start]
        kind = first >> 4
        if kind == PUBLISH:
            if first & 0x04 or first & (DUP | QOS1) == DUP:
                return MALFORMED
        else:
            expected = _LENGTHS.get(first, -1)
            if length != expected and not (kind == SUBACK and expected < length <= _LONGEST_SUBACK):
                return MALFORMED
        if at + length - start > len(buffer):
            return self._oversize(at, length)
        if at + length > self._end:
            return MORE
        self._start = at + length
        if kind == PUBLISH:
            return self._publish(at, at + length)
        return self._acknowledgement(kind, at, at + length)

    def _u16(self, at: int) -> int:
        return self._buffer[at] << 8 | self._buffer[at + 1]

    def _acknowledgement(self, kind: int, at: int, end: int) -> int:
        if kind == PINGRESP:
            return kind
        if kind == CONNACK:
            flags = self._buffer[at]
            self.code = self._buffer[at + 1]
            self.session_present = flags == 1
            return MALFORMED if flags > 1 or self.code > 5 or (flags and self.code) else kind
        self.packet_id = self._u16(at)
        self.payload = self._view[at + 2 : end]
        return kind if self.packet_id else MALFORMED

    def _publish(self, at: int, end: int) -> int:
        with_id = 2 if self.first & QOS1 else 0
        if at + 2 > end:
            return MALFORMED
        topic_end = at + 2 + self._u16(at)
        if topic_end + with_id > end:
            return MALFORMED
        topic = bytes(self._view[at + 2 : topic_end])
        if _is_bad_topic(topic):
            return MALFORMED
        try:
            str(topic, "utf-8")
        except ValueError:
            return MALFORMED
        self.topic = topic
        self.packet_id = self._u16(topic_end) if with_id else 0
        self.payload = self._view[topic_end + with_id : end]
        return MALFORMED if with_id and not self.packet_id else PUBLISH

    def _oversize(self, at: int, length: int) -> int:
        if at + 2 > self._end:
            return MORE
        with_id = 2 if self.first & QOS1 else 0
        head = 2 + self._u16(at) + with_id
        if head == 2 + with_id or head > length:
            return MALFORMED
        self._start = at
        if with_id:
            self._skip = head - 2
            self._rest = length - head
            return self._parse()
        self._skip = length
        self.packet_id = 0
        return OVERSIZE

    def _oversize_id(self) -> int:
        if self._end - self._start < 2:
            return MORE
        self.packet_id = self._u16(self._start)
        self._start += 2
        self._skip = self._rest
        self._rest = -1
        return OVERSIZE if self.packet_id else MALFORMED
