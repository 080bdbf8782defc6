"""A NOR flash chip in memory whose power goes at a chosen operation, under MicroPython.

Kinds of cut, at operation k:
  before   k does not happen          after    k is the last that happens
  torn     half of k happens          lost     k is lost though k + 1 happens
"""

import os

import vfs

BLOCK, BLOCKS = 4096, 32
_EIO = 5
SIZES = {"readsize": 64, "progsize": 64, "lookahead": 32}  # half the operations of the board's 32
CUTS = ("before", "after", "torn", "lost")


class Chip:
    """`data`: the flash, in sectors of `block` bytes. `cut_at`: when power goes (0: never)."""

    def __init__(self, data, cut_at=0, cut="before", block=BLOCK):
        self.data = data
        self.operations = self.erases = 0
        self._cut_at = cut_at
        self._cut = cut
        self._block = block
        self._dead = False

    def readblocks(self, block, buf, offset=0):
        at = block * self._block + offset
        buf[:] = self.data[at : at + len(buf)]

    def writeblocks(self, block, buf, offset=0):
        at = block * self._block + offset
        count = self._count(len(buf))
        data = self.data
        for i in range(count):
            data[at + i] &= buf[i]  # programming clears bits, nothing else
        return self._end()

    def ioctl(self, request, argument):
        if request == 4:
            return len(self.data) // self._block
        if request == 5:
            return self._block
        if request == 6:
            count = self._count(self._block)
            self.erases += count == self._block
            at = argument * self._block
            self.data[at : at + count] = b"\xff" * count
            return self._end()
        return 0

    def _count(self, whole):
        """How many bytes of the next operation happen."""
        if self._dead:
            return 0
        self.operations += 1
        if self.operations != self._cut_at:
            return whole
        return whole if self._cut == "after" else whole // 2 if self._cut == "torn" else 0

    def _end(self):
        """0, or that the operation has failed: power goes here. (To raise would leave the file system's own
        code in the middle of things.)
        """
        if self._cut_at and self.operations >= self._cut_at + (self._cut == "lost"):
            self._dead = True
        return -_EIO if self._dead else 0


def with_chip(chip, action):
    """The result of `action()` on the mounted chip, or the OSError that ended it."""
    try:
        vfs.mount(vfs.VfsLfs2(chip, **SIZES), "/f")
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


def blank():
    """A chip with an empty file system."""
    chip = Chip(bytearray(b"\xff" * BLOCK * BLOCKS))
    vfs.VfsLfs2.mkfs(chip, **SIZES)
    return chip
