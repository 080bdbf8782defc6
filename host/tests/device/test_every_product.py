"""Each product with an emulated device: recognised among all, read with the plant's truths, not confused.

The emulated devices and the tables were written from the makers' documents by different people, so what holds
here has been read twice. Whatever is added to both is tested here without another line.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from typer.testing import CliRunner

from greenmast.cli.app import app
from greenmast.device import catalogue
from greenmast.emulator.devices import PROFILES
from greenmast.modbus import rtu
from greenmast_fw.devices import binding
from greenmast_protocol import units

runner = CliRunner()
UNIT = 7
# How coarse the coarsest register of any product is: ComAp tells kilowatts, Daly whole degrees.
RESOLUTION = {
    "mv": 100,
    "ma": 500,
    "w": 500,
    "wh": 1_000,
    "chz": 10,
    "permille": 5,
    "dc": 10,
    "kpa": 10,
    "s": 360,
}
RELATIVE = 0.005


def near(point: str, value: int, truth: float) -> bool:
    unit = units.of(point)
    return abs(value - truth) <= max(RESOLUTION.get(unit, 1), RELATIVE * abs(truth))


def invoke(*args: str) -> Any:
    return runner.invoke(app, ["device", *args])


@pytest.mark.parametrize("profile", PROFILES)
def test_it_is_recognised_among_all(line: Callable[..., Any], profile: str) -> None:
    url = line({UNIT: profile}).tcp
    done = invoke("probe", "--url", url, "--address", str(UNIT), "--json")
    found = json.loads(done.stdout)["found"]
    assert [(one["address"], one["profiles"]) for one in found] == [(UNIT, [profile])]
    assert done.exit_code == 0


@pytest.mark.parametrize("profile", PROFILES)
def test_it_is_read_with_the_truths_of_the_plant(line: Callable[..., Any], plant: Any, profile: str) -> None:
    url = line({UNIT: profile}).tcp
    done = invoke("read", profile, "--url", url, "--address", str(UNIT), "--json")
    assert done.exit_code == 0, done.stderr
    document = json.loads(done.stdout)
    assert (document["profile"], document["address"]) == (profile, UNIT)
    assert list(document["points"]) == catalogue.points(binding.load(profile))
    truths = plant.truths()
    wrong = {}
    for point, value in document["points"].items():
        truth = plant.truth(point) if point in truths else None
        if truth is not None and (value is None or not near(point, value, truth)):
            wrong[point] = (value, truth, document["quality"].get(point))
    assert not wrong
    named = {register["name"] for register in document["registers"]} - {""}
    assert named <= set(document["points"])
    assert all(register["raw"] for register in document["registers"])


@pytest.mark.parametrize("profile", PROFILES)
def test_it_is_not_read_as_another_product(line: Callable[..., Any], profile: str) -> None:
    url = line({UNIT: profile}).tcp
    others = [other for other in binding.PROFILES if other != profile]
    other = others[sorted(binding.PROFILES).index(profile) % len(others)]
    done = invoke("read", other, "--url", url, "--address", str(UNIT))
    assert (done.exit_code, done.stdout) == (1, "")
    assert f"does not look like {other}" in done.stderr
    assert f"it looks like {profile}" in done.stderr
    assert "--force" in done.stderr


def test_all_of_them_on_one_paced_wire_say_what_they_say_over_tcp(
    line: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rtu, "PAUSE_S", 0.0)
    monkeypatch.setattr(rtu, "QUIET_S", 0.005)
    units = dict(enumerate(PROFILES, 20))
    built = line(units, wire=True)
    for unit, profile in units.items():
        args = ("read", profile, "--address", str(unit), "--force", "--json")
        serial, tcp = (json.loads(invoke(*args, "--url", url).stdout) for url in (built.serial, built.tcp))
        assert serial == tcp
        assert serial["registers"]


@pytest.mark.parametrize("profile", binding.PROFILES)
def test_all_that_a_technician_needs_is_listed(profile: str) -> None:
    done = invoke("list", profile)
    one = binding.load(profile)
    assert done.exit_code == 0
    for text in (one.TEXT, one.ROLE, catalogue.link_text(one), *one.SOURCES, *catalogue.points(one)):
        assert text in done.stdout
    assert ("one source only" in done.stdout) == bool(one.SINGLE_SOURCE)
    listed = json.loads(invoke("list", profile, "--json").stdout)["profiles"]
    assert [(row["profile"], row["link"]["address"]) for row in listed] == [(profile, one.LINK[3])]
