"""Power-on of the virtual board: mount the flash file, set the pace of time, run `main.py` from it.

The real board's boot does the same with its flash chip. Started by `greenmast.emulator.board`.
"""

import os
import sys

import vfs

_HERE = __file__.rsplit("/", 1)[0]


# The ROM partition is memory outside the heap on a chip; here it lies at the bottom of a heap made larger by
# its size.
rom_path = os.getenv("GREENMAST_ROM")
if rom_path:
    with open(rom_path, "rb") as image:
        vfs.mount(vfs.VfsRom(memoryview(image.read())), "/rom")
sys.path[:] = ["/flash", "/rom", _HERE, ".frozen"]
if (os.getenv("GREENMAST_SPEED") or "1") != "1":
    import faster

    faster.install()
from esp32 import Partition  # noqa: E402 (only now does the path lead there)

flash = vfs.VfsLfs2(Partition(os.getenv("GREENMAST_FLASH")), readsize=256, progsize=256, lookahead=32)
vfs.mount(flash, "/flash")
os.chdir("/flash")
with open("main.py") as source:
    program = source.read()
exec(compile(program, "main.py", "exec"), {"__name__": "__main__"})
