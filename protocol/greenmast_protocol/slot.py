"""Two slots for one document: a write goes to the one that holds the older copy, so the newer survives.

A slot is `<number> <length> <CRC-32>\\n` and the document's bytes; the CRC is over bytes, number and length.
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
    return head_of(number, length(pieces), checksum(pieces))


def head_of(number: int, length_: int, checksum_: int) -> bytes:
    """What stands before a document of this length and CRC-32, which need not be there yet."""
    numbers = b"%010d %06d " % (number, length_)
    return numbers + b"%08X\n" % (binascii.crc32(numbers, checksum_) & 0xFFFFFFFF)


def checksum(pieces: "Iterable[bytes]") -> int:
    """CRC-32 of the document in these pieces."""
    value = 0
    for piece in pieces:
        value = binascii.crc32(piece, value)
    return value & 0xFFFFFFFF


def length(pieces: "Iterable[bytes]") -> int:
    """Bytes of the document in these pieces."""
    total = 0
    for piece in pieces:
        total += len(piece)
    return total


def parse(data: bytes) -> "tuple[int, int] | None":
    """(number, length) of the head `data`; None when it is none."""
    try:
        return int(data[:10]), int(data[11:17])
    except ValueError:
        return None


def pack(number: int, body: bytes) -> bytes:
    """What to write into a slot."""
    return head(number, (body,)) + body


def unpack(data: bytes) -> "tuple[int, bytes] | None":
    """(number, document) of a slot's content; None when it is not what was written."""
    told = parse(data[:HEAD])
    body = data[HEAD:]
    if told is None or data[:HEAD] != head(told[0], (body,)):
        return None
    return told[0], bytes(body)
