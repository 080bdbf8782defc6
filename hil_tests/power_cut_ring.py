"""Runs under MicroPython: cuts the power at every operation of a flash chip while a ring is written to.

The ring is small, so that its life is short: records, acknowledgements and marks of a site that is heard,
then one that is not, so that sectors are thinned, then one without room for that. Before and after each act
the ring is read; a cut within the act must leave what was there both before and after, in order, each record
once and whole, and nothing else than what was there before or after. After each cut the board boots again,
writes its first record and is cut once more at every operation of that. Prints a JSON line for each kind of
act.
"""

import json

from power_cut_chip import CUTS, Chip

from greenmast_fw.storage import ring as rings
from greenmast_fw.storage import sectors, thin

BLOCK, BLOCKS, PAYLOAD_MAX = 256, 6, 40
APPEND, MARK, THIN = "append", "mark", "thin"


def payload(boot, seq):
    return bytes([(boot + seq * 7 + i * i) % 256 if (i + seq) % 5 else 255 for i in range(seq * 11 % 37)])


def contents(ring):
    """(boot, number) of every record, or what is wrong."""
    out = []
    reader = rings.Reader(ring)
    reader.seek(0, 0)
    while reader.find():
        reader.take()
        key = (ring.boot, ring.seq)
        if bytes(ring.payload[: ring.length]) != payload(ring.boot, ring.seq):
            return f"invalid record {key}"
        if out and key <= out[-1]:
            return f"{key} after {out[-1]}"
        out.append(key)
    return out


def append(ring, boot, seq):
    body = payload(boot, seq)
    ring.payload[: len(body)] = body
    if not ring.append(1, seq % 3 == 0, boot, seq, len(body)):
        sectors.insist(ring, 1, seq % 3 == 0, boot, seq, len(body))


def act(ring, what, seq):
    if what == APPEND:
        append(ring, 1, seq)
    elif what == MARK:
        ring.mark()
    else:
        for _ in thin.steps(ring):
            pass


def reboot(ring):
    """What a boot does first."""
    if ring.room() < 2:
        act(ring, THIN, 0)
    append(ring, ring.newest[0] + 1, 1)


def mount(data, cut_at=0, cut="before"):
    return sectors.mount(Chip(data, cut_at, cut, BLOCK), PAYLOAD_MAX)


def problem(data, before, after, done, acked, known, counted):
    """What a boot in peace finds wrong, or "", and what it sees.

    What is acknowledged may go at any time. A full ring to which one write in vain has cost a sector drops
    its oldest records, but has `counted` them.
    """
    ring = mount(data)
    seen = contents(ring)
    if isinstance(seen, str):
        return seen, []
    missing = [key for key in after if key > acked and key not in seen and (done or key in before)]
    if len(missing) > max(0, counted) or missing != [key for key in after if key > acked][: len(missing)]:
        return f"lost {missing}, counted {counted}", seen
    for key in seen:
        if key not in before and key not in after:
            return f"shows {key}", seen
    if ring.acked not in known:
        return f"acknowledged up to {ring.acked}", seen
    return "", seen


def trial(data, acked, action, before, after, known):
    """Every cut of `action(ring)` on the flash `data`; (tried, failed, flash after each cut)."""
    peaceful = mount(bytearray(data))
    peaceful.acknowledge(acked[0], acked[1])
    action(peaceful)
    failed, left = [], []
    for cut in CUTS:
        for k in range(1, peaceful.chip.operations + 1):
            flash = bytearray(data)
            ring = mount(flash, k, cut)
            ring.acknowledge(acked[0], acked[1])
            done = True
            try:
                action(ring)
            except OSError:
                done = False
            wrong, seen = problem(flash, before, after, done, acked, known, ring.dropped - peaceful.dropped)
            if wrong:
                failed.append((cut, k, wrong))
            else:
                left.append((flash, seen))
    return len(CUTS) * peaceful.chip.operations, failed, left


def again(flash, seen):
    """Every cut of the boot after a cut."""
    ring = mount(bytearray(flash))
    acked = ring.acked
    reboot(ring)
    tried, failed, _ = trial(flash, acked, reboot, seen, contents(ring), (acked,))
    return tried, failed


def life():
    """(what, number, acknowledged number) of each act."""
    seq = acked = 0
    while seq < 150:
        seq += 1
        yield APPEND, seq, acked
        if seq < 50 and seq % 4 == 0:
            acked = seq - 2
            yield MARK, seq, acked
        if 50 <= seq < 110:
            yield THIN, seq, acked


counters = ("acts", "operations", "tried", "again", "dropped")
results = {
    what: dict([(name, 0) for name in counters], ring=what, failed=[]) for what in (APPEND, MARK, THIN)
}
data = bytearray(b"\xff" * BLOCK * BLOCKS)
marked = (0, 0)
for what, seq, acked in life():
    ring = mount(bytearray(data))
    ring.acknowledge(1, acked)
    if what == THIN and ring.room() > 1:
        continue
    before = contents(ring)
    act(ring, what, seq)
    after = contents(ring)
    result = results[what]
    result["acts"] += 1
    result["operations"] += ring.chip.operations
    result["dropped"] += ring.dropped
    known = (marked, (1, acked)) if ring.chip.operations > 1 or what == MARK else (marked,)
    tried, failed, left = trial(
        data, (1, acked), lambda ring, a=(what, seq): act(ring, *a), before, after, known
    )
    result["tried"] += tried
    result["failed"] += failed
    for flash, seen in left:
        tried, failed = again(flash, seen)
        result["again"] += tried
        result["failed"] += failed
    data = ring.chip.data
    marked = mount(data).acked
for what in results:
    print(json.dumps(results[what]))
