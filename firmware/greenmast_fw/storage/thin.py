"""Thinning: two old sectors of a ring become one, so that the newest record always finds room.

Of full reports and changes the full ones stay; of these, where it is not enough, evenly as many as fit. The
oldest pair of sectors that was thinned least goes first, and the newest quarter is spared: what is long ago
keeps less and less detail. Until the head of the new sector is written it does not count, from then on the
two old ones do not: a power cut leaves one or the other. Loaded when a ring runs full.
"""

from greenmast_fw.storage import ring as rings
from greenmast_fw.storage import sectors

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from greenmast_fw.storage.ring import Ring

FULL = 1  # flag of records that stay when others go
_LEVEL_MAX = 200


def steps(ring: "Ring") -> "Iterator[int]":
    """Do it; yields between pieces of work, in which the ring may be used. Raises OSError.

    Nothing happens when there are no two sectors for it or no free one.
    """
    pair = _pair(ring)
    if not pair or not ring.room():
        return
    fulls = full_bytes = all_bytes = 0
    for i in pair:
        for size, _ in _records(ring, i):
            all_bytes += size
            if ring.flags & FULL:
                fulls += 1
                full_bytes += size
            yield i
    wanted = full_bytes if fulls else all_bytes
    room = min(wanted, ring.size - rings.SECTOR_HEAD)
    numbers = [ring.numbers[i] for i in pair]
    level = min(max([ring.levels[i] for i in pair]) + 1, _LEVEL_MAX)
    first = (sectors.head(ring, pair[0]) or (0, 0, 0))[2]
    target = sectors.take(ring, False)
    ring.levels[target] = rings.BAD  # nobody else may take it meanwhile
    out, share, left_out = rings.SECTOR_HEAD, 0, 0
    for i in pair:
        for size, at in _records(ring, i):
            left_out += 1
            if ring.flags & FULL or not fulls:
                share += room
                if share >= wanted and out + size <= ring.size:
                    share -= wanted
                    if not ring.program(target, out, ring.load(i, at)):
                        ring.levels[target] = 0
                        return  # nothing is lost; the next try erases it again
                    out += size
                    left_out -= 1
            yield i
    ring.levels[target] = 0
    if [ring.numbers[i] for i in pair] != numbers:
        return  # the ring has taken them itself
    if sectors.write_head(ring, target, numbers[1], first, level, ring.newest[0]):
        for i in pair:
            ring.numbers[i] = ring.levels[i] = 0
        ring.dropped += left_out


def _pair(ring: "Ring") -> "tuple[int, int] | None":
    """The two neighbours to be made one."""
    order = []
    number = ring.tail - 1
    while True:
        i = ring.after(number)
        if i < 0 or i == ring.here:
            break
        order.append(i)
        number = ring.numbers[i]
    best, best_level = -1, _LEVEL_MAX
    for k in range(len(order) * 3 // 4 - 1):
        level = max(ring.levels[order[k]], ring.levels[order[k + 1]])
        if level < best_level:
            best, best_level = k, level
    return (order[best], order[best + 1]) if best >= 0 else None


def _records(ring: "Ring", i: int) -> "Iterator[tuple[int, int]]":
    """(size, place) of what is not acknowledged in sector `i`; the ring's fields are the record's."""
    at, end = rings.SECTOR_HEAD, ring.end(i)
    while at < end:
        size = ring.peek(i, at)
        if size and ring.kind and (ring.boot, ring.seq) > ring.acked:
            yield size, at
        at += size or 4
