"""A random campaign over the actions of `play`: python walk.py --steps 1000000 --seed 1 [--jobs 2]

Every play has its own generator, made of the seed and its number, so one alone can be repeated: --play N.
A violation is cut down to the fewest actions that still show it. Progress goes to stderr.
"""

from __future__ import annotations

import argparse
import random
import signal
import sys
import time
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from typing import NamedTuple

from play import ACTIONS, CALM, KINDS, POLICIES, Arguments, Choice, Hours, Play, Some, Span

STEPS_OF_A_PLAY = 2_000
_PATIENCE = 400  # plays while cutting a violation down
_SHOWN = 20


class Verdict(NamedTuple):
    """`violation`: None, or what did not hold. `told`: the actions up to it."""

    play: int
    kind: str
    policy: int
    calm: bool
    steps: int
    actions: int
    violation: str | None
    told: list[tuple[str, Arguments]]


def draw(chance: random.Random, choice: Choice) -> object:
    """One of what `choice` allows."""
    if isinstance(choice, Span):
        return chance.randint(choice.low, choice.high)
    if isinstance(choice, Some):
        return chance.sample(choice.options, chance.randint(0, choice.most))
    if isinstance(choice, Hours):
        size = chance.choice((0, 0, 1, 3, 30))
        return [chance.randint(choice.low, choice.high) for _ in range(size)] or None
    return chance.choice(choice)


def play_one(seed: int, number: int) -> Verdict:
    """Play `number` of the campaign `seed`, up to its end or its first violation."""
    chance = random.Random(f"{seed}/{number}")
    kind, policy, calm = chance.choice(KINDS), chance.choice(POLICIES), chance.random() < 0.25
    actions = CALM if calm else ACTIONS
    weights = [action.weight for action in actions]
    play = Play(kind, policy, calm)
    violation = None
    while play.steps < STEPS_OF_A_PLAY and violation is None:
        action = chance.choices(actions, weights)[0]
        args = {name: draw(chance, choice) for name, choice in action.choices.items()}
        violation = _attempt(play, action.name, args)
    return Verdict(number, kind, policy, calm, play.steps, len(play.told), violation, play.told)


def _attempt(play: Play, name: str, args: Arguments) -> str | None:
    try:
        play.do(name, args)
    except Exception as error:  # noqa: BLE001 whatever it is, it is a violation
        return f"{type(error).__name__}: {error}"
    return None


def repeat(verdict: Verdict, told: list[tuple[str, Arguments]]) -> str | None:
    """The violation that the actions `told` lead to, if any."""
    play = Play(verdict.kind, verdict.policy, verdict.calm)
    for name, args in told:
        violation = _attempt(play, name, args)
        if violation:
            return violation
    return None


def cut_down(verdict: Verdict) -> list[tuple[str, Arguments]]:
    """The fewest actions found that still violate the same invariant."""
    kind = str(verdict.violation)[:20]
    told = verdict.told
    plays = 0
    size = len(told) // 2
    while size and plays < _PATIENCE:
        at = 0
        while at < len(told) and plays < _PATIENCE:
            shorter = told[:at] + told[at + size :]
            plays += 1
            if str(repeat(verdict, shorter))[:20] == kind:
                told = shorter
            else:
                at += size
        size //= 2
    return told


def report(verdict: Verdict, seed: int) -> str:
    """What happened, and how to see it again."""
    told = cut_down(verdict)
    lines = [
        f"play {verdict.play}, site {verdict.kind}, policy {verdict.policy}, calm {verdict.calm}: "
        f"{verdict.violation}",
        f"the last {min(_SHOWN, len(told))} of {len(told)} actions that lead to it:",
        *(f"  {name} {args}" for name, args in told[-_SHOWN:]),
        f"again: python {sys.argv[0]} --seed {seed} --play {verdict.play}",
    ]
    return "\n".join(lines)


def campaign(seed: int, steps: int, jobs: int = 1) -> tuple[int, int, list[Verdict]]:
    """(steps made, actions, plays that violate an invariant). Stops at the first violations."""
    made = actions = number = 0
    bad: list[Verdict] = []
    if jobs == 1:
        while made < steps and not bad:
            verdict = play_one(seed, number)
            number += 1
            made, actions = _count(verdict, made, actions, bad, steps)
        return made, actions, bad
    with ProcessPoolExecutor(jobs, initializer=_ignore_interrupts) as pool:
        pending: set[Future[Verdict]] = set()
        try:
            while made < steps and not bad:
                while len(pending) < 2 * jobs:
                    pending.add(pool.submit(play_one, seed, number))
                    number += 1
                done, pending = wait(pending, return_when=FIRST_COMPLETED)
                for future in done:
                    made, actions = _count(future.result(), made, actions, bad, steps)
        finally:
            pool.shutdown(cancel_futures=True)
    return made, actions, bad


def _count(verdict: Verdict, made: int, actions: int, bad: list[Verdict], steps: int) -> tuple[int, int]:
    if verdict.violation:
        bad.append(verdict)
    made += verdict.steps
    if sys.stderr.isatty() or verdict.play % 50 == 49:
        end = "\r" if sys.stderr.isatty() else "\n"
        print(f"{made:,} of {steps:,} steps", end=end, file=sys.stderr, flush=True)
    return made, actions + verdict.actions


def _ignore_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def main() -> int:
    parser = argparse.ArgumentParser(description="random campaign against the invariants")
    parser.add_argument("--steps", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--play", type=int, help="this play alone")
    args = parser.parse_args()
    started = time.monotonic()
    try:
        if args.play is None:
            steps, actions, bad = campaign(args.seed, args.steps, args.jobs)
        else:
            verdict = play_one(args.seed, args.play)
            steps, actions, bad = verdict.steps, verdict.actions, [verdict] if verdict.violation else []
        for verdict in bad:
            print(report(verdict, args.seed))
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    seconds = time.monotonic() - started
    print(
        f"seed {args.seed}: {steps:,} steps, {actions:,} actions, {len(bad)} violations, "
        f"{steps / seconds:,.0f} steps/s"
    )
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
