"""A ring of records on raw NOR flash: what happened and what the hub has not heard of yet.

A sector begins with a head: a number that ascends, the boot that opened it, how far the reader had
acknowledged. Records follow, each programmed by one operation and read back: after a power cut a record is
whole or unseen, as its CRC covers all of it. What a cut has left behind is stepped over. Mounting reads the
heads and one sector. When no sector is free the oldest is erased; `thin` makes room before that.

Records are known by (boot, number) and must be appended in that order. Knows no record's meaning. The chip is
a block device of MicroPython that programs without erasing (`esp32.Partition` is one).
"""

import binascii
import struct
from array import array

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Chip(Protocol):
        def readblocks(self, block: int, buf: "bytearray | memoryview", offset: int) -> object: ...

        def writeblocks(self, block: int, buf: "bytearray | memoryview", offset: int) -> object: ...

        def ioctl(self, request: int, argument: int) -> "int | None": ...


HEAD = 16  # bytes of a record before its payload
SECTOR_HEAD = 28
BAD = 255  # level of a sector that does not take what is written, until the next boot
_MAGIC = 0x474D52
_MARK = 0  # kind of the record that says how far the reader has acknowledged
_ALIGN = 4
_CHUNK = 64
_TRIES = 3
_RECORD = "<HBBIII"  # length of the payload, kind, flags, boot, number, CRC-32 of the rest
_SECTOR = "<IIIIIII"  # magic and level, number, first number, boot, acknowledged boot and number, CRC-32


