"""Keeps the controller's record on flash, so that a reset costs nothing that was known.

Owns when it is written: soon after the core says that it is worth it, between two scans. A flash that does
not take it, or what the outbox stores, raises an alarm and costs nothing else: control goes on, and the next
record is tried again.
"""

import json

from greenmast_fw.drivers import clock
from greenmast_fw.services import overlay
from greenmast_fw.storage import files
from greenmast_protocol import alarms

TYPE_CHECKING = False
if TYPE_CHECKING:
    from greenmast_fw.core.controller import Controller
    from greenmast_fw.services.journal import Journal
    from greenmast_fw.services.outbox import Outbox
    from greenmast_fw.services.scan import Scan

_TICK_MS = 200
_STORAGE_FAULT = alarms.index("storage_fault")


class Keeper:
    """`failures` counts records that the flash did not take."""

    def __init__(self, scan: "Scan", outbox: "Outbox", journal: "Journal") -> None:
        self.failures = 0
        self._failed = False
        self._outbox = outbox
        self._scan = scan
        self._journal = journal

    async def run(self) -> None:
        """Store what is worth it, for ever."""
        while True:
            await clock.sleep_ms(_TICK_MS)
            if self._scan.worth_storing:
                self._scan.worth_storing = False
                self.store()
            failing = self._failed or self._outbox.failing
            self._scan.controller.report_alarm(_STORAGE_FAULT, failing)

    def store(self) -> None:
        """Write the record now."""
        try:
            self._outbox.probe()
            files.store(files.RECORD, (json.dumps(overlay.run(self._scan.controller.memory)).encode(),))
            self._failed = False
        except OSError as error:
            self.failures += 1
            self._journal.write("keeper", "the record is not stored: %r" % error)
            self._failed = True


def resume(controller: "Controller", kept: "dict[str, object]", journal: "Journal") -> None:
    """Go on where the record says; a blank board has none."""
    if not kept:
        journal.write("keeper", "no record: a fresh start")
    elif not overlay.run(_restore, controller, kept):
        journal.write("keeper", "the record is another version's: a fresh start")


def _restore(controller: "Controller", kept: "dict[str, object]") -> bool:
    return controller.restore(kept)
