"""Configuration transactions with the board as deployed: in force and confirmed, or gone back by itself."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hil_tests.bench import GRID_GOOD, PARAMETERS, SITE

from greenmast import site as sites
from greenmast.chain import Chain
from greenmast.config import source, transaction
from greenmast.emulator.board import HARD_RESET, WK_B
from greenmast.emulator.world import World
from greenmast.errors import UserError
from greenmast.link import reading
from greenmast.link.serial import SerialLink
from greenmast.testing import wait_for

SPEED = 4
TRIAL_S = 20


@pytest.fixture
def chain(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Chain]:
    """A site whose grid is good and whose board has taken over; the heap (None: the gate) may be given."""
    site = sites.load(SITE, PARAMETERS)
    start = datetime(2025, 4, 15, 10, 30, tzinfo=site.timezone)
    heap_b = getattr(request, "param", None)

    def make_world(log: Callable[[str], None]) -> World:
        return World(site, tmp_path, seed=1, speed=SPEED, start=start, heap_b=heap_b, on_log=log)

    with Chain(make_world, tmp_path / "log") as chain:
        for name, value in {**GRID_GOOD, "battery.soc_permille": 600}.items():
            chain.world.plant.set_truth(name, value)
        with SerialLink(chain.world.board.console) as link:
            wait_for(lambda: _point(link, "source.ac") == 1, "grid in use", 60, 0.3)
        yield chain


def _point(link: SerialLink, name: str) -> int | None:
    return reading.get(link, [name]).values[name]


def test_whole_or_not_at_all_on_the_board_as_deployed(chain: Chain, tmp_path: Path) -> None:
    def cable() -> SerialLink:
        return SerialLink(chain.world.board.console)

    def in_force() -> dict[str, Any]:
        with cable() as link:
            document: dict[str, Any] = link.call("config.get")
            assert link.hello()["revision"] == document["revision"]
            return document | transaction.status(link)

    def file(**parameters: int) -> source.Source:
        """What the board has, with these parameters (double underscores are dots)."""
        with cable() as link:
            document = link.call("config.get")
        document["params"] |= {name.replace("__", "."): value for name, value in parameters.items()}
        path = tmp_path / "board.json"
        path.write_text(json.dumps(document))
        return source.read(str(path))

    # Applied, seen to run, confirmed; a file that was made from an older revision is refused.
    old = file(grid__return_delay_s=12)
    done = transaction.apply(cable, file(grid__return_delay_s=11))
    assert [(c.name, c.becomes) for c in done.changes] == [("grid.return_delay_s", "11 s")]
    now = in_force()
    assert (now["revision"], now["confirm_s"], now["params"]["grid.return_delay_s"]) == (2, 0, 11)
    with pytest.raises(UserError, match="made from revision 1"):
        transaction.apply(cable, old)

    # The cable is cut before the confirmation: it goes back by itself.
    done = transaction.apply(cable, file(grid__return_delay_s=13), within_s=TRIAL_S, confirm=False)
    assert not done.confirmed
    assert in_force()["params"]["grid.return_delay_s"] == 13
    wait_for(lambda: _revision(chain) == 2, "it goes back by itself", TRIAL_S, 0.5)
    assert in_force()["params"]["grid.return_delay_s"] == 11

    # Killed between commit and confirmation: still on trial, and it can be confirmed.
    done = transaction.apply(cable, file(grid__return_delay_s=14), within_s=120, confirm=False)
    chain.do(lambda: chain.world.board.reset(HARD_RESET))
    wait_for(lambda: _revision(chain) == done.revision, "the trial goes on", 20, 0.5)
    assert 0 < in_force()["confirm_s"] <= 120
    with cable() as link:
        transaction.confirm(link)
    chain.do(lambda: chain.world.board.reset(HARD_RESET))
    wait_for(lambda: _revision(chain) == done.revision, "confirmed is confirmed", 20, 0.5)
    assert in_force()["confirm_s"] == 0

    # What the host would not have sent is refused by the board, which keeps what it has and says why.
    wrong = file(grid__return_delay_s=15)
    crossed = source.Source("", lambda n: _with(wrong.document(n), "lvd.tier1_mv", 60_000))
    with pytest.raises(UserError, match=r"(?s)lvd.tier2_mv: .*must exceed lvd.tier1_mv = 60000"):
        transaction.apply(cable, crossed)
    assert in_force()["params"]["grid.return_delay_s"] == 14
    assert chain.world.board.running
    violations = chain.do(lambda: dict(chain.world.plant.violations))
    assert not any(violations.values()), violations
    said = [line for line in chain.log.read_text().splitlines() if not line.startswith("{")]  # no answers
    assert not [line for line in said if "Error" in line], chain.last_words(30)


@pytest.mark.parametrize("chain", [160 * WK_B], indirect=True)
def test_a_board_with_room_refuses_at_once_with_every_reason(chain: Chain) -> None:
    good = source.read(SITE)

    def document(revision: int) -> dict[str, Any]:
        out = _with(_with(good.document(revision), "lvd.tier1_mv", 60_000), "source.dead_time_ms", 0)
        out["devices"][0]["address"] = out["devices"][1]["address"]
        return out

    with pytest.raises(UserError) as refused:
        transaction.apply(lambda: SerialLink(chain.world.board.console), source.Source("", document))
    for reason in ("nothing is applied", "lvd.tier2_mv: 46500", "source.dead_time_ms: 0", "is taken on bus"):
        assert reason in refused.value.message
    assert len(chain.world.board.resets) == 1
    assert _revision(chain) == 1


def _revision(chain: Chain) -> int | None:
    try:
        with SerialLink(chain.world.board.console) as link:
            return int(link.call("hello", timeout_s=0.5)["revision"])
    except UserError:
        return None


def _with(document: dict[str, Any], name: str, value: int) -> dict[str, Any]:
    return document | {"params": document["params"] | {name: value}}
