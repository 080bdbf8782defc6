"""Composition root: configuration, then the whole firmware or safe mode, for ever."""

import asyncio
import sys

import machine
import micropython
from greenmast_fw.services import overlay
from greenmast_fw.storage import files


def configuration():
    """(document, problems): one of them is empty."""
    from greenmast_protocol import config

    document, problems = files.configuration()
    return document, problems or config.problems(document)


def build():
    """The application to run."""
    boot = files.count_boot()
    document, problems = overlay.run(configuration)
    if not problems:
        from greenmast_fw.services.app import App

        try:
            return App(document, boot)
        except KeyError as error:
            problems = [("config", "unknown board or device profile: %s" % error)]
    from greenmast_fw.services.safe import SafeMode

    return SafeMode(problems, boot)


micropython.kbd_intr(-1)  # bytes on the console are data, never an interrupt
try:
    asyncio.run(build().run())
except BaseException as error:
    sys.print_exception(error)
machine.reset()  # nothing above ends: when it did, start again from a known state
