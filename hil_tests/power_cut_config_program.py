"""Runs under MicroPython: cuts the power at every flash operation of every step of a transaction.

Steps: a document is staged, commit, a boot on trial, a note of the time left, confirm, roll back, back to the
revision before. After each cut the board boots, cut once more at every operation of that boot, and then in
peace: the configuration in force is one that the step may leave, whole; one that is not confirmed is gone
after a few boots more. Prints one JSON line a step.
"""

import json
import sys

from power_cut_chip import CUTS, Chip, blank, with_chip

from greenmast_fw.storage import files, revisions, staged

SIZE = 1_700


def document(revision):
    body = b'{"schema":1,"revision":%d,"fill":"' % revision
    return body + b"%d" % revision * (SIZE - len(body)) + b'"}'


OLD, NEW, NEXT = document(1), document(2), document(3)


def put(body, parts=2):
    crc = files.slot.checksum((body,))
    half = len(body) // parts
    at = 0
    for _ in range(parts + 1):
        if at < len(body):
            at = staged.put(at, body[at : at + half], len(body), crc)
    return crc


def commit(body, revision, over):
    crc = files.slot.checksum((body,))
    if staged.is_whole():
        revisions.begin(staged.PATH, revision, over, crc, 60)


def boot():
    """What a boot does with the flash; the document that is in force then."""
    files.count_boot()
    return b"".join(files.trial() if revisions.boot() else files.pieces(files.CONFIG) or ())


def is_known(body):
    return body in (OLD, NEW, NEXT)


def old():
    files.store(files.CONFIG, (OLD,))


def old_and_half():
    old()
    put(NEW)


def on_trial():
    old_and_half()
    commit(NEW, 2, 1)
    boot()


def confirmed():
    on_trial()
    revisions.confirm()


# Name, what was before, the step, documents that may be in force after a cut in it, and after it.
STEPS = (
    ("stage", old, lambda: put(NEW), (OLD,), (OLD,)),
    ("commit", old_and_half, lambda: commit(NEW, 2, 1), (OLD, NEW), (NEW,)),
    ("boot", lambda: (old_and_half(), commit(NEW, 2, 1)), boot, (NEW,), (NEW,)),
    ("note", on_trial, lambda: revisions.keep(30), (NEW,), (NEW,)),
    ("confirm", on_trial, revisions.confirm, (NEW,), (NEW,)),
    ("roll back", on_trial, revisions.roll_back, (OLD, NEW), (OLD,)),
    ("step back", confirmed, lambda: revisions.step_back(2), (OLD, NEW), (OLD,)),
    ("commit again", lambda: (confirmed(), put(NEXT)), lambda: commit(NEXT, 3, 2), (NEW, NEXT), (NEXT,)),
)


def play(name, before, step, during, after, generation):
    """Every cut of one step, each with every cut of the boot after it."""
    chip = blank()

    def prepare():
        for _ in range(generation):
            files.count_boot()
        before()

    with_chip(chip, prepare)
    start = bytes(chip.data)
    whole = Chip(bytearray(start))
    with_chip(whole, step)
    tried = 0
    failed = []
    for cut in CUTS:
        for k in range(1, whole.operations + 1):
            chip = Chip(bytearray(start), k, cut)
            done = not isinstance(with_chip(chip, step), OSError)
            data = bytes(chip.data)
            peaceful = Chip(bytearray(data))
            seen = with_chip(peaceful, boot)
            tried += 1
            if seen not in (after if done else during):
                failed.append((cut, k, brief(seen)))
            if not settles(peaceful.data, seen):
                failed.append((cut, k, "does not settle"))
            for again in CUTS:
                for j in range(1, peaceful.operations + 1):
                    chip = Chip(bytearray(data), j, again)
                    with_chip(chip, boot)
                    tried += 1
                    second = with_chip(Chip(chip.data), boot)
                    if second not in during:
                        failed.append((cut, k, again, j, brief(second)))
    return {"step": name, "tried": tried, "failed": failed, "operations": whole.operations}


def settles(data, seen):
    """Nobody confirms: a trial ends within its boots, and what is in force then stays."""
    chip = Chip(bytearray(data))
    for _ in range(revisions.BOOTS_MAX + 1):
        last = with_chip(chip, boot)
    status = with_chip(chip, revisions.status)
    confirmed_now = with_chip(chip, lambda: b"".join(files.pieces(files.CONFIG) or ()))
    return is_known(last) and last == confirmed_now and status["confirm_s"] == 0 and is_known(seen)


def brief(body):
    return str(body)[:40]


for row in STEPS:
    result = {"step": row[0], "tried": 0, "failed": [], "operations": 0}
    for generation in sys.argv[1:]:  # how many boots before: the file system's log is more or less full
        one = play(*row, int(generation))
        for key in ("tried", "failed", "operations"):
            result[key] += one[key]
    print(json.dumps(result))
