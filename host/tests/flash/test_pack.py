"""The board's form of the parameter table says what the table says."""

from __future__ import annotations

from typing import Any

import pytest

from greenmast.flash import pack
from greenmast_protocol import params


@pytest.fixture
def packed() -> dict[str, Any]:
    """Names of the packed module."""
    names: dict[str, Any] = {}
    exec(pack.sources()["greenmast_protocol/params.py"], names)
    return names


def test_every_row_and_every_pair_is_there(packed: dict[str, Any]) -> None:
    assert [packed["row"](name) for name in params.NAMES] == list(params.PARAMS)
    assert tuple(packed["pairs"]()) == params.PAIRS


def test_what_is_no_name_has_no_row(packed: dict[str, Any]) -> None:
    for name in ("", "x", "grid", "delay_s", "grid.return_delay_s 60", "return_delay_s", "\n", "lvd.tier1_m"):
        assert packed["row"](name) is None
