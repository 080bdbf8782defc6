"""Reports and events as the rings hold them, and as JSON when they are sent.

A report is a stamp (wall time in s), the layout of the points beyond the table, and pairs of numbers: how far
the point lies behind the one before, and its value (0 stale, 1 invalid). A number takes seven bits a byte,
least first; the sign is its lowest bit. Points of the table are known by their places in it, which hold
across versions, as rows are only ever appended; those beyond it count from `_BEYOND` and are told only when
the site has the same devices as when they were stored. An event is a stamp, the uptime in s, its number in
this boot and what the core has said.
"""

import struct

from greenmast_protocol import points, quality, tele

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from greenmast_fw.core.decision import Event
    from greenmast_fw.core.snapshot import Image
    from greenmast_fw.storage.ring import Ring

    Buffer = bytearray | memoryview

# Flags of a record; thinning keeps those with the first.
FULL = 1
TRUSTED = 2
_BEYOND = 1_024
_REPORT, _EVENT = "<IH", "<II"  # stamp and layout; stamp and uptime
REPORT_HEAD, EVENT_HEAD = 6, 8


def put_report(
    out: "Buffer", stamp_s: int, layout_: int, news: "list[int]", values: "list[int | None]", codes: bytearray
) -> int:
    """Write a report of the points `news` (ascending); returns its length."""
    struct.pack_into(_REPORT, out, 0, stamp_s, layout_)
    at = REPORT_HEAD
    last = 0
    for i in news:
        place = i if i < points.COUNT else i - points.COUNT + _BEYOND
        at = _put(out, at, place - last)
        last = place
        value = values[i] if codes[i] == quality.GOOD else None
        if value is not None:
            at = _put(out, at, (2 * value if value >= 0 else -2 * value - 1) + 2)
        else:
            at = _put(out, at, 0 if codes[i] == quality.STALE else 1)
    return at


def report(ring: "Ring", image: "Image", layout_: int, lost: int) -> "list[bytes | bytearray]":
    """JSON of the report that `ring` has just read, in pieces: no room is sure for all of it in one."""
    stamp_s, its_layout = struct.unpack_from(_REPORT, ring.payload, 0)
    same = its_layout == layout_
    v_and_q = tele.members_of(_points(ring, image, same), _points(ring, image, same))
    return tele.build(
        ring.boot, ring.seq, stamp_s, ring.flags & TRUSTED > 0, ring.flags & FULL > 0, v_and_q, lost
    )


def _points(ring: "Ring", image: "Image", same: bool) -> "Iterator[tuple[str, int | None, int]]":
    """Name, value and quality code of each point; of those beyond the table with the `same` layout only."""
    data = ring.payload
    at, place = REPORT_HEAD, 0
    while at < ring.length:
        step, at = _get(data, at)
        value, at = _get(data, at)
        place += step
        i = place if place < _BEYOND else place - _BEYOND + points.COUNT
        if i < points.COUNT if place < _BEYOND else same:
            code = quality.GOOD if value > 1 else quality.OUT_OF_RANGE if value else quality.STALE
            yield image.name(i), _signed(value - 2), code


def put_event(out: "Buffer", stamp_s: int, uptime_s: int, number: int, event: "Event") -> int:
    """Write an event; returns its length."""
    struct.pack_into(_EVENT, out, 0, stamp_s, uptime_s)
    at = _put(out, EVENT_HEAD, number)
    for value in event:
        at = _put(out, at, 2 * value if value >= 0 else -2 * value - 1)
    return at


def event(ring: "Ring") -> str:
    """JSON of the event that `ring` has just read."""
    data = ring.payload
    stamp_s, uptime_s = struct.unpack_from(_EVENT, data, 0)
    number, at = _get(data, EVENT_HEAD)
    values = []
    while at < ring.length:
        value, at = _get(data, at)
        values.append(str(_signed(value)))
    return '{"seq":%d,"n":%d,"ts":%d,"trusted":%s,"up":%d,"event":[%s]}' % (
        ring.seq,
        number,
        stamp_s,
        "true" if ring.flags & TRUSTED else "false",
        uptime_s,
        ",".join(values),
    )


def _put(out: "Buffer", at: int, value: int) -> int:
    while value > 0x7F:
        out[at] = value & 0x7F | 0x80
        value >>= 7
        at += 1
    out[at] = value
    return at + 1


def _get(data: "Buffer", at: int) -> "tuple[int, int]":
    value = shift = 0
    while data[at] & 0x80:
        value |= (data[at] & 0x7F) << shift
        shift += 7
        at += 1
    return value | data[at] << shift, at + 1


def _signed(value: int) -> int:
    return -(value + 1 >> 1) if value & 1 else value >> 1
