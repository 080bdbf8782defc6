"""Two slots for one document: a write goes to the one that holds the older copy, so the newer survives.

A slot is `<number> <length> <CRC-32>\\n` and the document's bytes; the CRC is over number, length and bytes.
The greater number is the newer copy. Knows no file.
"""

import binascii

SUFFIXES = (".a", ".b")
_HEAD = 28


def pack(number: int, body: bytes) -> bytes:
    """What to write into a slot."""
    head = b"%010d %06d " % (number, len(body))
    return head + b"%08X\n" % _crc(head, body) + body


def unpack(data: bytes) -> "tuple[int, bytes] | None":
    """(number, document) of a slot's content; None when it is not what was written."""
    head = data[:18]
    body = data[_HEAD - 1 :]
    try:
        number, length = int(head[:10]), int(head[11:17])
        if length != len(body) or int(data[18:26], 16) != _crc(head, body):
            return None
    except ValueError:
        return None
    return number, bytes(body)


def _crc(head: bytes, body: bytes) -> int:
    return binascii.crc32(body, binascii.crc32(head)) & 0xFFFFFFFF