class Ring:
    """`kind`, `flags`, `boot`, `seq`, `length` and `payload` are those of the record read last.

    `payload` lies in the buffer that is also appended from: it is good until the next call of the ring.
    `newest`, `acked`: (boot, number) of the last record and of the last acknowledged. `dropped`: records that
    went unacknowledged since boot, `erases` sectors erased. `numbers[i]` of sector i is 0 for a free one,
    `levels[i]` how often it was thinned.
    """

    def __init__(self, chip: "Chip", payload_max: int) -> None:
        self.chip = chip
        self.size: int = chip.ioctl(5, 0) or 0
        count: int = chip.ioctl(4, 0) or 0
        self.numbers = array("I", [0] * count)
        self.levels = bytearray(count)
        self._buf = memoryview(bytearray(HEAD + payload_max))
        self.payload = self._buf[HEAD:]
        self._check = memoryview(bytearray(_CHUNK))
        self._blank = b"\xff" * _CHUNK
        self.kind = self.flags = self.boot = self.seq = self.length = 0
        self.newest = self.acked = (0, 0)
        self.marked = (0, 0)  # what the flash knows to be acknowledged
        self.dropped = self.erases = 0
        self.here = -1  # the sector that is being written
        self.at = 0
        self.tail = 1  # sectors with a smaller number are acknowledged as a whole
        self._mount()

    def append(self, kind: int, flags: int, boot: int, seq: int, length: int) -> None:
        """Store the first `length` bytes of `payload`. Raises OSError when the flash does not take them."""
        if HEAD + length > min(len(self._buf), self.size - SECTOR_HEAD):
            raise ValueError("length")
        for left in range(_TRIES - 1, -1, -1):
            if self.here < 0 or self.at + HEAD + length > self.size or not left:
                self._open(boot)
            struct.pack_into(_RECORD, self._buf, 0, length, kind, flags, boot, seq, 0)
            struct.pack_into("<I", self._buf, 12, _crc(self.payload[:length], self._buf[:12]))
            at = self.at
            self.at += HEAD + length + _ALIGN - 1 & -_ALIGN
            if self.program(self.here, at, self._buf[: HEAD + length]):
                if kind != _MARK:
                    self.newest = (boot, seq)
                return
        raise OSError(5)

    def acknowledge(self, boot: int, seq: int) -> None:
        """Everything up to (boot, seq) may be forgotten. `mark` makes that known to the next boot."""
        self.acked = (boot, seq)
        following = self.after(self.tail)
        while following >= 0 and self.first(following) <= self.acked:
            self.tail = self.numbers[following]
            following = self.after(self.tail)

    def mark(self) -> None:
        """Store how far is acknowledged. Raises OSError."""
        self.append(_MARK, 0, self.acked[0], self.acked[1], 0)
        self.marked = self.acked

    def room(self) -> int:
        """How many sectors may be taken without loss."""
        count = 0
        for i in range(len(self.numbers)):
            count += self.numbers[i] < self.tail and self.levels[i] != BAD
        return count

    def after(self, number: int) -> int:
        """The sector with the smallest number above `number`, or -1."""
        best = -1
        for i in range(len(self.numbers)):
            if self.numbers[i] > number and (best < 0 or self.numbers[i] < self.numbers[best]):
                best = i
        return best

    def before(self, number: int) -> int:
        """The sector with the greatest number below `number`, or -1."""
        best = -1
        for i in range(len(self.numbers)):
            if 0 < self.numbers[i] < number and (best < 0 or self.numbers[i] > self.numbers[best]):
                best = i
        return best

    def end(self, i: int) -> int:
        """Where the programmed part of sector `i` ends, but for a last record's own blank bytes."""
        at = self.size
        while at > SECTOR_HEAD:
            at -= _CHUNK
            self.chip.readblocks(i, self._check, at)
            if self._check != self._blank:
                used = len(bytes(self._check).rstrip(b"\xff"))
                return max(SECTOR_HEAD, at + used + _ALIGN - 1 & -_ALIGN)
        return SECTOR_HEAD

    def peek(self, i: int, at: int) -> int:
        """How many bytes the record at `at` of sector `i` takes, 0 for none. Leaves the payload alone."""
        check = self._check
        self.chip.readblocks(i, check[:HEAD], at)
        length, self.kind, self.flags, self.boot, self.seq, crc = struct.unpack_from(_RECORD, check, 0)
        end = at + HEAD + length
        if end > self.size or HEAD + length > len(self._buf):
            return 0
        self.length = length
        found = binascii.crc32(check[:12])
        at += HEAD
        while at < end:
            part = check[: min(_CHUNK, end - at)]
            self.chip.readblocks(i, part, at)
            found = binascii.crc32(part, found)
            at += _CHUNK
        return HEAD + length + _ALIGN - 1 & -_ALIGN if found & 0xFFFFFFFF == crc else 0

    def load(self, i: int, at: int) -> memoryview:
        """The whole record that was peeked at, its payload in `payload`."""
        whole = self._buf[: HEAD + self.length]
        self.chip.readblocks(i, whole, at)
        return whole

    def program(self, i: int, at: int, data: memoryview) -> bool:
        """Write and read back: False when the flash does not hold it."""
        try:
            self.chip.writeblocks(i, data, at)
            for k in range(0, len(data), _CHUNK):
                part = self._check[: min(_CHUNK, len(data) - k)]
                self.chip.readblocks(i, part, at + k)
                if part != data[k : k + _CHUNK]:
                    return False
        except OSError:
            return False
        return True

    def take(self, with_loss: bool) -> int:
        """A sector, erased: a free one or the oldest, acknowledged or, `with_loss`, not. Raises OSError."""
        while True:
            count = len(self.numbers)
            i = -1
            for k in range(1, count + 1):
                j = (self.here + k) % count
                if not self.numbers[j] and self.levels[j] != BAD:
                    i = j
                    break
            if i < 0:
                i = self.after(0)
                if i < 0 or i == self.here or (self.numbers[i] >= self.tail and not with_loss):
                    raise OSError(28)
                self._count(i)
                self.numbers[i] = self.levels[i] = 0
            if self._erase(i) or self._erase(i):
                return i
            self.levels[i] = BAD

    def write_head(self, i: int, number: int, first: int, level: int, boot: int) -> bool:
        """Make an erased sector count, with the records that it may hold already. False when it is not taken.

        When these were thinned, `first` .. `number` are those of the sectors that they come from.
        """
        head = memoryview(bytearray(SECTOR_HEAD))
        acked = self.acked
        struct.pack_into(_SECTOR, head, 0, _MAGIC << 8 | level, number, first, boot, acked[0], acked[1], 0)
        struct.pack_into("<I", head, SECTOR_HEAD - 4, _crc(head[: SECTOR_HEAD - 4], b""))
        if not self.program(i, 0, head):
            return False
        self.numbers[i] = number
        self.levels[i] = level
        return True

    def head(self, i: int) -> "tuple[int, ...] | None":
        """Level, number, first number, boot, acknowledged (boot, number) of sector `i`; None: it is free."""
        head = self._check[:SECTOR_HEAD]
        self.chip.readblocks(i, head, 0)
        fields = struct.unpack_from(_SECTOR, head, 0)
        if fields[0] >> 8 != _MAGIC or fields[6] != _crc(head[: SECTOR_HEAD - 4], b""):
            return None
        return (fields[0] & 0xFF,) + fields[1:6]

    def first(self, i: int) -> "tuple[int, int]":
        """(boot, number) of the first record of sector `i`; beyond all for an empty one."""
        at = SECTOR_HEAD
        end = self.end(i)
        while at < end:
            size = self.peek(i, at)
            if size and self.kind != _MARK:
                return self.boot, self.seq
            at += size or _ALIGN
        return 0xFFFFFFFF, 0

    # ---- inside -------------------------------------------------------------------------------------

    def _mount(self) -> None:
        numbers, levels = self.numbers, self.levels
        thinned = []
        for i in range(len(numbers)):
            head = self.head(i)
            if head:
                levels[i], numbers[i] = head[0], head[1]
                if head[0]:
                    thinned.append((i, head[2]))
        for i, first in thinned:  # what they were made from is not erased yet
            for j in range(len(numbers)):
                if first <= numbers[j] <= numbers[i] and levels[j] < levels[i]:
                    numbers[j] = levels[j] = 0
        self.here = self.before(0x7FFFFFFF)
        if self.here < 0:
            return
        head = self.head(self.here) or (0,) * 6
        self.newest = (head[3], 0)
        self.acked = (head[4], head[5])
        self.at = end = self.end(self.here)
        at = SECTOR_HEAD
        while at < end:
            size = self.peek(self.here, at)
            if size and self.kind == _MARK:
                self.acked = (self.boot, self.seq)
            elif size:
                self.newest = (self.boot, self.seq)
            at += size or _ALIGN
            self.at = max(at, end)
        self.marked = self.acked
        i = self.here
        while self.first(i) > self.acked:
            older = self.before(numbers[i])
            if older < 0:
                break
            i = older
        self.tail = numbers[i]

    def _open(self, boot: int) -> None:
        """Go on in a new sector. Raises OSError."""
        number = self.numbers[self.here] + 1 if self.here >= 0 else 1
        for k in range(2 * _TRIES):
            i = self.take(True)
            if self.write_head(i, number, number, 0, boot):
                self.here = i
                self.at = SECTOR_HEAD
                return
            if k & 1:  # twice is no accident
                self.levels[i] = BAD
        raise OSError(5)

    def _erase(self, i: int) -> bool:
        self.erases += 1
        try:
            self.chip.ioctl(6, i)
            for at in range(0, self.size, _CHUNK):
                self.chip.readblocks(i, self._check, at)
                if self._check != self._blank:
                    return False
        except OSError:
            return False
        return True

    def _count(self, i: int) -> None:
        """Sector `i` is about to go: count what nobody has acknowledged."""
        if self.numbers[i] < self.tail:
            return
        at = SECTOR_HEAD
        end = self.end(i)
        while at < end:
            size = self.peek(i, at)
            self.dropped += size > 0 and self.kind != _MARK and (self.boot, self.seq) > self.acked
            at += size or _ALIGN


