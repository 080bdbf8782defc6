"""`esp32.Partition` on files: NOR flash of the virtual board.

`GREENMAST_PARTITIONS` names the raw ones, `label=path` separated by colons.
"""

import os

_BLOCK_SIZE = 4096
_BLANK = b"\xff" * 64
_piece = memoryview(bytearray(64))
_GET_BLOCK_COUNT, _GET_BLOCK_SIZE, _ERASE = 4, 5, 6


class Partition:
    """What is written is there for the next boot, however this process ends."""

    TYPE_DATA = 1

    def __init__(self, path):
        self._file = open(path, "r+b", 0)
        self._blocks = self._file.seek(0, 2) // _BLOCK_SIZE

    @staticmethod
    def find(type, label=None):
        for entry in (os.getenv("GREENMAST_PARTITIONS") or "").split(":"):
            name, _, path = entry.partition("=")
            if name and name == label:
                return [Partition(path)]
        return []

    def readblocks(self, block, buf, offset=0):
        self._file.seek(block * _BLOCK_SIZE + offset)
        self._file.readinto(buf)

    def writeblocks(self, block, buf, offset=0):
        at = block * _BLOCK_SIZE + offset
        for start in range(0, len(buf), len(_piece)):  # in pieces: a chip needs no heap for it
            held = _piece[: len(buf) - start]
            self._file.seek(at + start)
            self._file.readinto(held)
            for i in range(len(held)):
                held[i] &= buf[start + i]  # programming clears bits, nothing else
            self._file.seek(at + start)
            self._file.write(held)

    def ioctl(self, request, argument):
        if request == _ERASE:
            self._file.seek(argument * _BLOCK_SIZE)
            for _ in range(_BLOCK_SIZE // len(_BLANK)):
                self._file.write(_BLANK)
        return (
            self._blocks if request == _GET_BLOCK_COUNT else _BLOCK_SIZE if request == _GET_BLOCK_SIZE else 0
        )
