"""Rings: what is appended comes back in order, once, until it is dropped, and every drop is counted."""

import random

from greenmast_fw.storage import ring as rings
from greenmast_fw.storage import sectors, thin

PAYLOAD_MAX = 80


class Chip:
    """NOR flash. `refuses`: sectors that swallow programs; `stuck`: sectors that do not erase."""

    def __init__(self, count=6, size=512):
        self.size, self.count = size, count
        self.data = bytearray(b"\xff" * size * count)
        self.reads = self.programs = 0
        self.erased = [0] * count
        self.refuses = self.stuck = ()

    def readblocks(self, block, buf, offset=0):
        self.reads += 1
        at = block * self.size + offset
        buf[:] = self.data[at : at + len(buf)]

    def writeblocks(self, block, buf, offset=0):
        self.programs += 1
        at = block * self.size + offset
        for i in range(0 if block in self.refuses else len(buf)):
            self.data[at + i] &= buf[i]

    def ioctl(self, request, argument):
        if request == 6 and argument not in self.stuck:
            self.erased[argument] += 1
            self.data[argument * self.size : (argument + 1) * self.size] = b"\xff" * self.size
        return {4: self.count, 5: self.size}.get(request, 0)


def body(boot, seq):
    """Payload of a record: of any length, often blank at its end."""
    return bytes(
        [(0, 255, boot + seq * 7 + i & 255)[(i * 5 + seq) % 3] for i in range((boot * 31 + seq * 17) % 61)]
    )


def append(ring, boot, seq, flags=0):
    data = body(boot, seq)
    ring.payload[: len(data)] = data
    if not ring.append(1, flags, boot, seq, len(data)):
        sectors.insist(ring, 1, flags, boot, seq, len(data))


def keys(ring, boot=0, seq=0):
    reader = rings.Reader(ring)
    reader.seek(boot, seq)
    out = []
    while reader.find():
        reader.take()
        assert bytes(ring.payload[: ring.length]) == body(ring.boot, ring.seq)
        out.append((ring.boot, ring.seq))
    return out


def thinned(ring):
    for _ in thin.steps(ring):
        pass


def test_a_long_random_life_loses_nothing_uncounted():
    for seed in range(6):
        print("seed", seed)
        chance = random.randint
        random.seed(seed)
        chip = Chip(chance(3, 8))
        ring = sectors.mount(chip, PAYLOAD_MAX)
        boot, seq, lost, acked, alive = 1, 0, 0, (0, 0), []
        for _ in range(250):
            what = chance(0, 99)
            if what < 80:
                seq += 1
                if what < 70 and ring.room() < 2:
                    thinned(ring)
                append(ring, boot, seq, what % 3 == 0)
                alive.append((boot, seq))
                there = keys(ring)
                assert there == sorted(set(there))
                assert there[-1] == (boot, seq)
                lost += sum([key > acked for key in alive if key not in there])
                alive = [key for key in alive if key in there]
                assert alive == there
                assert lost == ring.dropped
            elif what < 92 and alive[-3:]:
                acked = max(acked, alive[-3:][0])
                ring.acknowledge(acked[0], acked[1])
                if what < 86:
                    ring.mark()
            elif what >= 92:
                ring = sectors.mount(chip, PAYLOAD_MAX)
                assert ring.acked <= acked
                assert ring.newest <= (boot, seq)
                ring.dropped = lost
                ring.acknowledge(acked[0], acked[1])
                boot, seq = boot + 1, 0


def test_an_unheard_ring_keeps_full_reports_longest_and_never_refuses_the_newest():
    chip = Chip(count=16)
    ring = sectors.mount(chip, PAYLOAD_MAX)
    for seq in range(1, 1_501):
        if ring.room() < 2:
            thinned(ring)
        append(ring, 1, seq, seq % 8 == 0)
    there = [seq for _, seq in keys(ring)]
    assert there[-1] == 1_500
    assert ring.dropped == 1_500 - len(there)
    oldest, newest = there[: len(there) // 4], there[-len(there) // 4 :]
    assert all([seq % 8 == 0 for seq in oldest])
    assert newest == list(range(newest[0], 1_501)), "the newest part is whole"
    assert oldest[0] < 400, "of what is long ago something is left"


def test_the_mark_survives_and_what_was_acknowledged_is_not_read_again():
    ring = sectors.mount(Chip(), PAYLOAD_MAX)
    for seq in range(1, 20):
        append(ring, 4, seq)
    ring.acknowledge(4, 12)
    ring.mark()
    append(ring, 4, 20)
    again = sectors.mount(ring.chip, PAYLOAD_MAX)
    assert again.acked == (4, 12) == again.marked
    assert again.newest == (4, 20)
    assert keys(again, again.acked[0], again.acked[1])[0] == (4, 13)


def test_a_program_that_the_flash_swallows_is_noticed_and_goes_elsewhere():
    chip = Chip()
    ring = sectors.mount(chip, PAYLOAD_MAX)
    append(ring, 1, 1)
    chip.refuses = (ring.here,)
    append(ring, 1, 2)
    assert ring.here not in chip.refuses
    assert keys(ring) == [(1, 1), (1, 2)] == keys(sectors.mount(chip, PAYLOAD_MAX))


def test_a_sector_that_does_not_erase_is_left_out():
    chip = Chip()
    ring = sectors.mount(chip, PAYLOAD_MAX)
    for seq in range(1, 100):
        append(ring, 1, seq)
    chip.stuck = (ring.after(0),)
    for seq in range(100, 300):
        append(ring, 1, seq)
        assert ring.here not in chip.stuck
    assert keys(ring)[-1] == (1, 299)


def test_a_flash_that_takes_nothing_raises_and_recovers():
    chip = Chip()
    ring = sectors.mount(chip, PAYLOAD_MAX)
    chip.refuses = chip.stuck = range(chip.count)
    for seq in (1, 2):
        try:
            append(ring, 1, seq)
            raise AssertionError("stored")
        except OSError:
            pass
    chip.refuses = chip.stuck = ()
    ring = sectors.mount(chip, PAYLOAD_MAX)
    append(ring, 1, 3)
    assert keys(ring) == [(1, 3)]


def test_a_record_that_rots_is_not_shown_and_costs_no_other():
    chip = Chip()
    ring = sectors.mount(chip, PAYLOAD_MAX)
    for seq in range(1, 30):
        append(ring, 1, seq)
    first = chip.size * ring.after(0) + rings.SECTOR_HEAD
    for at in range(first, first + rings.HEAD + 12, 5):
        chip.data[at] ^= 4
        assert keys(sectors.mount(chip, PAYLOAD_MAX)) == [(1, seq) for seq in range(2, 30)]
        chip.data[at] ^= 4
    assert keys(ring)[0] == (1, 1)


def test_mounting_reads_the_heads_and_little_more_however_much_is_stored():
    chip = Chip(count=64)
    ring = sectors.mount(chip, PAYLOAD_MAX)
    for seq in range(1, 900):
        append(ring, 1, seq)
    ring.acknowledge(1, 890)
    ring.mark()
    chip.reads = 0
    sectors.mount(chip, PAYLOAD_MAX)
    assert 64 <= chip.reads < 64 + 200


def test_every_sector_is_erased_equally_often():
    chip = Chip(count=8)
    ring = sectors.mount(chip, PAYLOAD_MAX)
    for seq in range(1, 1_000):
        append(ring, 1, seq)
        ring.acknowledge(1, seq)
    assert sum(chip.erased) == ring.erases > 64
    assert max(chip.erased) - min(chip.erased) <= 1