class Reader:
    """Goes through a ring from the record after (boot, number), whatever the ring drops meanwhile.

    `boot`, `seq`: of the record that `find` has found.
    """

    def __init__(self, ring: Ring) -> None:
        self._ring = ring
        self._i = -1
        self._number = self._at = 0
        self._end = 0  # of a sector that is no longer written
        self._size = 0  # of the record that is found
        self.boot = self.seq = 0

    def seek(self, boot: int, seq: int) -> None:
        """The next record is the first one after (boot, seq)."""
        ring = self._ring
        self.boot, self.seq = boot, seq
        i = ring.here
        while i >= 0 and ring.first(i) > (boot, seq):
            older = ring.before(ring.numbers[i])
            if older < 0:
                break
            i = older
        self._enter(i)

    def find(self) -> bool:
        """Whether there is a next record; it stays the next one until `take`."""
        ring = self._ring
        if self._i < 0 or ring.numbers[self._i] != self._number:
            self.seek(self.boot, self.seq - (self._size > 0))
        while self._i >= 0 and not self._size:
            if self._i != ring.here and not self._end:
                self._end = ring.end(self._i)
            while self._at < (self._end or ring.at):
                size = ring.peek(self._i, self._at)
                if size and ring.kind != _MARK and (ring.boot, ring.seq) > (self.boot, self.seq):
                    self.boot, self.seq, self._size = ring.boot, ring.seq, size
                    return True
                self._at += size or _ALIGN
            following = ring.after(self._number)
            if following < 0:
                break
            self._enter(following)
        return self._size > 0

    def take(self) -> None:
        """Read the found record into the ring's fields and its payload, and go on behind it."""
        ring = self._ring
        ring.peek(self._i, self._at)
        ring.load(self._i, self._at)
        self._at += self._size
        self._size = 0

    def _enter(self, i: int) -> None:
        self._i = i
        self._at = SECTOR_HEAD
        self._end = self._size = 0
        if i >= 0:
            self._number = self._ring.numbers[i]


def _crc(data: "bytes | memoryview", start: "bytes | memoryview") -> int:
    return binascii.crc32(data, binascii.crc32(start)) & 0xFFFFFFFF
