"""Keeps the controller's record on flash, so that a reset costs nothing that was known.

Owns when it is written: soon after the core says that it is worth it, between two scans; when energy is known
for the first time, as counts are told no sooner than they are stored; and before a command is answered, so
that what was applied stays so. A flash that does not take it, or what the outbox stores, raises an alarm and
costs nothing else: control goes on, counts are told as they are, and the next record is tried again.

Has a configuration on trial count down, too, and drops it when that is decided.
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
    from greenmast_fw.services.trial import Trial

_TICK_MS = 200
_COMMAND_COST_MS = 60_000  # commands wear the flash: one a minute on average, a handful in a row
_CREDIT_MAX_MS = 600_000
_STORAGE_FAULT = alarms.index("storage_fault")


class Keeper:
    """`failures` counts records that the flash did not take. `trial`: None when there is none (any more)."""

    def __init__(self, scan: "Scan", outbox: "Outbox", journal: "Journal") -> None:
        self.failures = 0
        self.trial: "Trial | None" = None
        self._failed = False
        self._credit_ms = _CREDIT_MAX_MS // 2
        self._outbox = outbox
        self._scan = scan
        self._journal = journal

    async def run(self) -> None:
        """Store what is worth it, for ever."""
        while True:  # the first time before there are messages in memory
            if self._scan.worth_storing or self._is_new():
                self.store()
            failing = self._failed or self._outbox.failing
            self._scan.controller.report_alarm(_STORAGE_FAULT, failing)
            self._count_down()
            await clock.sleep_ms(_TICK_MS)
            self._credit_ms = min(self._credit_ms + _TICK_MS, _CREDIT_MAX_MS)

    def _count_down(self) -> None:
        if self.trial:
            self.trial.tick()
            if not self.trial.left_s:
                self.trial = None
                overlay.forget("greenmast_fw.services.trial")  # heap is scarce

    def commanded(self) -> None:
        """A command has been accepted and is about to be answered."""
        if self._credit_ms >= _COMMAND_COST_MS:
            self._credit_ms -= _COMMAND_COST_MS
            self.store()

    def store(self) -> None:
        """Write the record now. Raises MemoryError; the next round tries again."""
        scan = self._scan
        scan.worth_storing = True  # until it is done
        pieces = overlay.run(_pieces, scan.controller)
        try:
            self._outbox.probe()
            files.store(files.RECORD, pieces)
            self._failed = False
        except OSError as error:
            self.failures += 1
            self._journal.write("keeper", "the record is not stored: %r" % error)
            self._failed = True
        scan.worth_storing = False
        scan.stored_wh[:] = scan.controller.energy.wh

    def _is_new(self) -> bool:
        """Whether energy is known of which nothing was."""
        scan = self._scan
        for i in range(len(scan.stored_wh)):
            if scan.stored_wh[i] is None and scan.controller.energy.wh[i] is not None:
                return True
        return False


def _pieces(controller: "Controller") -> "list[bytes]":
    """The JSON of the record, part by part: there may be no room for all of it in one piece."""
    from greenmast_fw.core import record

    out: "list[bytes]" = []
    for name, part in record.parts(controller):
        out.append(('%s"%s":%s' % ("," if out else "{", name, json.dumps(part))).encode())
    out.append(b"}")
    return out


def resume(controller: "Controller", kept: "dict[str, object]", journal: "Journal") -> None:
    """Go on where the record says; a blank board has none."""
    if not kept:
        journal.write("keeper", "no record: a fresh start")
    elif not overlay.run(_restore, controller, kept):
        journal.write("keeper", "the record is another version's: a fresh start")


def _restore(controller: "Controller", kept: "dict[str, object]") -> bool:
    return controller.restore(kept)
