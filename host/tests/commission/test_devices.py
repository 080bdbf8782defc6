"""Devices recognised through the board: bus.read is answered by the emulated site itself."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from greenmast.commission import devices
from greenmast.commission.result import FAILED, LOOK, PASSED, Result
from greenmast.commission.visit import Consent, Visit
from greenmast.emulator.emulate import EmulatedSite, plant_of
from greenmast.site import load

from .conftest import WiredSite


class EmulatedBuses(WiredSite):
    """The board of india-rural; `change` alters what its configuration says."""

    def __init__(self, clock: Any) -> None:
        super().__init__(clock)
        self.site = load("india-rural")
        self.emulated = EmulatedSite(self.site, plant_of(self.site))
        self.config = self.site.board_config()

    def call(self, method: str, params: dict[str, Any] | None = None, timeout_s: float | None = None) -> Any:
        if method == "config.get":
            return self.config
        if method == "bus.read":
            assert params is not None
            server = list(self.emulated.buses.values())[params["bus"]]
            request = struct.pack(">BHH", params["function"], params["address"], params["count"])
            reply = server.answer(params["unit"], request)
            if reply is None:
                return {"verdict": "timeout", "data": ""}
            if reply[0] & 0x80:
                return {"verdict": f"exception_{reply[1]}", "data": ""}
            return {"verdict": "ok", "data": reply[2:].hex()}
        return super().call(method, params, timeout_s)


@pytest.fixture
def board(wired: WiredSite) -> EmulatedBuses:
    return EmulatedBuses(wired.clock)


def found(board: EmulatedBuses) -> dict[str, Result]:
    visit = Visit(board, Consent(lambda question: False), lambda text: None)
    return {result.name: result for result in devices.check(visit, everywhere=False)}


def test_every_device_of_the_site_is_recognised_with_what_it_says_of_itself(board: EmulatedBuses) -> None:
    results = found(board)
    assert len(results) == 6
    assert {result.verdict for result in results.values()} == {PASSED}, results
    assert "7320001" in results["genset: meters 10"].saw.replace(" ", "")


def test_a_dead_device_a_wrong_product_and_a_stranger_are_told_apart(board: EmulatedBuses) -> None:
    rows = {row["role"]: row for row in board.config["devices"]}
    board.emulated.buses["meters"].fault(1, "silent")
    rows["load"]["profile"] = "eastron-sdm230"  # a PZEM answers there
    del board.config["devices"][[*rows].index("genset")]
    results = found(board)
    dead = results["grid: meters 1"]
    assert (dead.verdict, dead.saw) == (FAILED, "no answer")
    assert "baud" in dead.remedy
    wrong = results["load: meters 3"]
    assert (wrong.verdict, wrong.saw) == (FAILED, "looks like pzem-017")
    stranger = results["not configured: meters 10"]
    assert (stranger.verdict, stranger.saw) == (LOOK, "looks like dse-7320")
