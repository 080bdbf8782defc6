"""A ring of records on raw NOR flash: what happened and what the hub has not heard of yet.

A sector begins with a head: a number that ascends, the boot that opened it, how far the reader had
acknowledged. Records follow, each programmed by one operation and read back: after a power cut a record is
whole or unseen, as its CRC covers all of it. What a cut has left behind is stepped over. What is needed now
and then is in modules of its own: `sectors` mounts a ring and opens its next sector, `thin` makes room.

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
MARK = 0  # kind of the record that says how far the reader has acknowledged
ALIGN = 4
CHUNK = 64
BLANK = b"\xff" * CHUNK
_RECORD = "<HBBIII"  # length of the payload, kind, flags, boot, number, CRC-32 of the rest


class Ring:
    """A blank ring; `sectors.mount` gives one that holds what its chip holds.

    `kind`, `flags`, `boot`, `seq`, `length` and `payload` are those of the record read last.

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
        self.check = memoryview(bytearray(CHUNK))
        self.kind = self.flags = self.boot = self.seq = self.length = 0
        self.newest = self.acked = (0, 0)
        self.marked = (0, 0)  # what the flash knows to be acknowledged
        self.dropped = self.erases = 0
        self.refused = False  # the chip itself took nothing when it was last written to: no sector's fault
        self.here = -1  # the sector that is being written
        self.at = 0
        self.tail = 1  # sectors with a smaller number are acknowledged as a whole

    def append(self, kind: int, flags: int, boot: int, seq: int, length: int) -> bool:
        """Store the first `length` bytes of `payload`.

        False when the sector that is being written has no room or does not take them: `sectors.follow` opens
        the next.
        """
        if self.here < 0 or self.at + HEAD + length > self.size:
            return False
        struct.pack_into(_RECORD, self._buf, 0, length, kind, flags, boot, seq, 0)
        struct.pack_into("<I", self._buf, 12, crc_of(self.payload[:length], self._buf[:12]))
        at = self.at
        self.at += HEAD + length + ALIGN - 1 & -ALIGN
        if not self.program(self.here, at, self._buf[: HEAD + length]):
            return False
        if kind != MARK:
            self.newest = (boot, seq)
        return True

    def acknowledge(self, boot: int, seq: int) -> None:
        """Everything up to (boot, seq) may be forgotten. `mark` makes that known to the next boot."""
        self.acked = (boot, seq)
        following = self.after(self.tail)
        while following >= 0 and self.first(following) <= self.acked:
            self.tail = self.numbers[following]
            following = self.after(self.tail)

    def mark(self) -> bool:
        """Store how far is acknowledged; False as for `append`: the next sector's head will say it."""
        if not self.append(MARK, 0, self.acked[0], self.acked[1], 0):
            return False
        self.marked = self.acked
        return True

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
            at -= CHUNK
            self.chip.readblocks(i, self.check, at)
            if self.check != BLANK:
                used = len(bytes(self.check).rstrip(b"\xff"))
                return max(SECTOR_HEAD, at + used + ALIGN - 1 & -ALIGN)
        return SECTOR_HEAD

    def peek(self, i: int, at: int) -> int:
        """How many bytes the record at `at` of sector `i` takes, 0 for none. Leaves the payload alone."""
        check = self.check
        self.chip.readblocks(i, check[:HEAD], at)
        length, self.kind, self.flags, self.boot, self.seq, crc = struct.unpack_from(_RECORD, check, 0)
        end = at + HEAD + length
        if end > self.size or HEAD + length > len(self._buf):
            return 0
        self.length = length
        found = binascii.crc32(check[:12])
        at += HEAD
        while at < end:
            part = check[: min(CHUNK, end - at)]
            self.chip.readblocks(i, part, at)
            found = binascii.crc32(part, found)
            at += CHUNK
        return HEAD + length + ALIGN - 1 & -ALIGN if found & 0xFFFFFFFF == crc else 0

    def load(self, i: int, at: int) -> memoryview:
        """The whole record that was peeked at, its payload in `payload`."""
        whole = self._buf[: HEAD + self.length]
        self.chip.readblocks(i, whole, at)
        return whole

    def program(self, i: int, at: int, data: memoryview) -> bool:
        """Write and read back: False when the flash does not hold it."""
        self.refused = False
        try:
            self.chip.writeblocks(i, data, at)
            for k in range(0, len(data), CHUNK):
                part = self.check[: min(CHUNK, len(data) - k)]
                self.chip.readblocks(i, part, at + k)
                if part != data[k : k + CHUNK]:
                    return False
        except OSError:
            self.refused = True
            return False
        return True

    def first(self, i: int) -> "tuple[int, int]":
        """(boot, number) of the first record of sector `i`; beyond all for an empty one."""
        at = SECTOR_HEAD
        end = self.end(i)
        while at < end:
            size = self.peek(i, at)
            if size and self.kind != MARK:
                return self.boot, self.seq
            at += size or ALIGN
        return 0xFFFFFFFF, 0


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
                if size and ring.kind != MARK and (ring.boot, ring.seq) > (self.boot, self.seq):
                    self.boot, self.seq, self._size = ring.boot, ring.seq, size
                    return True
                self._at += size or ALIGN
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


def crc_of(data: "bytes | memoryview", start: "bytes | memoryview") -> int:
    """CRC-32 of both, `start` first."""
    return binascii.crc32(data, binascii.crc32(start)) & 0xFFFFFFFF
