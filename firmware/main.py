"""Composition root: configuration, then the whole firmware or safe mode, for ever."""

import asyncio
import sys

import machine
import micropython
from greenmast_fw.services.app import App
from greenmast_fw.services.safe import SafeMode
from greenmast_fw.storage import files
from greenmast_protocol import config as rules


def configuration():
    """(document, problems): one of them is empty."""
    try:
        document = files.load(files.CONFIG)
    except files.Damaged:
        return None, ["the stored configuration is damaged"]
    if document is None:
        return None, ["there is no configuration"]
    return document, ["%s: %s" % problem for problem in rules.problems(document)]


def build():
    """The application to run."""
    boot = files.count_boot()
    document, problems = configuration()
    if not problems:
        try:
            return App(document, boot)
        except KeyError as error:
            problems = ["unknown board or device profile: %s" % error]
    return SafeMode(problems, boot)


micropython.kbd_intr(-1)  # bytes on the console are data, never an interrupt
try:
    asyncio.run(build().run())
except BaseException as error:
    sys.print_exception(error)
machine.reset()  # nothing above ends: when it did, start again from a known state
