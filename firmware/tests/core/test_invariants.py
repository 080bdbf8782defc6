"""The invariants, on every step, under random evidence, loss, resets, contactor faults and commands.

Hypothesis and a slice of the random campaign, over the same actions; `make campaign` walks farther.
"""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from play import ACTIONS, CALM, KINDS, POLICIES, Action, Choice, Hours, Play, Some, Span
from walk import campaign, report

SEED = 1
SLICE = 30_000


def strategy(choice: Choice) -> st.SearchStrategy[object]:
    """What hypothesis draws for `choice`."""
    if isinstance(choice, Span):
        return st.integers(choice.low, choice.high)
    if isinstance(choice, Some):
        return st.lists(st.sampled_from(choice.options), max_size=choice.most, unique=True)
    if isinstance(choice, Hours):
        return st.none() | st.lists(st.integers(choice.low, choice.high), min_size=1, max_size=3)
    return st.sampled_from(choice)


class Site(RuleBasedStateMachine):
    """Plays whatever hypothesis draws."""

    calm = True

    @initialize(kind=st.sampled_from(KINDS), policy=st.sampled_from(POLICIES))
    def start(self, kind: str, policy: int) -> None:
        self.play = Play(kind, policy, self.calm)


def machine(name: str, calm: bool, actions: tuple[Action, ...]) -> type[RuleBasedStateMachine]:
    """A state machine with a rule for each of `actions`."""
    rules: dict[str, object] = {"calm": calm}
    for action in actions:
        place = action.name.replace(" ", "_").replace(".", "_")
        rules["do_" + place] = rule(**{key: strategy(choice) for key, choice in action.choices.items()})(
            _doing(action.name)
        )
    return type(name, (Site,), rules)


def _doing(name: str) -> Callable[..., None]:
    def do(self: Site, **args: object) -> None:
        self.play.do(name, args)

    do.__name__ = "do_" + name.replace(" ", "_").replace(".", "_")
    return do


CalmSite = machine("CalmSite", True, CALM)
FaultySite = machine("FaultySite", False, ACTIONS)
SETTING = settings(
    max_examples=50,
    stateful_step_count=50,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
CalmSite.TestCase.settings = SETTING
FaultySite.TestCase.settings = SETTING
TestCalmSite = CalmSite.TestCase
TestFaultySite = FaultySite.TestCase


def test_every_kind_of_site_has_parameters_that_a_board_would_accept() -> None:
    for kind in KINDS:
        play = Play(kind, 0, calm=True)
        assert play.problems(play.base) == [], kind


def test_a_slice_of_the_random_campaign_violates_nothing() -> None:
    steps, _, bad = campaign(SEED, SLICE)
    assert not bad, report(bad[0], SEED)
    assert steps >= SLICE
