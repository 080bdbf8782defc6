"""The terminal's pictures: nothing on them passes for fresh or good that is not."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from rich.console import Console, RenderableType

from greenmast.cli import screen
from greenmast.link.base import RefusedError
from greenmast.link.reading import NEVER_MS, Reading
from greenmast_protocol import reasons

HELLO = {"site": "s", "product": "greenmast", "firmware": "1", "board": "virtual", "boot": 1}
GOOD = Reading(
    {
        "dc.bus_mv": 51_234,
        "solar.power_w": 0,
        "battery.soc_permille": 500,
        "battery.current_ma": -9_000,
        "source.ac": 0,
        "reason.ac": reasons.code("grid_lost"),
    },
    {},
    {"dc.bus_mv": 900},
)


def text(picture: RenderableType) -> str:
    console = Console(width=120, record=True, file=open("/dev/null", "w"), highlight=False)  # noqa: SIM115
    console.print(picture)
    console.file.close()
    return console.export_text()


def test_energy_flows_in_its_direction() -> None:
    line = text(screen.flow(GOOD))
    assert "solar 0 W     " in line
    assert "◀─ battery 50.0 % -9.0 A" in line
    charging = Reading({**GOOD.values, "battery.current_ma": 9_000, "solar.power_w": 700})
    assert "solar 700 W ─▶" in text(screen.flow(charging))
    assert "─▶ battery" in text(screen.flow(charging))
    assert "── battery" in text(screen.flow(Reading({**GOOD.values, "battery.current_ma": None})))


def test_a_silent_board_leaves_no_value_on_the_screen(capsys: pytest.CaptureFixture[str]) -> None:
    def readings() -> Iterator[Reading | None]:
        yield GOOD
        yield None

    screen.live(HELLO, readings(), time.monotonic() + 60)
    shown = capsys.readouterr().out
    assert "no answer for 0 s: nothing below is current" in shown
    assert "51.23" not in shown
    assert "bus ?" in shown
    assert "stale, 0.9 s ago" in shown


def test_a_screen_ends_when_its_time_is_over(capsys: pytest.CaptureFixture[str]) -> None:
    def readings() -> Iterator[Reading | None]:
        while True:
            yield GOOD

    screen.live(HELLO, readings(), time.monotonic())
    assert "51.23 V" in capsys.readouterr().out


def test_points_that_nobody_supplies_are_counted_and_those_gone_stale_are_shown() -> None:
    now = Reading(
        {**GOOD.values, "genset.rpm": None, "grid.voltage_mv": None},
        {"genset.rpm": "stale", "grid.voltage_mv": "stale"},
        {"genset.rpm": NEVER_MS, "grid.voltage_mv": 60_000},
    )
    shown = text(screen.everything(HELLO, now))
    assert "rpm" not in shown
    assert "1 points without a supplier" in shown
    assert "stale, 60.0 s ago" in shown


def test_reasons_are_said_short_of_their_values() -> None:
    shown = text(screen.everything(HELLO, GOOD))
    assert "grid lost" in shown
    assert "{}" not in shown


def test_an_invalid_value_is_said_to_be_invalid() -> None:
    now = Reading({"dc.bus_mv": None}, {"dc.bus_mv": "invalid"})
    assert now.note("dc.bus_mv") == "invalid"
    assert now.text("dc.bus_mv") == "?"


@pytest.mark.parametrize(
    "answer",
    [
        None,
        [],
        {},
        {"v": {}},
        {"v": {"a": 1.5}, "q": {}},
        {"v": {"a": True}, "q": {}},
        {"v": {"a": 1}, "q": {"a": "stale"}},
    ],
    ids=str,
)
def test_an_answer_that_makes_no_sense_is_refused(answer: object) -> None:
    with pytest.raises(RefusedError, match="makes no sense"):
        Reading.of(answer)
