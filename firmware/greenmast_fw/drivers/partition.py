"""Raw flash for records: a partition by its label, or a little memory where the board has none of that name.

Both are block devices that program without erasing. What is kept in memory is gone after a reset.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Labels of what the hub has not heard of yet, and of what has happened.
OUTBOX, EVENTS = "outbox", "events"
_BLOCK_COUNT, _BLOCK_SIZE, _ERASE = 4, 5, 6
_SIZES = {OUTBOX: 2_048, EVENTS: 512}  # of a block in memory: the longest record must fit
_COUNT = 4


class Memory:
    """A few blocks that behave like flash."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._data = bytearray(b"\xff" * size * _COUNT)

    def readblocks(self, block: int, buf: "bytearray | memoryview", offset: int) -> None:
        at = block * self._size + offset
        buf[:] = self._data[at : at + len(buf)]

    def writeblocks(self, block: int, buf: "bytearray | memoryview", offset: int) -> None:
        at = block * self._size + offset
        for i in range(len(buf)):
            self._data[at + i] &= buf[i]

    def ioctl(self, request: int, argument: int) -> int:
        if request == _ERASE:
            self._data[argument * self._size : (argument + 1) * self._size] = b"\xff" * self._size
        return _COUNT if request == _BLOCK_COUNT else self._size if request == _BLOCK_SIZE else 0


def find(label: str) -> "Any":
    """The data partition called `label`, else memory."""
    try:
        from esp32 import Partition  # type: ignore[import-not-found]
    except ImportError:
        return Memory(_SIZES[label])
    found = Partition.find(Partition.TYPE_DATA, label=label)
    return found[0] if found else Memory(_SIZES[label])
