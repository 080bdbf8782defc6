"""The plant's part of a site file."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from greenmast import site as sites
from greenmast.plant import PlantConfig, config


def test_the_reference_site_in_india_gives_the_defaults() -> None:
    site = tomllib.loads(files("greenmast.sites").joinpath("india-rural.toml").read_text("utf-8"))
    assert PlantConfig.from_site(site) == PlantConfig()


def test_what_a_site_does_not_mention_does_not_exist() -> None:
    cfg = PlantConfig.from_site({"battery": {"capacity_ah": 400}})
    assert (cfg.grid.present, cfg.genset.present, cfg.solar.kwp) == (False, False, 0.0)
    assert cfg.battery.capacity_ah == 400
    assert PlantConfig.from_site({"device": {"genset": [{}]}}).genset.present


def test_idle_states_come_from_the_outputs() -> None:
    cfg = PlantConfig.from_site({"output": {"load1": {"idle": "open"}, "genset": {"idle": "closed"}}})
    assert "load1" not in cfg.outputs.idle_closed
    assert "genset" in cfg.outputs.idle_closed


@pytest.mark.parametrize(
    ("site", "message"),
    [
        ({"battery": {"chemistry": "nicd"}}, "chemistry"),
        ({"battery": {"capacity_ah": "big"}}, r"\[battery\] capacity_ah"),
        ({"battery": {"cells": True}}, r"\[battery\] cells"),
        ({"loads": {"tiers_permille": [500, 300]}}, "tiers_permille"),
        ({"loads": {"tiers_permille": 1_000}}, "tiers_permille"),
        ({"grid": {"weak": 1}}, r"\[grid\] weak"),
        ({"grid": {"mean_outage_h": 0}}, "mean_outage_h"),
        ({"solar": {"irradiance_permille": 0}}, r"\[solar\] irradiance_permille"),
        ({"genset": {"crank_s": [2.0]}}, r"\[genset\] crank_s"),
        ({"loads": {"tiers_permille": ["a", "b", "c"]}}, "tiers_permille"),
        ({"solar": {"kwp": float("nan")}}, r"\[solar\] kwp"),
        ({"output": {"grid": {"idle": "shut"}}}, r"\[output\.grid\] idle"),
    ],
)
def test_what_cannot_be_is_refused_by_name(site: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PlantConfig.from_site(site)


def test_every_finding_is_listed_and_a_site_file_is_refused_for_it(tmp_path: Path) -> None:
    text = (files("greenmast.sites") / "india-rural.toml").read_text("utf-8")
    text = text.replace("kwp = 4.0", "kwp = -1\nirradiance_permille = 3000")
    assert config.problems(tomllib.loads(text)) == [
        "[solar] kwp: must not be negative",
        "[solar] irradiance_permille: outside 1..2000",
    ]
    file = tmp_path / "site.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(sites.NotAcceptedError) as told:
        sites.load(str(file))
    assert told.value.reasons == config.problems(tomllib.loads(text))


def test_every_key_that_a_site_file_may_have_reaches_the_plant() -> None:
    """Else a key would be accepted and do nothing."""
    for section, part in config.SECTIONS.items():
        for key in sites.sections()[section]:
            default = getattr(part(), key)
            value = {"chemistry": "vrla", "weak": False}.get(key)
            if isinstance(default, tuple):
                value = list(reversed(default))
            elif value is None:
                value = 600 if default is None or default >= 1_000 else (default or 1) * 0.9
            plant = PlantConfig.from_site({section: {key: value}})
            changed = getattr(getattr(plant, section), key)
            assert changed == (tuple(value) if isinstance(value, list) else value), (section, key)
            assert changed != default, (section, key)
