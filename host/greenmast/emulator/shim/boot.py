"""Power-on of the virtual board: mount the flash file, set the pace of time, run `main.py` from it.

The real board's boot does the same with its flash chip. Started by `greenmast.emulator.board`.
"""

import os
import sys

import vfs

_GET_BLOCK_COUNT = 4
_GET_BLOCK_SIZE = 5
_BLOCK_SIZE = 4096


class FlashFile:
    """A NOR flash chip in a file. What is written is there for the next boot, however this process ends."""

    def __init__(self, path):
        self._file = open(path, "r+b")
        self._blocks = self._file.seek(0, 2) // _BLOCK_SIZE

    def readblocks(self, block, buf, offset=0):
        self._file.seek(block * _BLOCK_SIZE + offset)
        self._file.readinto(buf)

    def writeblocks(self, block, buf, offset=0):
        self._file.seek(block * _BLOCK_SIZE + offset)
        self._file.write(buf)

    def ioctl(self, request, argument):
        if request == _GET_BLOCK_COUNT:
            return self._blocks
        if request == _GET_BLOCK_SIZE:
            return _BLOCK_SIZE
        return 0


# The ROM partition and MicroPython's own modules are memory outside the heap on a chip; here they lie at the
# bottom of a heap made larger by their size.
for folder in ("shim", "rom"):
    path = os.getenv("GREENMAST_" + folder.upper())
    if path:
        with open(path, "rb") as image:
            vfs.mount(vfs.VfsRom(memoryview(image.read())), "/" + folder)
sys.path[:] = ["/flash", "/rom", "/shim", ".frozen"]
if (os.getenv("GREENMAST_SPEED") or "1") != "1":
    import faster

    faster.install()
else:
    import epoch

    epoch.install(epoch)
flash = vfs.VfsLfs2(FlashFile(os.getenv("GREENMAST_FLASH")), readsize=64, progsize=64, lookahead=32)
vfs.mount(flash, "/flash")
os.chdir("/flash")
with open("main.py") as source:
    program = source.read()
exec(compile(program, "main.py", "exec"), {"__name__": "__main__"})
