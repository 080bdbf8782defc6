"""A configuration on its way to the board, piece by piece, in a file: RAM need not hold it, not even once.

The file is a slot (`greenmast_protocol.slot`) from the first piece on: whole or not, its head tells. Owns the
file, no meaning.
"""

import os

from greenmast_fw.storage import files
from greenmast_protocol import slot

PATH = "staged"


def put(offset: int, data: bytes, total: int, crc: int) -> int:
    """Take the piece at `offset`; returns where the next one belongs. Raises OSError.

    `total`, `crc`: length and CRC-32 of the whole. A piece at 0 begins anew. One that is there already
    changes nothing, one that contradicts what is there asks for another beginning, one that leaves a gap for
    what is missing.
    """
    size = length()
    if offset and offset != size:
        return size if offset > size or _is_there(offset, data) else 0
    head = b"" if offset else slot.head_of(files.next_number(files.CONFIG), total, crc)
    with open(PATH, "ab" if offset else "wb") as f:
        f.write(head)
        f.write(data)
    return offset + len(data)


def length() -> int:
    """How many bytes of the document there are."""
    try:
        return max(int(os.stat(PATH)[6]) - slot.HEAD, 0)
    except OSError:
        return 0


def is_whole() -> bool:
    """Whether it is there as it was announced, and could be the next configuration."""
    return files.is_next(files.CONFIG, PATH)


def pieces() -> files.Pieces:
    """All of it so far. Going through it raises OSError when there is nothing."""
    return files.Pieces(PATH, slot.HEAD)


def _is_there(offset: int, data: bytes) -> bool:
    with open(PATH, "rb") as f:
        f.seek(slot.HEAD + offset)
        return f.read(len(data)) == data
