"""The scan ends for one reason only: a reset by command, which no supervisor holds up."""

import asyncio

from greenmast_fw.core.controller import Controller
from greenmast_fw.core.site import Site
from greenmast_fw.core.snapshot import Image
from greenmast_fw.services import supervisor
from greenmast_fw.services.scan import Scan
from greenmast_protocol import params


class Fake:
    """Outputs, inputs, devices' health, watchdog, journal and a wall clock that knows nothing, in one."""

    trusted = False

    def minute(self):
        return None

    def __init__(self):
        self.failed = False
        self.uptime_s = 0
        self.fed = 0

    def apply(self, outputs):
        pass

    def read_into(self):
        pass

    def step(self):
        pass

    def feed(self):
        self.fed += 1

    def write(self, name, text):
        pass


def _run(scan, fake):
    """Seconds of supervision until the program ends, or 1. Returns whether it ended by itself."""

    async def supervised():
        await asyncio.wait_for(supervisor.run(fake, [("scan", scan.run)]), 1)

    try:
        asyncio.run(supervised())
    except SystemExit:
        return True
    except asyncio.TimeoutError:
        return False
    return False


def _scan(fake):
    controller = Controller(params.defaults(), Site({"grid": (1, 0)}))
    return Scan(Image(), controller, fake, [fake], [], fake, fake, fake, 100, 1, fake)


def test_a_reset_by_command_ends_the_program_after_the_next_scan():
    fake = Fake()
    scan = _scan(fake)
    assert scan.controller.command("controller.reset", {}) == (0, {})
    assert _run(scan, fake)
    assert scan.scans == fake.fed == 1


def test_without_that_the_scan_goes_on():
    fake = Fake()
    scan = _scan(fake)
    assert not _run(scan, fake)
    assert scan.scans >= 2
