"""Real boards on the virtual one: relays and contacts behind I2C chips, by the names on their terminals.

The world stands in for the hardware beside the processor; the firmware is as it is deployed for the board.
"""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from importlib import resources
from pathlib import Path
from typing import Any

import pytest
from hil_tests.bench import GRID_DEAD, GRID_GOOD, PARAMETERS

from greenmast import site as sites
from greenmast.chain import Chain
from greenmast.emulator.board import HARD_RESET
from greenmast.emulator.i2c import Expander, Pcf8574
from greenmast.emulator.world import World
from greenmast.link import reading
from greenmast.link.serial import SerialLink
from greenmast.testing import wait_for

CONTACTORS = ("grid", "genset", "pv", "battery", "load1", "load2", "load3")
SPEED = 3
A16 = "kincony-kc868-a16"


def a16_site(folder: Path) -> sites.Site:
    """The rural site on one bus and a KC868-A16, every contactor with feedback, and two inputs."""
    text = (resources.files("greenmast") / "sites" / "india-rural.toml").read_text(encoding="utf-8")
    document = tomllib.loads(text)
    lines = text.replace('board = "virtual"', f'board = "{A16}"').splitlines()
    out: list[str] = []
    for line in lines:  # one line of the board: the rest is read over Modbus devices of the first bus
        if line.startswith(("pin =", "feedback =")):
            continue
        out.append(line)
        if line.startswith("[output."):
            name = line[len("[output.") : -1]
            number = list(document["output"]).index(name) + 1
            out.append(f'pin = "OUT{number}"')
            if name in CONTACTORS:
                out.append(f'feedback = "IN{number}"')
    out += ["[input.door_open]", 'pin = "IN15"', 'active = "open"']
    out += ["[input.mains_fail]", 'pin = "IN16"', 'active = "closed"']
    body = "\n".join(out)
    power = body.index('[[bus]]\nname = "power"')
    body = body[:power] + body[body.index("[[device.grid]]") :]
    solar = body.index("[[device.solar]]")
    body = body[:solar] + body[body.index("# ---- Contactors") :]
    path = folder / "a16.toml"
    path.write_text(body, encoding="utf-8")
    return sites.load(str(path), PARAMETERS)


class Bench:
    """The chain and what its console says."""

    def __init__(self, chain: Chain, link: SerialLink) -> None:
        self.chain = chain
        self.world = chain.world
        self._link = link

    def points(self, *names: str) -> tuple[int | None, ...]:
        values = reading.get(self._link, list(names)).values
        return tuple(values[name] for name in names)

    def alarm(self, name: str) -> str:
        """Its state, or ""."""
        states = {row["name"]: row["state"] for row in self._link.call("alarms")["alarms"]}
        return str(states.get(name, ""))

    def until(self, what: str, condition: Callable[[], Any], within_s: float = 40) -> None:
        wait_for(condition, what, within_s, 0.2)

    def plant(self, truths: dict[str, float]) -> None:
        self.chain.do(lambda: [self.world.plant.set_truth(n, v) for n, v in truths.items()])

    def chip(self, address: int) -> Expander:
        chip = self.world.board.i2c.chips[address]
        assert isinstance(chip, Expander)
        return chip


@contextmanager
def running(site: sites.Site, folder: Path) -> Iterator[Bench]:
    def make_world(log: Callable[[str], None]) -> World:
        start = datetime(2025, 4, 15, 10, 30, tzinfo=site.timezone)
        return World(site, folder, start=start, speed=SPEED, on_log=log)

    chain = Chain(make_world, folder / "board.log")
    for name, value in GRID_GOOD.items():
        chain.world.plant.set_truth(name, value)
    with chain, SerialLink(chain.world.board.console) as link:
        yield Bench(chain, link)


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    site = a16_site(tmp_path)
    with running(dataclasses.replace(site, mqtt={}), tmp_path) as bench:
        yield bench


def test_a_board_with_expanders_switches_sees_and_survives_their_faults(bench: Bench) -> None:
    bench.until("grid in use", lambda: bench.points("source.ac", "feedback.grid") == (1, 1))
    outputs = bench.chip(0x24)
    assert isinstance(outputs, Pcf8574)
    assert outputs.latch == 0xFF, (
        "every contactor is at its idle state, the grid's closed: no coil has current"
    )
    assert bench.points("site.door_open", "grid.mains_ok") == (0, 1)

    bench.plant({"site.door_open": 1, **GRID_DEAD})
    bench.until("door and mains are told", lambda: bench.points("site.door_open", "grid.mains_ok") == (1, 0))
    bench.until("K_GRID opens", lambda: bench.points("output.grid", "feedback.grid") == (0, 0))
    assert outputs.latch & 1 == 0, "the coil has current: active low"

    bench.chain.do(lambda: outputs.power_cycle())
    bench.until("the outputs are written again", lambda: outputs.latch & 1 == 0, 5)

    outputs.present = False
    bench.until("alarm", lambda: bench.alarm("io_fault") == "active", 15)
    outputs.present = True
    bench.until("and its end", lambda: bench.alarm("io_fault") == "cleared", 30)

    bench.chip(0x22).present = False
    bench.until("contacts are stale, not old", lambda: bench.points("feedback.grid") == (None,), 15)
    bench.chip(0x22).present = True
    bench.until("and back", lambda: bench.points("feedback.grid") == (0,), 15)

    seen: list[int] = []
    before = outputs.write
    outputs.write = lambda data: (seen.extend(data), before(data))[1]  # type: ignore[method-assign]
    bench.chain.do(lambda: bench.world.board.reset(HARD_RESET))
    bench.until("after a reset", lambda: seen and bench.points("controller.boot") == (2,))
    at_rest = seen.index(0xFF)
    assert at_rest < 3, "the chip has kept K_GRID open; the first act of the boot releases it"
