"""Documents in two slots: the newer good one counts, whatever has become of the other."""

import os

from greenmast_fw.storage import files
from greenmast_protocol import slot


def wiped():
    for name in ("thing.a", "thing.b"):
        try:
            os.remove(name)
        except OSError:
            pass


def damage(path, at, value):
    with open(path, "rb") as f:
        data = bytearray(f.read())
    data[at] ^= value
    with open(path, "wb") as f:
        f.write(data)


def test_what_was_stored_last_is_read():
    wiped()
    assert files.read("thing") is None
    for body in (b"one", b"two", b"three", b""):
        files.store("thing", (body,))
        assert files.read("thing") == body
    wiped()


def test_a_slot_that_rots_leaves_the_other_and_the_next_write_goes_into_it():
    wiped()
    files.store("thing", (b"old",))
    files.store("thing", (b"new",))
    damage("thing.b", 30 - 3, 1)
    assert files.read("thing") == b"old"
    files.store("thing", (b"newer",))
    assert files.read("thing") == b"newer"
    with open("thing.a", "rb") as f:
        assert slot.unpack(f.read()) == (1, b"old")
    wiped()


def test_rot_in_both_slots_is_told_and_repaired_by_the_next_write():
    wiped()
    files.store("thing", (b"old",))
    files.store("thing", (b"new",))
    damage("thing.a", 0, 1)
    damage("thing.b", 20, 4)
    try:
        files.read("thing")
        raise AssertionError("it was damaged")
    except files.DamagedError:
        pass
    files.store("thing", (b"repaired",))
    assert files.read("thing") == b"repaired"
    wiped()


def test_any_flipped_bit_and_any_missing_byte_is_noticed():
    data = slot.pack(7, b'{"a":[1,2]}')
    assert slot.unpack(data) == (7, b'{"a":[1,2]}')
    for at in range(len(data)):
        assert slot.unpack(data[:at]) is None
        for bit in range(8):
            broken = bytearray(data)
            broken[at] ^= 1 << bit
            found = slot.unpack(bytes(broken))
            # A letter of the CRC may change its case, the blank behind the length its kind; nothing else may.
            assert found is None or found == (7, b'{"a":[1,2]}'), (at, bit)


def test_a_board_counts_its_boots():
    for name in ("boot.a", "boot.b"):
        try:
            os.remove(name)
        except OSError:
            pass
    assert [files.count_boot() for _ in range(5)] == [1, 2, 3, 4, 5]
    for name in ("boot.a", "boot.b"):
        os.remove(name)


def test_a_document_read_slowly_is_the_same_and_holds_no_file_open():
    wiped()
    for size in (1, 127, 128, 129, 1000):
        body = bytes([at % 251 for at in range(size)])
        files.store("thing", (body,))
        assert b"".join(files.pieces("thing").slowly()) == body
        pieces = files.pieces("thing").slowly()
        next(pieces)
        wiped()
        try:
            next(pieces)
        except OSError:
            pass
        else:
            raise AssertionError("the file was open")
