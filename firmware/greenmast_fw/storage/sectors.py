"""Sectors of a ring: which there are, which is taken next, what their heads say.

A head is the last thing written of a sector that was thinned and the first of any other: without one a sector
is free. When no sector is free the oldest is erased. Loaded to mount a ring and whenever a sector is full.
"""

import struct

from greenmast_fw.storage.ring import ALIGN, BAD, BLANK, CHUNK, HEAD, MARK, SECTOR_HEAD, Ring, crc_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from greenmast_fw.storage.ring import Chip

_MAGIC = 0x474D52
_TRIES = 3
_SECTOR = "<IIIIIII"  # magic and level, number, first number, boot, acknowledged boot and number, CRC-32


def mount(chip: "Chip", payload_max: int) -> Ring:
    """The ring on `chip`, for payloads of `payload_max` bytes. Reads all heads and the last sector."""
    ring = Ring(chip, payload_max)
    numbers, levels = ring.numbers, ring.levels
    thinned = []
    for i in range(len(numbers)):
        found = head(ring, i)
        if found:
            levels[i], numbers[i] = found[0], found[1]
            if found[0]:
                thinned.append((i, found[2]))
    for i, first in thinned:  # what they were made from is not erased yet
        for j in range(len(numbers)):
            if first <= numbers[j] <= numbers[i] and levels[j] < levels[i]:
                numbers[j] = levels[j] = 0
    ring.here = ring.before(0x7FFFFFFF)
    if ring.here < 0:
        return ring
    last = head(ring, ring.here) or (0,) * 6
    ring.newest = (last[3], 0)
    ring.acked = (last[4], last[5])
    ring.at = end = ring.end(ring.here)
    at = SECTOR_HEAD
    while at < end:
        size = ring.peek(ring.here, at)
        if size and ring.kind == MARK:
            ring.acked = (ring.boot, ring.seq)
        elif size:
            ring.newest = (ring.boot, ring.seq)
        at += size or ALIGN
        ring.at = max(at, end)
    ring.marked = ring.acked
    i = ring.here
    while ring.first(i) > ring.acked:
        older = ring.before(numbers[i])
        if older < 0:
            break
        i = older
    ring.tail = numbers[i]
    return ring


def insist(ring: Ring, kind: int, flags: int, boot: int, seq: int, length: int) -> None:
    """`Ring.append` where that was refused. Raises OSError when the flash does not take it, ValueError."""
    if HEAD + length > min(len(ring.payload) + HEAD, ring.size - SECTOR_HEAD):
        raise ValueError("length")
    for _ in range(_TRIES):
        if ring.append(kind, flags, boot, seq, length):
            return
        follow(ring, boot)
    if not ring.append(kind, flags, boot, seq, length):
        raise OSError(5)


def follow(ring: Ring, boot: int) -> None:
    """Go on in a new sector. Raises OSError."""
    number = ring.numbers[ring.here] + 1 if ring.here >= 0 else 1
    worn = -1
    for k in range(2 * _TRIES):
        i = take(ring, True)
        if write_head(ring, i, number, number, 0, boot):
            ring.here = i
            ring.at = SECTOR_HEAD
            return
        if ring.refused:
            if worn >= 0:  # two in a row: it is the chip
                ring.levels[worn] = 0
                break
            worn = i
        if ring.refused or k & 1:  # read back otherwise twice is no accident
            ring.levels[i] = BAD
    raise OSError(5)


def take(ring: Ring, with_loss: bool) -> int:
    """A sector, erased: a free one or the oldest, acknowledged or, `with_loss`, not. Raises OSError.

    A sector that cannot be erased is passed over; a chip of which none can be costs nothing that is stored.
    """
    worn, unheard = -1, 0
    while True:
        i = _next(ring, with_loss, worn)
        unheard += _unheard(ring, i)
        try:
            good = _erase(ring, i) or _erase(ring, i)
        except OSError:
            if worn >= 0:
                raise
            worn = i
            continue
        if worn >= 0:
            ring.numbers[worn] = 0
            ring.levels[worn] = BAD
            worn = -1
        ring.numbers[i] = 0
        ring.levels[i] = 0 if good else BAD
        ring.dropped += unheard
        unheard = 0
        if good:
            return i


def _next(ring: Ring, with_loss: bool, but: int) -> int:
    """The sector to be taken next, not `but`. Raises OSError when there is none."""
    count = len(ring.numbers)
    for k in range(1, count + 1):
        i = (ring.here + k) % count
        if not ring.numbers[i] and ring.levels[i] != BAD and i != but:
            return i
    i = ring.after(0)
    if i == but and i >= 0:
        i = ring.after(ring.numbers[i])
    if i < 0 or i == ring.here or (ring.numbers[i] >= ring.tail and not with_loss):
        raise OSError(28)
    return i


def write_head(ring: Ring, i: int, number: int, first: int, level: int, boot: int) -> bool:
    """Make an erased sector count, with the records that it may hold already. False when it is not taken.

    When these were thinned, `first` .. `number` are those of the sectors that they come from.
    """
    new = memoryview(bytearray(SECTOR_HEAD))
    acked = ring.acked
    struct.pack_into(_SECTOR, new, 0, _MAGIC << 8 | level, number, first, boot, acked[0], acked[1], 0)
    struct.pack_into("<I", new, SECTOR_HEAD - 4, crc_of(new[: SECTOR_HEAD - 4], b""))
    if not ring.program(i, 0, new):
        return False
    ring.numbers[i] = number
    ring.levels[i] = level
    return True


def head(ring: Ring, i: int) -> "tuple[int, ...] | None":
    """Level, number, first number, boot, acknowledged (boot, number) of sector `i`; None: it is free."""
    data = ring.check[:SECTOR_HEAD]
    ring.chip.readblocks(i, data, 0)
    fields = struct.unpack_from(_SECTOR, data, 0)
    if fields[0] >> 8 != _MAGIC or fields[6] != crc_of(data[: SECTOR_HEAD - 4], b""):
        return None
    return (fields[0] & 0xFF,) + fields[1:6]


def _erase(ring: Ring, i: int) -> bool:
    """False when the sector does not become blank. Raises OSError."""
    ring.erases += 1
    ring.chip.ioctl(6, i)
    for at in range(0, ring.size, CHUNK):
        ring.chip.readblocks(i, ring.check, at)
        if ring.check != BLANK:
            return False
    return True


def _unheard(ring: Ring, i: int) -> int:
    """How many records that nobody has acknowledged are in sector `i`."""
    count = 0
    if ring.numbers[i] < ring.tail:  # free ones included
        return count
    at = SECTOR_HEAD
    end = ring.end(i)
    while at < end:
        size = ring.peek(i, at)
        count += size > 0 and ring.kind != MARK and (ring.boot, ring.seq) > ring.acked
        at += size or ALIGN
    return count
