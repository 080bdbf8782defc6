"""SIGKILL at random instants of a busy story; after each, what a reset must not cost has not been lost.

The story: grid failing and returning, a battery low or not, a genset that cranks, loads shed, commands, a
change of the configuration. The board is killed anywhere, while it boots, while it writes to flash, while the
engine cranks, in the middle of a transfer, right after a command was accepted, in a transaction. Then

- I4: no output moves before the contactors are read where they have fallen; then the state resumes, and
  whatever the plant asks for is reached in the end.
- I6: file system, configuration, record, boot count and transaction are the old or the new, whole; the number
  of each only grows; the record fits a controller; no fault of the flash is reported, no safe mode. What was
  told counts on: energy, run time, starts and boots never go back, and the record holds what was told. An
  accepted command is in force again.
- I9: in the rings, the numbers of events of each boot run from 1 on, and so do those of records, without a
  gap; what was there stays there; every movement of an output that the cabinet saw has its event, in the same
  order, at most the last one of the log did not happen any more; the board's own `log.read` tells the same;
  what the hub has acknowledged is in its database, once.
- No contactor moves without need: see `deaths.needless`.

A slice of it here; `make kills N=200 SEED=7` for as long as one likes. The seed decides what is done and
when; every so many kills a new site begins, since a genset may be started only so often an hour.
"""

from __future__ import annotations

import os
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, nullcontext, suppress
from pathlib import Path
from typing import Any, cast

import pytest
from hil_tests.bench import GRID_DEAD, GRID_GOOD, PARAMETERS, SITE_FILE, House
from hil_tests.deaths import Deaths, Mark, needless
from hil_tests.flash_look import Event, Look, look

from greenmast import site as sites
from greenmast.chain import HubProcess
from greenmast.config import source, transaction
from greenmast.emulator.world import World
from greenmast.errors import UserError
from greenmast.hil.bench import Bench
from greenmast.link.base import Link, NoContactError, RefusedError
from greenmast.site import Site
from greenmast.testing import Mosquitto, wait_for
from greenmast_fw.core import decision
from greenmast_fw.core import site as site_facts
from greenmast_fw.core.controller import Controller
from greenmast_protocol import event_text, params, points

