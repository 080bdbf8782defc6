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
from greenmast.emulator.board import HARD_RESET, HEAP_B, HEAP_LOADED_B
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


MODULE = """
[[device.io]]
profile = "waveshare-relay-8ch"
bus = "meters"
address = 20
[input.smoke]
pin = "io.8"
active = "closed"
"""


def module_site(folder: Path) -> sites.Site:
    """The rural site, tier 3 and smoke detector on a relay module, the genset started by its controller."""
    text = (resources.files("greenmast") / "sites" / "india-rural.toml").read_text(encoding="utf-8")
    text = text.replace("pin = 47\nfeedback = 10\n", 'pin = "io.1"\nfeedback = "io.1"\n')
    text = text.replace("[output.genset_start]\npin = 48\n", '[output.genset_start]\ndevice = "genset"\n')
    path = folder / "module.toml"
    path.write_text(text + MODULE, encoding="utf-8")
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

    def command(self, name: str, **arguments: int) -> None:
        self._link.call("command", {"name": name, "args": arguments})

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
def running(site: sites.Site, folder: Path, heap_b: int = HEAP_B) -> Iterator[Bench]:
    def make_world(log: Callable[[str], None]) -> World:
        start = datetime(2025, 4, 15, 10, 30, tzinfo=site.timezone)
        return World(site, folder, start=start, speed=SPEED, heap_b=heap_b, on_log=log)

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


def test_relays_and_contacts_on_a_module_and_a_genset_that_its_controller_starts(tmp_path: Path) -> None:
    site = dataclasses.replace(module_site(tmp_path), mqtt={})
    # Seven devices and commands: this is about wires, not about the memory of the smallest board.
    with running(site, tmp_path, HEAP_LOADED_B) as bench:
        bench.until("tier 3 connected", lambda: bench.points("output.load3", "feedback.load3") == (1, 1))
        assert bench.points("site.smoke") == (0,)
        bench.plant({"site.smoke": 1})
        bench.command("load.shed", tier=3, for_s=600)
        bench.until("tier 3 and smoke", lambda: bench.points("feedback.load3", "site.smoke") == (0, 1))
        module = bench.world.emulated.buses["meters"].devices[20]
        assert module.coils[0], "open against its idle state: the relay has current"

        bench.command("genset.start", for_s=600)
        bench.until("the engine runs", lambda: bench.points("genset.running") == (1,), 60)
        assert not bench.world.plant.genset.relay, "no relay has started it"
