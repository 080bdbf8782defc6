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
from greenmast.scenario.sensors import Sensors
from greenmast_fw.core.controller import Controller
from greenmast_fw.core.site import from_config
from greenmast_protocol import config, params, points

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


def with_meter(tmp_path: Path, profile: str, more: str = "") -> sites.Site:
    """The site india-rural with another meter of the grid."""
    text = (Path(sites.__file__).parent / "sites" / "india-rural.toml").read_text()
    file = tmp_path / "site.toml"
    file.write_text(text.replace('profile = "eastron-sdm230"', f'profile = "{profile}"\n{more}'))
    return sites.load(str(file))


def test_a_three_phase_meter_counts_three_times_unless_the_site_says_that_it_measures_one(
    tmp_path: Path,
) -> None:
    for profile in ("eastron-sdm630", "sunspec-meter"):
        site = with_meter(tmp_path, profile)
        assert [device.phases for device in site.devices if device.role == "grid"] == [3]
        assert site.roles.count("grid") == 3
        assert from_config(site.board_config()).roles == site.roles
        single = with_meter(tmp_path, profile, "phases = 1")
        assert single.roles.count("grid") == 1
    assert sites.load("india-rural").roles.count("grid") == 1
    with pytest.raises(UserError, match="phases must be 1, or 3 of the grid"):
        with_meter(tmp_path, "eastron-sdm630", "phases = 2")


def test_the_grid_behind_a_three_phase_meter_is_that_of_its_worst_phase(tmp_path: Path) -> None:
    site = with_meter(tmp_path, "eastron-sdm630")
    settings = params.complete(dict(site.params))
    plant = Plant(PlantConfig.from_site(site.plant), 1, start=datetime(2026, 6, 1, 12, tzinfo=site.timezone))
    plant.set_truth("grid.voltage_mv", 231_000)
    sensors = Sensors(site, plant, settings, 1)
    of_core = from_config(site.board_config())
    assert of_core.instances is not None
    beyond = range(points.COUNT, points.COUNT + of_core.instances.count)
    number = {of_core.instances.name(i): i for i in beyond}
    controller = Controller(settings, of_core)
    for _ in range(3):
        plant.step(1.0)
        snapshot = sensors.scan(1_000, None)
        decision = controller.step(snapshot, 1_000)
    volts = [snapshot.v[number[f"grid.l{phase}_voltage_mv"]] for phase in (1, 2, 3)]
    assert all(value is not None and abs(value - 231_000) < 1_000 for value in volts)
    assert decision.accepted[points.index("grid.voltage_mv")] in volts


def test_the_walker_goes_only_to_boards_that_have_a_sunspec_device(tmp_path: Path) -> None:
    walker = "greenmast_fw/devices/sunspec.mpy"
    assert walker not in build.firmware(sites.load("india-rural"))
    files = build.firmware(with_meter(tmp_path, "sunspec-meter"))
    assert walker in files
    assert "greenmast_fw/devices/sunspec_meter.mpy" in files
    assert "greenmast_fw/devices/sunspec_battery.mpy" not in files
    assert "greenmast_fw/devices/probe.mpy" not in files