KILLS = int(os.environ.get("GREENMAST_KILLS", "8"))
KILLS_A_SITE = 40
SPEED = 5
MORE_MAX = 2  # kills that follow the first one of a change
LONGEST_S = 30.0  # of the site, from a change to a kill
CALM_S = 12.0  # longer than any delay below: what has been still for so long has come to rest
QUIET_STATES = ("off", "on_load", "locked_out")
TRAVEL_S = 0.03  # contactors differ by less than that
WRITE_MS = 4.0  # about as long as the record of a boot takes
COUNTERS = (
    "load.energy_wh",
    "load.tier1_wh",
    "load.tier2_wh",
    "load.tier3_wh",
    "genset.run_s",
    "genset.starts",
)
DELAYS = {
    **PARAMETERS,
    "grid.return_max_s": 5,
    "source.min_on_s": 3,
    "genset.soc_delay_s": 2,
    "genset.bus_delay_s": 2,
    "genset.bus_stop_delay_s": 2,
    "genset.warm_up_s": 4,
    "genset.cool_down_s": 4,
    "genset.min_run_s": 8,
    "genset.min_off_s": 5,
    "genset.crank_rest_s": 6,
    "genset.starts_per_hour": 60,
    "lvd.tier3_permille": 250,
    "lvd.tier2_permille": 200,
    "lvd.reconnect_permille": 400,
    "genset.soc_quiet_start_permille": 260,
    "lvd.delay_s": 3,
    "lvd.reconnect_s": 0,
    "lvd.stagger_s": 2,
    "reset.hold_s": 2,
    "reset.calm_s": 10,
}
pytestmark = [
    pytest.mark.needs("kill", "flash", "broker"),
    pytest.mark.timeout(240 + 30 * min(KILLS, KILLS_A_SITE)),
]
RESERVE: dict[str, object] = {"permille": 500, "for_s": 36_000}
LIVES = range((KILLS + KILLS_A_SITE - 1) // KILLS_A_SITE)
total: Counter[str] = Counter()


@pytest.fixture
def bench_site() -> Site:
    return sites.load(str(SITE_FILE), DELAYS)


@pytest.fixture
def house(bench_site: Site, make_bench: Callable[..., Bench], tmp_path: Path) -> Iterator[House]:
    """As in the other tests, and faster."""
    with ExitStack() as stack:
        broker = Mosquitto(tmp_path)
        broker.start()
        stack.callback(broker.stop)
        hub = HubProcess(broker.url, tmp_path)
        stack.callback(hub.stop)
        plant = {**GRID_GOOD, "battery.soc_permille": 320, "solar.power_w": 0, "load.power_w": 1_500}
        mqtt = {"host": "127.0.0.1", "port": broker.port}
        bench = make_bench(bench_site, plant=plant, speed=SPEED, mqtt=mqtt)
        house = House(bench, broker, hub, tmp_path)
        stack.callback(house.close)
        bench.until("grid in use", lambda: bench.word("source.ac") == "grid")
        yield house


@pytest.mark.parametrize("life", LIVES)
def test_a_board_killed_at_random_instants_loses_nothing_and_moves_nothing_without_need(
    house: House, hil_seed: int, life: int
) -> None:
    kills = min(KILLS_A_SITE, KILLS - life * KILLS_A_SITE)
    print(f"\nseed {hil_seed}, site {life + 1} of {len(LIVES)}, {kills} kills")
    campaign = Campaign(house, random.Random(f"{hil_seed}.{life}"))
    campaign.run(kills)
    total.update(campaign.counts)
    if life == LIVES[-1]:
        states = ", ".join(f"{n} {what[1:]}" for what, n in sorted(total.items()) if what[0] == "@")
        print(f"{total['kills']} kills: {states}")
        print(
            f"{total['resets']} resets, {total['moves']} movements of contactors, {total['events']} events, "
            f"{total['records']} records, {total['stores']} stores of the controller's record, "
            f"{total['lock-outs']} lock-outs; violations: 0"
        )


class Campaign:
    """One site, killed again and again. `counts`: what has been done and seen."""

    def __init__(self, house: House, dice: random.Random) -> None:
        self.house = house
        self.bench = house.bench
        self.dice = dice
        self.counts: Counter[str] = Counter()
        world = self.bench.chain.world
        assert isinstance(world, World)
        self.world = world
        self.deaths = self.bench.chain.do(lambda: Deaths(world))
        self.grid_good = True
        self.soc = 320
        self.configurations = [self.bench.link.call("config.get")]
        self.told: dict[str, int] = {}
        self.floor: dict[str, int] = {}  # what had been told before any death that is not yet looked into
        self.last: Look | None = None
        self.boot = self.bench.boot()
        self.shed: set[int] = set()  # tiers, by commands that were accepted

    def run(self, kills: int) -> None:
        """Until so many kills are done and judged."""
        while self.counts["kills"] < kills:
            if self.dice.random() < 0.1:
                self.transaction()
                continue
            start = self.begin()
            when = self.dice.choice(INSTANTS)
            if when is not after_command:
                self.change()
            self.kill(when)
            for _ in range(MORE_MAX):
                if self.dice.random() < 0.5 and self.counts["kills"] < kills:
                    self.kill(self.dice.choice((in_boot, in_boot, soon)))
            self.judge(start, self.settled())
            self.as_the_plant_asks()
        self.finish()

    # ---- the story --------------------------------------------------------------------------------------

    def change(self) -> None:
        """Something of the site changes."""
        dice = self.dice
        if dice.random() < 0.2:
            self.command()
            return
        self.grid_good = dice.random() < (0.15 if self.grid_good else 0.5)
        if dice.random() < 0.6:
            self.soc = dice.choice((170, 230, 285, 600))
        truths = GRID_GOOD if self.grid_good else GRID_DEAD
        self.bench.plant({**truths, "battery.soc_permille": self.soc})

    def command(self) -> None:
        """One that holds for longer than the story goes on, or ends such a one."""
        tier = self.dice.choice((2, 3))
        shed: dict[str, object] = {"tier": tier, "for_s": 36_000}
        choices = (("load.shed", shed), ("load.restore", {"tier": tier}), ("reserve.set", RESERVE))
        name, args = self.dice.choice(choices)
        try:
            self.bench.command(name, **args)
        except RefusedError:
            return
        except NoContactError:
            self.shed.discard(tier)  # nobody knows
            return
        if name == "load.shed":
            self.shed.add(tier)
        elif name == "load.restore":
            self.shed.discard(tier)

    def begin(self) -> Mark:
        """Wait as `settled`: the next deaths are judged by what is known now."""
        start = self.settled()
        self.floor = dict(self.told)
        return start

    def settled(self) -> Mark:
        """Wait until nothing moves any more, and mark that."""
        bench, deaths = self.bench, self.deaths
        state = ""
        since_s = 0.0

        def still() -> bool:
            nonlocal state, since_s
            now_s = bench.chain.do(lambda: self.world.plant.time_s)
            told = bench.points("genset.state", "source.ac", "battery.soc_permille", *COUNTERS)
            self.counts_on(told)
            soc = told["battery.soc_permille"]  # one that has leapt is not believed at once
            believed = soc is not None and abs(soc - bench.truth("battery.soc_permille")) < 20
            is_now = f"{told['genset.state']} {told['source.ac']}"
            if is_now != state or not believed or told["source.ac"] is None:
                state, since_s = is_now, now_s
            quiet = points.GENSET_STATES[told["genset.state"] or 0] in QUIET_STATES
            return quiet and now_s - max(since_s, deaths.moved_s) > CALM_S

        bench.until("everything to come to rest", still, 90)
        return bench.chain.do(deaths.mark)

    def as_the_plant_asks(self) -> None:
        """What the site needs is there."""
        bench = self.bench
        ac, genset = bench.word("source.ac"), bench.word("genset.state")
        if genset == "locked_out":  # resets that come while it cranks cost tries
            self.counts["lock-outs"] += 1
            bench.command("genset.reset")
        elif self.grid_good:
            assert (ac, genset) == ("grid", "off")
        elif self.soc < 300:
            assert (ac, genset) == ("genset", "on_load")
        else:
            assert (ac, genset) in (("genset", "on_load"), ("none", "off"))
        for tier in self.shed:
            assert not bench.point(f"output.load{tier}"), f"tier {tier} was shed by command"

    def kill(self, when: Callable[[Campaign], str]) -> None:
        """Kill the board at the instant for which `when` waits; it tells what that was."""
        what = when(self)
        wait_for(lambda: self.world.board.running, "a board to kill", every_s=0.002)
        self.bench.kill()
        self.counts["kills"] += 1
        self.counts[f"@{what}"] += 1

    def happens(self, condition: Callable[[], bool]) -> bool:
        """Whether that is so within half the longest time; looks often."""
        end = time.monotonic() + LONGEST_S / 2 / SPEED
        while not condition():
            if time.monotonic() > end:
                return False
            time.sleep(0.002)
        return True

    # ---- what must hold ---------------------------------------------------------------------------------

    def judge(self, start: Mark, end: Mark) -> None:
        """Everything since `start`, with every death looked into."""
        died, self.deaths.died = self.deaths.died, []
        assert not self.deaths.early, self.deaths.early
        for death in died:
            self.counts["resets"] += 1
            self.look_into(death)
        bench = self.bench
        assert bench.point("controller.safe_mode") == 0
        assert "storage_fault" not in bench.alarms()
        assert bench.statistics()["telemetry"]["dropped"] == 0
        boot = bench.boot()
        assert self.boot < boot <= len(self.world.board.resets), "boots count up, none twice"
        self.boot = boot
        self.nothing_was_parallel_or_dark()
        wrong, moves = needless([start, *died, end], self.deaths.idle)
        assert not wrong, "\n".join([*wrong, *bench.explain()])
        self.counts["moves"] += moves

    def look_into(self, death: Mark) -> None:
        """The flash as it was when the board ended, beside what was known of it before."""
        now, before = look(death.images), self.last
        assert not now.damaged
        if before:
            for name in before.documents:
                assert now.number(name) >= before.number(name), f"{name} went back"
            assert now.events[: len(before.events)] == before.events, "what is in the log stays there"
            assert now.reports[: len(before.reports)] == before.reports
        configuration = now.json("config")
        assert configuration in self.configurations
        self.look_into_record(now, configuration)
        self.look_into_log(now, before, death)
        self.last = now

    def look_into_record(self, now: Look, configuration: dict[str, Any]) -> None:
        record = now.json("record")
        if record is None:
            return
        facts = site_facts.from_config(configuration)
        assert Controller(params.complete(configuration["params"]), facts).restore(record)
        for i, name in enumerate(COUNTERS[:4]):
            kept = record["energy"][5 * i] - 1
            assert kept >= self.floor.get(name, -1), f"{name}: told {self.floor[name]}, kept {kept}"
        for tier in self.shed:
            assert record["loads"][7 + tier] > 0, f"the accepted shedding of tier {tier} is not in the record"

    def look_into_log(self, now: Look, before: Look | None, death: Mark) -> None:
        """Numbers without a gap, and every movement of an output with its event."""
        numbers: dict[int, list[int]] = {}
        logged: dict[int, list[Event]] = {}
        for event in now.events:
            numbers.setdefault(event.boot, []).append(event.seq)
            logged.setdefault(event.boot, []).append(event)
        for boot, seq in now.reports:
            numbers.setdefault(boot, []).append(seq)
        for boot, some in numbers.items():
            assert sorted(some) == list(range(1, len(some) + 1)), f"boot {boot}: records {sorted(some)}"
        for boot, events in logged.items():
            assert [event.n for event in events] == list(range(1, len(events) + 1)), f"boot {boot}"
        if before is None:
            return  # nobody watched its pins from the beginning
        boot = int(now.documents["boot"][1])
        if boot == int(before.documents["boot"][1]):
            assert not any(len(positions) > 1 for positions in death.pins.values()), "it had not begun"
            return
        outputs = [event.what for event in logged.get(boot, []) if event.what[0] == decision.OUTPUT]
        for name in self.deaths.idle:
            number = points.OUTPUTS.index(name)
            told = [what for what in outputs if what[1] == number]
            seen = death.pins.get(name, [])[1:]
            assert seen == [what[2] == 1 for what in told][: len(seen)], f"boot {boot}: {name} {seen} {told}"
            assert len(told) - len(seen) <= 1, f"boot {boot}: {name} moved {seen}, and the log says {told}"
            for what in told:
                assert event_text.text(what)
                assert what[3] or what[2] or name.startswith("alarm"), f"{name} opened without a reason"

    def counts_on(self, told: dict[str, int | None]) -> None:
        """Counters never go back."""
        for name in COUNTERS:
            value = told.get(name)
            if value is not None:
                assert value >= self.told.get(name, 0), f"{name}: {self.told[name]}, then {value}"
                self.told[name] = value

    def read_counters(self) -> None:
        with suppress(NoContactError, RefusedError):
            self.counts_on(self.bench.points(*COUNTERS))

    def nothing_was_parallel_or_dark(self) -> None:
        """No board closed both AC contactors, and the load was never dark.

        When a board dies on the genset, both contactors fall into their idle positions at once, one of them
        milliseconds before the other: that is the cabinet's doing, not the board's.
        """
        plant = self.world.plant
        overlap_s, unpowered_s = self.bench.chain.do(
            lambda: (plant.violations["both_ac_closed_s"], plant.unpowered_s)
        )
        assert not self.bench.violations()
        assert overlap_s <= TRAVEL_S * self.counts["resets"]
        assert unpowered_s == 0

    # ---- a transaction ----------------------------------------------------------------------------------

    def transaction(self) -> None:
        """Another configuration, killed on its way: the old or the new, and then one that is confirmed."""
        bench, dice = self.bench, self.dice
        start = self.begin()
        old = bench.link.call("config.get")
        revision = transaction.status(bench.link)["next"]
        period_s = 5 - old["params"]["telemetry.period_s"]
        new = {**old, "revision": revision, "params": {**old["params"], "telemetry.period_s": period_s}}
        self.configurations.append(new)
        link = cast("Link", nullcontext(bench.link))
        timer = threading.Timer(dice.uniform(0.0, 4.0), self.kill, [in_transaction])
        timer.start()
        with suppress(UserError):
            transaction.apply(lambda: link, source.Source("", lambda _: new), confirm=dice.random() < 0.5)
        timer.join()
        decide = transaction.confirm if dice.random() < 0.5 else transaction.roll_back

        def decided() -> bool:
            if not transaction.status(bench.link)["confirm_s"]:
                return True
            decide(bench.link)
            return False

        bench.until("the transaction to be decided", decided)
        assert bench.link.call("config.get") in (old, new)
        self.judge(start, self.settled())

    def finish(self) -> None:
        """The grid returns for good; the board tells the log as it lies on flash; the hub has it all."""
        bench = self.bench
        bench.plant({**GRID_GOOD, "battery.soc_permille": 900})
        self.grid_good, self.soc = True, 900
        self.settled()
        self.as_the_plant_asks()
        assert self.last
        told = [Event(r["boot"], r["seq"], r["n"], r["up"], tuple(r["event"])) for r in bench.log()]
        assert told[: len(self.last.events)] == self.last.events
        wanted = bench.statistics()["telemetry"]["seq"]
        boot = bench.boot()
        bench.until("everything acknowledged", lambda: self.house.acked.get(boot, 0) >= wanted, 90)
        self.house.no_acknowledged_record_is_lost()
        bench.command("reserve.set", permille=500, for_s=60)  # stored, so that energy is told as it is
        bench.elapse(3)
        self.read_counters()
        truth = bench.truth("load.energy_wh")
        assert abs(self.told["load.energy_wh"] - truth) < 30, truth
        assert "MemoryError" not in bench.chain.log.read_text()
        self.counts["events"] += len(self.last.events)
        self.counts["records"] += len(self.last.events) + len(self.last.reports)
        self.counts["stores"] += self.last.number("record")


# ---- instants: each waits for one and names it -------------------------------------------------------


def anywhere(campaign: Campaign) -> str:
    bench = campaign.bench
    bench.elapse(campaign.dice.uniform(0.0, LONGEST_S))
    return f"with ac {bench.word('source.ac')}, genset {bench.word('genset.state')}"


def soon(campaign: Campaign) -> str:
    time.sleep(campaign.dice.uniform(0.0, 2.0))
    return "soon after the one before"


def in_transaction(campaign: Campaign) -> str:
    return "in a transaction"


def in_boot(campaign: Campaign) -> str:
    wait_for_write(campaign.world.flash)
    time.sleep(campaign.dice.uniform(0.0, WRITE_MS) / 1_000)
    return "booting"


def in_write(campaign: Campaign) -> str:
    flash = campaign.dice.choice([campaign.world.flash, *campaign.world.partitions.values()])
    wait_for_write(flash)
    time.sleep(campaign.dice.uniform(0.0, WRITE_MS) / 1_000)
    return f"writing to {flash.stem}"


def cranking(campaign: Campaign) -> str:
    genset = campaign.world.plant.genset
    if not campaign.happens(lambda: genset.state == "cranking"):
        return anywhere(campaign)
    time.sleep(campaign.dice.uniform(0.0, 0.5))
    return "cranking"


def transfer(campaign: Campaign) -> str:
    deaths = campaign.deaths
    moved_s = deaths.moved_s
    if not campaign.happens(lambda: deaths.moved_s != moved_s):
        return anywhere(campaign)
    time.sleep(campaign.dice.uniform(0.0, 0.3))
    return "in a transfer"


def after_command(campaign: Campaign) -> str:
    campaign.command()
    return "after a command"


INSTANTS = (anywhere, anywhere, anywhere, in_write, in_write, cranking, transfer, transfer, after_command)


def wait_for_write(file: Path) -> None:
    """Until the board writes to that file, or does not for a while. Returns within a moment of it."""
    written_ns = file.stat().st_mtime_ns
    end = time.monotonic() + 4
    while file.stat().st_mtime_ns == written_ns and time.monotonic() < end:
        time.sleep(0.0002)
