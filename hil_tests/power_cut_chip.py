"""NOR flash in memory whose power goes at a given operation. Runs under MicroPython.

Kinds of cut, at operation k:
  before   k does not happen          after    k is the last that happens
  torn     half of k happens          lost     k is lost though k + 1 happens
"""

CUTS = ("before", "after", "torn", "lost")


class Chip:
    """`data`: the flash, in sectors of `block` bytes. `cut_at`: when power goes (0: never)."""

    def __init__(self, data, cut_at=0, cut="before", block=4096):
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
        self._end()

    def ioctl(self, request, argument):
        if request == 4:
            return len(self.data) // self._block
        if request == 5:
            return self._block
        if request == 6:
            count = self._count(self._block)
            self.erases += 1
            at = argument * self._block
            self.data[at : at + count] = b"\xff" * count
            self._end()
        return 0

    def _count(self, whole):
        """How many bytes of the next operation happen."""
        if self._dead:
            raise OSError(5)
        self.operations += 1
        if self.operations != self._cut_at:
            return whole
        return whole if self._cut == "after" else whole // 2 if self._cut == "torn" else 0

    def _end(self):
        """Power goes here, if it does."""
        if self._cut_at and self.operations >= self._cut_at + (self._cut == "lost"):
            self._dead = True
            raise OSError(5)
