"""The cabinet: levels at pins, and channels of a relay module, mean coils and contacts of the plant."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from greenmast import site as sites
from greenmast.emulator.cabinet import Cabinet
from greenmast.plant import Plant, PlantConfig

SITE = """
[site]
id = "here"
board = "{board}"
[battery]
chemistry = "lfp"
capacity_ah = 300
[grid]
nominal_mv = 230000
[[bus]]
name = "meters"
[[device.io]]
profile = "waveshare-relay-8ch"
bus = "meters"
address = 1
[output.grid]
pin = "{grid}"
feedback = "{feedback}"
idle = "closed"
[output.load3]
pin = "io.2"
feedback = "io.3"
idle = "closed"
[input.door_open]
pin = "{door}"
active = "open"
[input.smoke]
pin = "io.8"
active = "closed"
[input.mains_fail]
pin = "io.7"
active = "open"
"""
BOARDS = {
    "kincony-kc868-a8s": {"grid": "R1", "feedback": "IN1", "door": "IN2"},
    "waveshare-esp32-s3-eth-8di-8ro": {"grid": "CH1", "feedback": "DI1", "door": "DI2"},
}
PINS = {
    "kincony-kc868-a8s": (100, 101),
    "waveshare-esp32-s3-eth-8di-8ro": (4, 5),
}  # contacts of grid and door


@pytest.fixture(params=BOARDS)
def cabinet(request: pytest.FixtureRequest, tmp_path: Path) -> SimpleNamespace:
    name = request.param
    path = tmp_path / "site.toml"
    path.write_text(SITE.format(board=name, **BOARDS[name]), encoding="utf-8")
    site = sites.load(str(path))
    plant = Plant(PlantConfig.from_site(site.plant), 1, start=datetime(2026, 6, 1, 12, tzinfo=site.timezone))
    plant.set_truth("grid.voltage_mv", 230_000)
    module = SimpleNamespace(coils=dict.fromkeys(range(8), False), discrete=dict.fromkeys(range(8), False))
    wired = Cabinet(site, plant, [module])
    return SimpleNamespace(
        wired=wired,
        plant=plant,
        module=module,
        on=1 if name.startswith("waveshare") else 0,
        contacts=PINS[name],
    )


def test_a_coil_moves_a_contactor_and_its_contact_a_level(cabinet: SimpleNamespace) -> None:
    grid, _ = cabinet.contacts
    assert cabinet.wired.levels()[grid] == 0, "closed contacts read low on real boards"
    cabinet.wired.drive(100, cabinet.on)
    cabinet.plant.step(1)
    assert cabinet.wired.levels()[grid] == 1
    cabinet.wired.drive(100, 1 - cabinet.on)
    cabinet.plant.step(1)
    assert cabinet.wired.levels()[grid] == 0
    cabinet.wired.drive(107, cabinet.on)  # a terminal that is not wired


def test_a_contact_that_opens_to_tell_does_so(cabinet: SimpleNamespace) -> None:
    _, door = cabinet.contacts
    assert cabinet.wired.levels()[door] == 0
    cabinet.plant.set_truth("site.door_open", 1)
    assert cabinet.wired.levels()[door] == 1


def test_a_relay_module_is_wired_alike(cabinet: SimpleNamespace) -> None:
    module = cabinet.module
    cabinet.wired.refresh()
    assert module.discrete[2], "load3 is connected without current"
    assert not module.discrete[7]
    assert module.discrete[6], "a mains relay that opens to tell is closed while there is mains"
    module.coils[1] = True
    cabinet.wired.refresh()
    cabinet.plant.step(1)
    cabinet.plant.set_truth("site.smoke", 1)
    cabinet.plant.set_truth("grid.voltage_mv", 100_000)
    cabinet.wired.refresh()
    assert not module.discrete[2]
    assert module.discrete[7]
    assert not module.discrete[6]
