"""Runs under MicroPython: cuts the power at every operation of a flash chip while documents are stored.

The chip (`power_cut_chip`) stands behind the very file system of the board. After each cut the board boots
again and is cut once more at every operation of that boot; then it boots in peace. Prints one JSON line a
document: what was tried, what failed, erases per write.
"""

import gc
import json
import os
import sys

import vfs
from power_cut_chip import CUTS, Chip

from greenmast_fw.storage import files

BLOCK, BLOCKS = 4096, 32


def with_chip(chip, action):
    """The result of `action()` on the mounted chip, or the OSError that ended it."""
    try:
        vfs.mount(vfs.VfsLfs2(chip, readsize=256, progsize=256, lookahead=32), "/f")
    except OSError as error:
        return error
    os.chdir("/f")
    try:
        return action()
    except OSError as error:
        return error
    finally:
        os.chdir("/")
        vfs.umount("/f")


def trial(name, old, new, generation):
    """Every cut of one write, each with every cut of the boot after it.

    `generation`: how many boots the file system has seen, so that its log is more or less full.
    """
    chip = Chip(bytearray(b"\xff" * BLOCK * BLOCKS))
    vfs.VfsLfs2.mkfs(chip, readsize=256, progsize=256, lookahead=32)

    def prepare():
        for _ in range(generation):
            files.count_boot()
        files.store("other", old)
        files.store(name, b"older")
        files.store(name, old)

    with_chip(chip, prepare)
    start = bytes(chip.data)
    whole = Chip(bytearray(start))
    with_chip(whole, lambda: files.store(name, new))
    tried = 0
    failed = []
    for cut in CUTS:
        for k in range(1, whole.operations + 1):
            chip = Chip(bytearray(start), k, cut)
            done = with_chip(chip, lambda: files.store(name, new))
            after = bytes(chip.data)
            seen = boot(after, name)
            tried += 1
            if seen not in (old, new) or (done is None and seen != new):
                failed.append((cut, k, str(seen)))
            again, bad = reboots(after, name, seen)
            tried += again
            failed.extend([(cut, k) + one for one in bad])  # noqa: RUF005 (MicroPython has no other way)
    return {"tried": tried, "failed": failed, "operations": whole.operations}


def boot(data, name):
    """What a boot that nothing disturbs finds."""
    return with_chip(Chip(bytearray(data)), lambda: files.read(name))


def reboots(data, name, seen):
    """Boots cut at each of their own operations: what was there before must be there after."""
    peaceful = Chip(bytearray(data))
    with_chip(peaceful, files.count_boot)
    bad = []
    tried = 0
    allowed = (seen, b"%d" % (int(seen) + 1)) if name == files.BOOT else (seen,)
    for cut in CUTS:
        for j in range(1, peaceful.operations + 1):
            chip = Chip(bytearray(data), j, cut)
            with_chip(chip, files.count_boot)
            tried += 1
            after = bytes(chip.data)
            if boot(after, name) not in allowed:
                bad.append(("again", cut, j))
    gc.collect()
    return tried, bad


def wear(body, writes):
    """Erases per write of a document that is stored over and over."""
    chip = Chip(bytearray(b"\xff" * BLOCK * BLOCKS))
    vfs.VfsLfs2.mkfs(chip, readsize=256, progsize=256, lookahead=32)
    before = chip.erases

    def store():
        for _ in range(writes):
            files.store("record", body)

    with_chip(chip, store)
    return 1000 * (chip.erases - before) // writes


generations = int(sys.argv[1])
for name, size in (("config", 3_000), ("record", 1_200), ("boot", 2)):
    result = {"document": name, "tried": 0, "failed": [], "operations": 0}
    for generation in range(generations):
        one = trial(name, b"1" * size, b"2" * (size + 1), generation)
        result["tried"] += one["tried"]
        result["operations"] += one["operations"]
        result["failed"] += one["failed"]
    result["erases_per_1000_writes"] = wear(b"3" * size, 200)
    print(json.dumps(result))
