"""What the page's parts say: escaped, with quality and age, stale never as fresh."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any

from greenmast.hub.page import flow, parts
from greenmast.hub.queries import PointView, SiteView
from greenmast_protocol import points, reason_text, reasons

EVIL = '<img src=x onerror="alert(1)">'


def view(values: dict[str, int | None], quality: str = "good", age_s: int = 3, **changes: Any) -> SiteView:
    told = {name: PointView(value, quality, age_s, 0, True, 0) for name, value in values.items()}
    fields: dict[str, Any] = {
        "name": "x",
        "online": True,
        "seen_s_ago": age_s,
        "fresh": quality == "good",
        "boot": 1,
        "state": {},
        "info": {},
        "alarms": [],
    }
    return SiteView(**(fields | changes), points=told)


POWERS: dict[str, int | None] = {
    "solar.power_w": 1_200,
    "grid.power_w": 0,
    "battery.voltage_mv": 51_000,
    "battery.current_ma": -4_000,
    "battery.soc_permille": 512,
    "load.power_w": 1_500,
    "load.tier1_w": 900,
    "load.tier2_w": None,
    "feedback.load2": 1,
    "feedback.load3": 0,
    "feedback.pv": 1,
    "output.pv": 1,
    "feedback.grid": 0,
    "output.grid": 1,
    "dc.bus_mv": 51_000,
}


def test_everything_a_board_sends_is_escaped() -> None:
    seen = view({EVIL: 1, "battery.2.soc_permille": 3}, name=EVIL, info={"board": EVIL, "firmware": EVIL})
    alarm = [{"name": EVIL, "severity": EVIL, "text": EVIL, "remedy": EVIL, "state": EVIL}]
    pages = [parts.head(seen), parts.everything(seen), parts.alarms(alarm, seen), parts.site_list([seen])]
    assert all("<img" not in page for page in pages)


def test_every_figure_has_its_age() -> None:
    page = parts.figures(view({"dc.bus_mv": 51_200, "load.power_w": 10}))
    assert page.count("3\u202fs ago") == 2
    assert "51.20\u202fV" in page


def test_a_stale_figure_says_so() -> None:
    page = parts.figures(view({"dc.bus_mv": 51_200}, "stale", 300))
    assert "<em>stale</em>" in page
    assert "5\u202fmin\u202f00\u202fs ago" in page


def test_a_point_of_every_name_and_value_can_be_shown() -> None:
    for low in ([row[1] for row in points.POINTS], [row[2] for row in points.POINTS]):
        seen = view(dict(zip(points.NAMES, low, strict=True)))
        for page in (parts.figures(seen), parts.everything(seen), parts.state(seen), parts.contactors(seen)):
            assert page
        ET.fromstring(flow.render(seen))
    for code in range(len(reasons.NAMES)):
        assert reason_text.brief(code)
        assert "?" not in reason_text.brief(code)
    assert reason_text.brief(reasons.code("soc_low")) == "state of charge low"
    assert reason_text.brief(reasons.code("min_run")) == "minimum run time"
    assert reason_text.brief(250) == "reason 250"


def test_arrows_run_for_known_power_only() -> None:
    live = flow.render(view(POWERS))
    assert live.count('class="run"') == 4  # solar, battery, tier 1, and tier 2 with the total
    dead = flow.render(view(POWERS, "stale", 300))
    assert 'class="run"' not in dead
    assert "stale, 5\u202fmin" in dead


def test_a_point_without_a_device_is_no_data_and_not_stale() -> None:
    page = parts.figures(view({"site.temperature_dc": None}, "stale"))
    assert "<em>no data</em>" in page
    assert "no data" in flow.render(view({}))


def test_a_discharging_battery_feeds_the_bus() -> None:
    assert 'd="M77 304V228"' in flow.render(view(POWERS))
    assert 'd="M77 228V304"' in flow.render(view(POWERS | {"battery.current_ma": 4_000}))


def test_a_contactor_shows_its_feedback_and_contradictions() -> None:
    picture = flow.render(view(POWERS))
    assert 'class="contactor closed"><title>contactor pv: closed' in picture
    assert 'class="contactor wrong"><title>contactor grid: open' in picture
    assert 'class="contactor unknown"><title>contactor genset: not known' in picture


def test_alarms_tell_their_state_and_only_those_that_hold_are_counted() -> None:
    listed = [
        {"name": "smoke", "severity": "critical", "text": "smoke", "state": "cleared"},
        {"name": "door_open", "severity": "warning", "text": "door open", "state": "acknowledged"},
        {"name": "fuel_low", "severity": "major", "text": "fuel low", "state": "shelved"},
        {"name": "grid_lost", "severity": "minor", "text": "grid lost"},
    ]
    seen = view({}, alarms=listed)
    assert [alarm["name"] for alarm in seen.in_force] == ["door_open", "grid_lost"]
    assert '<span class="count minor">2</span>' in parts.site_row(seen)
    page = parts.alarms(listed, seen)
    for words in ("critical, cleared", "warning, acknowledged", "major, shelved", "<b>minor</b>"):
        assert words in page, words


def test_an_empty_alarm_list_is_good_news_only_while_the_board_speaks() -> None:
    assert "No alarms" in parts.alarms([], view({}))
    assert "No alarms" not in parts.alarms([], view({}, "stale", 300))


def test_contact_is_an_age_and_not_a_flag() -> None:
    assert "last seen 3\u202fs ago" in parts.head(view({}))
    assert "no contact, last seen" in parts.head(view({}, "stale", online=False))
    assert "never seen" in parts.head(view({}, seen_s_ago=None))
