"""Power-on of the virtual board: mount the flash file, set the pace of time, run `main.py` from it.

The real board's boot does the same with its flash chip. Started by `greenmast.emulator.board`.
"""

import os
import sys

import vfs

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
from esp32 import Partition  # noqa: E402 (only now does the path lead there)

flash = vfs.VfsLfs2(Partition(os.getenv("GREENMAST_FLASH")), readsize=32, progsize=32, lookahead=32)
vfs.mount(flash, "/flash")
os.chdir("/flash")
with open("main.py") as source:
    program = source.read()
exec(compile(program, "main.py", "exec"), {"__name__": "__main__"})
