"""Every reference site ships in a state in which it can be simulated, emulated, compiled and controlled."""

from __future__ import annotations

from datetime import datetime
from importlib import resources
from pathlib import Path

import pytest

from greenmast import site as sites
from greenmast.emulator.emulate import EmulatedSite
from greenmast.errors import UserError
from greenmast.flash import build
from greenmast.plant import Plant, PlantConfig
from greenmast_fw.core.controller import Controller
from greenmast_fw.core.site import from_config
from greenmast_protocol import config, params

NAMES = ("india-rural", "japan-disaster", "japan-urban", "off-grid")


def test_the_reference_sites_ship_by_name() -> None:
    assert tuple(sites.names()) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_reference_site_is_complete(name: str) -> None:
    site = sites.load(name)
    assert site.id == name
    assert config.problems(site.board_config()) == []
    plant = Plant(PlantConfig.from_site(site.plant), 1, start=datetime(2026, 6, 1, 12, tzinfo=site.timezone))
    EmulatedSite(site, plant)
    plant.step(600)
    assert plant.truth("dc.bus_mv") > 45_000
    roles = {device.role for device in site.devices}
    assert ("genset" in roles) == plant.cfg.genset.present
    assert ("grid" in roles) == plant.cfg.grid.present
    Controller(params.complete(dict(site.params)), from_config(site.board_config()))


def test_a_bus_on_the_network_needs_no_line_and_only_its_site_carries_the_code_for_it(tmp_path: Path) -> None:
    text = (resources.files("greenmast") / "sites" / "india-rural.toml").read_text(encoding="utf-8")
    line = 'name = "power"\nbaud = 115200\nparity = "N"\n'
    assert line in text
    path = tmp_path / "lan.toml"
    path.write_text(text.replace(line, 'name = "power"\ntcp = "192.168.1.50:502"\n'), encoding="utf-8")
    site = sites.load(str(path))
    assert site.buses[1] == sites.Bus("power", 0, "", "192.168.1.50:502")
    assert site.board_config()["buses"][1] == {
        "name": "power",
        "baud": None,
        "parity": None,
        "tcp": "192.168.1.50:502",
    }
    carried = [
        {name for name in build.firmware(one) if "tcp" in name} for one in (site, sites.load("india-rural"))
    ]
    assert carried == [{"greenmast_fw/drivers/modbus_tcp.mpy"}, set()]
    path.write_text(text.replace(line, f'{line}tcp = "192.168.1.50:502"\n'), encoding="utf-8")
    with pytest.raises(UserError, match="either baud and parity or tcp"):
        sites.load(str(path))


@pytest.mark.parametrize("name", NAMES)
def test_the_firmware_of_a_reference_site_compiles(name: str) -> None:
    files = build.firmware(sites.load(name))
    assert "main.py" in files
    assert build.mpy_bytes(files) > 50_000
