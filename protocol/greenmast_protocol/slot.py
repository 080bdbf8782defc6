"""Two slots for one document: a write goes to the one that holds the older copy, so the newer survives.

A slot is `<number> <length> <CRC-32>\\n` and the document's bytes; the CRC is over number, length and bytes.
The greater number is the newer copy. Knows no file.
"""

import binascii

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

SUFFIXES = (".a", ".b")
HEAD = 27  # bytes


def head(number: int, pieces: "Iterable[bytes]") -> bytes:
    """What stands in a slot before the document, which is given in pieces."""
    numbers = b"%010d %06d " % (number, length(pieces))
    return numbers + b"%08X\n" % crc(numbers, pieces)


def length(pieces: "Iterable[bytes]") -> int:
    """Bytes of the document in these pieces."""
    total = 0
    for piece in pieces:
        total += len(piece)
    return total


def parse(data: bytes) -> "tuple[int, int, int] | None":
    """(number, length, CRC) of the head `data`; None when it is none."""
    try:
        return int(data[:10]), int(data[11:17]), int(data[18:26], 16)
    except ValueError:
        return None


def crc(head: bytes, pieces: "Iterable[bytes]") -> int:
    """The CRC that belongs into the head before these pieces."""
    value = binascii.crc32(head[:18])
    for piece in pieces:
        value = binascii.crc32(piece, value)
    return value & 0xFFFFFFFF


def pack(number: int, body: bytes) -> bytes:
    """What to write into a slot."""
    return head(number, (body,)) + body


def unpack(data: bytes) -> "tuple[int, bytes] | None":
    """(number, document) of a slot's content; None when it is not what was written."""
    told = parse(data[:HEAD])
    body = data[HEAD:]
    if told is None or told[1:] != (len(body), crc(data[:HEAD], (body,))):
        return None
    return told[0], bytes(body)
