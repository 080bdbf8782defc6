"""A document on its way to the board, piece by piece, in a file: RAM need not hold it until it is whole.

Owns the file, no meaning: who uses the document has to check its CRC.
"""

import os

from greenmast_fw.storage import files

_PATH = "staged"


def put(offset: int, data: bytes) -> int:
    """Take the piece at `offset`; returns where the next one belongs. Raises OSError.

    A piece at 0 begins anew. One that is there already changes nothing, one that contradicts what is there
    asks for another beginning, one that leaves a gap for what is missing.
    """
    size = length()
    if offset and offset != size:
        return size if offset > size or _is_there(offset, data) else 0
    with open(_PATH, "ab" if offset else "wb") as f:
        f.write(data)
    return offset + len(data)


def length() -> int:
    """How many bytes there are."""
    try:
        return int(os.stat(_PATH)[6])
    except OSError:
        return 0


def pieces() -> files.Pieces:
    """All of it so far. Going through it raises OSError when there is nothing."""
    return files.Pieces(_PATH)


def discard() -> None:
    """Nothing is on its way any more."""
    try:
        os.remove(_PATH)
    except OSError:
        pass


def _is_there(offset: int, data: bytes) -> bool:
    with open(_PATH, "rb") as f:
        f.seek(offset)
        return f.read(len(data)) == data
