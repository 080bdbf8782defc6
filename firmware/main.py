"""Composition root: configuration, then the whole firmware or safe mode, for ever."""

import asyncio
import gc
import sys

import machine
import micropython

from greenmast_fw.services import overlay


def read_setup():
    """See `setup.read`."""
    from greenmast_fw.services import setup

    return setup.read()


def firmware():
    """What to run: a coroutine without end."""
    boot, parts, problems = overlay.run(read_setup)
    if problems:
        from greenmast_fw.services.safe import SafeMode

        return SafeMode(problems, boot).run()
    from greenmast_fw.services import app

    tasks = app.build(boot, parts)
    overlay.forget("greenmast_fw.services.app")
    return tasks


gc.threshold(4096)  # collect often while things that stay are loaded, so that they lie close together
micropython.kbd_intr(-1)  # bytes on the console are data, never an interrupt
try:
    asyncio.run(firmware())
except BaseException as error:  # noqa: BLE001 (whatever it was, the board must not stand still)
    sys.print_exception(error)
machine.reset()  # nothing above ends: when it did, start again from a known state
