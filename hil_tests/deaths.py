"""Every end of a virtual board as its cabinet sees it: what flash held, what pins and contactors had done.

Owns the watching, in the world's own loop, and the rule which movements of a contactor were needed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from greenmast.emulator.world import World
from greenmast.plant.config import CONTACTORS


@dataclass(frozen=True)
class Mark:
    """An instant: where each contactor stood, and how often it had moved in its life.

    `is_death`: the board ended then. `pins`: by output, the positions that it had commanded since it began,
    its idle position not counted at the beginning. `images`: of its flash.
    """

    is_death: bool
    time_s: float
    closed: dict[str, bool]
    moves: dict[str, int]
    pins: dict[str, list[bool]] = field(default_factory=dict)
    images: dict[str, bytes] = field(default_factory=dict)


class Deaths:
    """Watches `world` from now on. `died`: what nobody has taken yet."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.idle = {output.name: output.idle == "closed" for output in world.site.outputs}
        self.died: list[Mark] = []
        self.moved_s = world.plant.time_s  # when a contactor last moved
        self.early: list[str] = []  # outputs that moved before the contactors were where they had fallen
        self._pins: dict[str, list[bool]] = {}
        self._alive = True
        self._was = self._moves()
        self._on_pin, self._on_tick = world.on_pin, world.on_tick
        world.on_pin, world.on_tick = self._pin, self._tick
        world.board.on_death = self._death

    def mark(self) -> Mark:
        """Now. In the world's loop."""
        return self._mark(False)

    def _moves(self) -> dict[str, int]:
        return {name: self._world.plant.contactors[name].operations for name in CONTACTORS}

    def _mark(self, is_death: bool) -> Mark:
        plant = self._world.plant
        closed = {name: plant.contactors[name].closed for name in CONTACTORS}
        return Mark(is_death, plant.time_s, closed, self._moves())

    def _death(self) -> None:
        world = self._world
        paths = {"flash": world.flash, **world.partitions}
        images = {name: path.read_bytes() for name, path in paths.items()}
        seen = self._mark(True)
        self.died.append(Mark(True, seen.time_s, seen.closed, seen.moves, self._pins, images))
        self._pins = {}
        self._alive = False

    def _pin(self, way: str, name: str, pin: int, level: int) -> None:
        self._on_pin(way, name, pin, level)
        if way != "output" or not self._world.board.running:
            return  # what falls with the supply is nobody's command
        before = self._pins.setdefault(name, [self.idle[name]])
        closed = (level == 1) != self.idle[name]
        if closed == before[-1]:
            return
        if not any(len(positions) > 1 for positions in self._pins.values()):
            self._look_at_rest(name)
        before.append(closed)

    def _look_at_rest(self, name: str) -> None:
        """The first output moves: the feedback that says where everything has fallen must have come."""
        world = self._world
        for pin, level in world.cabinet.levels().items():
            other = world.cabinet.contacts[pin]
            if other not in self.idle:
                continue
            if world.plant.feedback(other) != self.idle[other] or world.inputs.get(other) != level:
                self.early.append(f"{name} moved before {other} was known to have fallen")

    def _tick(self) -> None:
        self._on_tick()
        now = self._moves()
        if now != self._was:
            self._was = now
            self.moved_s = self._world.plant.time_s


def needless(marks: Sequence[Mark], idle: dict[str, bool]) -> tuple[list[str], int]:
    """What moved without need between the first mark and the last, and how many movements there were.

    Between the marks nothing was changed but that the board died at those that say so, and at both ends
    everything had come to rest. A contactor then may

    - until the first death, or without one: go once to where it stands at the end of that time;
    - at a death: fall into its idle position;
    - after it: return to where it stood before, and go on once to where it stands at the next mark. So one
      that fell nowhere and ends there does not move at all, one that ends elsewhere moves once, and one that
      ends in its idle position though it did not stand there before moves twice or not at all.

    A board that died before it had moved anything resumes what stood before the death before.
    """
    wrong = []
    moves = 0
    stood: dict[str, set[bool]] = {}
    for mark, after in pairwise(marks):
        resumed = any(len(positions) > 1 for positions in mark.pins.values())
        for name in CONTACTORS:
            if name not in idle:
                continue
            fell = mark.is_death and mark.closed[name] != idle[name]
            moved = after.moves[name] - mark.moves[name] - fell
            moves += moved + fell
            start = idle[name] if mark.is_death else mark.closed[name]
            before = {mark.closed[name], *mark.pins.get(name, ())[-1:]}
            if mark.is_death and not resumed:
                before |= stood.get(name, set())
            stood[name] = before
            allowed = 1 if start != after.closed[name] else 2 if before != {start} else 0
            if moved > allowed:
                since = "death" if mark.is_death else "change"
                wrong.append(
                    f"{name} moved {moved} times after the {since} at {mark.time_s:.1f} s, {allowed} needed: "
                    f"from {start} by {before} to {after.closed[name]}"
                )
    return wrong, moves
