"""The plant's part of a site file."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from typing import Any

import pytest

from greenmast.plant import PlantConfig


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
        ({"output": {"grid": {"idle": "shut"}}}, r"\[output\.grid\] idle"),
    ],
)
def test_what_cannot_be_is_refused_by_name(site: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PlantConfig.from_site(site)
