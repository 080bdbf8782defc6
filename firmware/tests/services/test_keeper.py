"""The keeper: when the record is stored, and what may be told once it is."""

import asyncio
import json

import pytest

from greenmast_fw.core import record
from greenmast_fw.core.controller import Controller
from greenmast_fw.core.site import Site
from greenmast_fw.services import keeper
from greenmast_protocol import params


class Nothing:
    failing = False

    def write(self, who, what):
        pass

    def probe(self):
        """A flash that takes everything."""


class Scan:
    """As much of one as the keeper needs."""

    def __init__(self):
        self.controller = Controller(params.defaults(), Site({"grid": (1, 0)}))
        self.worth_storing = False
        self.stored_wh = list(self.controller.energy.wh)


class Flash:
    """Stands for `files.store`. `refuses`: what it raises."""

    def __init__(self):
        self.bodies = []
        self.refuses = None

    def store(self, name, pieces):
        if self.refuses:
            raise self.refuses
        self.bodies.append(json.loads(b"".join(pieces)))


@pytest.fixture
def flash(monkeypatch):
    flash = Flash()
    monkeypatch.setattr(keeper.files, "store", flash.store)
    monkeypatch.setattr(keeper.overlay, "run", lambda function, *args: function(*args))
    return flash


def kept():
    scan = Scan()
    return scan, keeper.Keeper(scan, Nothing(), Nothing())


def some_rounds(one):
    async def rounds():
        task = asyncio.create_task(one.run())
        await asyncio.sleep(0.01)
        task.cancel()

    asyncio.run(rounds())


def test_what_is_stored_part_by_part_is_the_whole_record(flash):
    scan, one = kept()
    one.store()
    assert flash.bodies == [dict(record.parts(scan.controller))]
    assert Scan().controller.restore(flash.bodies[0])


def test_the_record_of_a_boot_is_stored_in_the_first_round(flash):
    scan, one = kept()
    scan.worth_storing = True
    some_rounds(one)
    assert len(flash.bodies) == 1
    assert not scan.worth_storing


def test_energy_that_becomes_known_is_stored_to_be_told(flash):
    scan, one = kept()
    scan.controller.energy.wh[0] = 0
    some_rounds(one)
    assert scan.stored_wh[0] == 0
    assert flash.bodies[0]["energy"][0] == 1
    scan.controller.energy.wh[0] = 9
    some_rounds(one)
    assert (len(flash.bodies), scan.stored_wh[0]) == (1, 0)


def test_a_record_for_which_there_was_no_memory_stays_worth_storing_and_nothing_more_is_told(flash):
    scan, one = kept()
    scan.controller.energy.wh[0] = 5
    flash.refuses = MemoryError()
    with pytest.raises(MemoryError):
        one.store()
    assert scan.worth_storing
    assert scan.stored_wh[0] is None


def test_a_flash_that_refuses_stops_no_counter(flash):
    scan, one = kept()
    scan.controller.energy.wh[0] = 5
    flash.refuses = OSError(5)
    one.store()
    assert (one.failures, scan.stored_wh[0]) == (1, 5)


def test_accepted_commands_are_stored_at_once_a_handful_in_a_row(flash):
    _, one = kept()
    for _ in range(100):
        one.commanded()
    assert len(flash.bodies) == 5
