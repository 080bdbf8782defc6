"""Level hil: what it cannot do is said beforehand, never passed."""

from __future__ import annotations

import dataclasses

import pytest

from greenmast.scenario import hil_level
from greenmast.site import Input


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("fault = { on = 'fuel', kind = 'silent' }", "fuel silent (needs a fuel sensor of its own)"),
        ("fault = { on = 'clock', kind = 'lost' }", "clock lost (needs a clock"),
        ("fault = { on = 'controller', kind = 'bit_rot' }", "bit_rot (needs a faulty flash)"),
        ("fault = { on = 'link', kind = 'partition' }", "partition (needs commands"),
        ("plant = { 'site.smoke' = 1 }", "site.smoke (no such input is wired)"),
        (
            "command = { name = 'genset.stop' }\nexpect_refused = 'not_authorised'",
            "command genset.stop not_authorised (needs commands",
        ),
    ],
)
def test_what_is_missing_here_is_named(load, text: str, says: str) -> None:
    reason = hil_level.obstacle(load(f"[[at]]\ntime = 1\n{text}\n"))
    assert reason.startswith("not at this level: ")
    assert says in reason


def test_everything_that_is_missing_is_named_at_once(load) -> None:
    story = "[[at]]\ntime = 1\nplant = { 'site.smoke' = 1 }\nfault = { on = 'clock', kind = 'lost' }\n"
    reason = hil_level.obstacle(load(story))
    assert "smoke" in reason
    assert "clock" in reason


def test_what_the_site_wires_is_no_obstacle(load) -> None:
    scenario = load("[[at]]\ntime = 1\nplant = { 'site.smoke' = 1 }\n")
    site = dataclasses.replace(scenario.site, inputs=(Input("smoke", 11, "closed"),))
    assert hil_level.obstacle(dataclasses.replace(scenario, site=site)) == ""


def test_a_story_that_takes_too_long_on_the_wall_is_not_begun(load) -> None:
    text = 'site = "india-rural"\nduration = "%s"'
    assert hil_level.obstacle(load(text % "51m", whole=True)) == (
        "takes 10 min at 5 times real time; 10 min at most"
    )
    assert hil_level.obstacle(load(text % "50m", whole=True)) == ""


def test_what_this_level_does_is_no_obstacle(load) -> None:
    story = "".join(
        f"[[at]]\ntime = 1\nfault = {{ on = '{on}', kind = '{kind}' }}\n"
        for on, kind in (
            ("battery", "silent"),
            ("grid", "frozen"),
            ("grid", "welded"),
            ("genset", "stalls"),
            ("controller", "reset"),
            ("controller", "hang"),
            ("battery", "nan"),
            ("load", "babble"),
            ("bus", "noise"),
            ("bus.meters", "cut"),
        )
    )
    story += "[[at]]\ntime = 1\ncommand = { name = 'genset.stop' }\nexpect_refused = 'mode'\n"
    assert hil_level.obstacle(load(story)) == ""
