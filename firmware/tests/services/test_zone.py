"""A zone's rules as the board gets them: its local minute is that of the zone, all year round."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from greenmast import site as sites
from greenmast import zone
from greenmast_fw.drivers.wall import Wall
from greenmast_protocol import config

ZONES = ("Asia/Kolkata", "Asia/Tokyo", "Europe/Berlin", "America/New_York", "Africa/Casablanca", "UTC")
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)


class Rtc:
    def datetime(self, value: tuple[int, ...]) -> None:
        pass


@pytest.mark.parametrize("name", ZONES)
def test_the_boards_local_minute_is_that_of_the_zone(name: str) -> None:
    wall = Wall(zone.compiled(name), Rtc())
    wall.trusted = True
    moment = datetime(zone.FIRST_YEAR, 1, 1, tzinfo=UTC)
    checked = 0
    while moment.year <= zone.LAST_YEAR - 1:
        wall.set(int((moment - EPOCH).total_seconds()))
        local = moment.astimezone(ZoneInfo(name)).replace(tzinfo=UTC)
        assert wall.minute() == (local - EPOCH) // timedelta(minutes=1), moment
        moment += timedelta(hours=7, minutes=20)
        checked += 1
    assert checked > 10_000


@pytest.mark.parametrize("name", ZONES)
def test_the_rules_are_accepted_in_a_configuration(name: str) -> None:
    document = sites.load("india-rural").board_config()
    document["site"]["zone"] = zone.compiled(name)
    assert config.problems(document) == []


def test_a_zone_without_summer_time_is_one_number() -> None:
    assert zone.compiled("Asia/Kolkata") == [330]
    assert sites.load("india-rural").board_config()["site"]["zone"] == [330]


def test_a_zone_that_is_none_is_left_to_whoever_checks_the_file() -> None:
    assert zone.compiled("Mars/Base") == zone.compiled(None) == [0]
