"""The HTTP interface, without a network."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from greenmast.hub import api
from greenmast.hub.ingest import BrokerAddress, Ingest
from greenmast.hub.messages import GOOD, INVALID, Notice, Record
from greenmast.hub.queries import Queries
from greenmast.hub.store import open_database
from greenmast.hub.writer import Writer


@pytest.fixture
def told_s() -> int:
    """When the boards have spoken: just now."""
    return int(time.time()) - 5


@pytest.fixture
async def client(tmp_path: Path, told_s: int) -> AsyncIterator[httpx.AsyncClient]:
    engine = open_database(f"sqlite:///{tmp_path}/hub.sqlite3")
    writer = Writer(engine)
    values: dict[str, tuple[int | None, int]] = {
        "dc.bus_mv": (51_200, GOOD),
        "grid.voltage_mv": (None, INVALID),
        'odd".\n_w': (7, GOOD),
    }
    writer.write(
        [
            Record("alpha", "tele", 3, 1, told_s, True, True, told_s * 1000, values),
            Notice("alpha", "state", {"online": True, "boot": 3}, False, told_s * 1000),
            Notice("alpha", "info", {"board": "virtual"}, True, told_s * 1000),
            Notice("alpha", "alarms", [{"id": 1, "name": "fuel_low"}], True, told_s * 1000),
            Record(
                "beta",
                "tele",
                1,
                1,
                told_s - 999,
                True,
                True,
                (told_s - 999) * 1000,
                {"dc.bus_mv": (1, GOOD)},
            ),
        ],
        0,
    )
    queries = Queries(engine, stale_after_s=60)
    app = FastAPI(docs_url=None, redoc_url=None)
    ingest = Ingest(BrokerAddress.parse("mqtt://127.0.0.1:1"), writer, "test")
    app.include_router(api.build(queries, ingest))
    api.add_docs(app)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://hub") as made:
        yield made


async def test_sites_are_listed_with_contact_and_alarms(client: httpx.AsyncClient) -> None:
    sites = (await client.get("/api/sites")).json()["sites"]
    assert [(s["id"], s["online"], s["fresh"], s["alarm_count"]) for s in sites] == [
        ("alpha", True, True, 1),
        ("beta", None, False, 0),
    ]
    assert sites[1]["seen_s_ago"] >= 999


async def test_a_site_shows_every_point_with_quality_and_age(client: httpx.AsyncClient, told_s: int) -> None:
    site = (await client.get("/api/sites/alpha")).json()
    assert site["info"] == {"board": "virtual"}
    bus = site["points"]["dc.bus_mv"]
    assert (bus["value"], bus["quality"], bus["trusted"], bus["ts"]) == (51_200, "good", True, told_s)
    assert 0 <= bus["age_s"] <= 60
    grid = site["points"]["grid.voltage_mv"]
    assert (grid["value"], grid["quality"]) == (None, "invalid")
    old = (await client.get("/api/sites/beta")).json()["points"]["dc.bus_mv"]
    assert (old["value"], old["quality"]) == (1, "stale")


async def test_history_returns_steps(client: httpx.AsyncClient, told_s: int) -> None:
    query = {"point": "dc.bus_mv", "from": told_s - 100, "to": told_s + 100, "step": 50}
    answer = (await client.get("/api/sites/alpha/history", params=query)).json()
    assert answer["step"] == 50
    assert [51_200, 51_200, 51_200] in [row[1:] for row in answer["buckets"]]
    assert (await client.get("/api/sites/alpha/history?point=dc.bus_mv")).status_code == 200


async def test_alarms_are_explained_from_the_alarm_table(client: httpx.AsyncClient) -> None:
    alarms = (await client.get("/api/alarms")).json()["alarms"]
    assert len(alarms) == 1
    expected = {
        "site": "alpha",
        "name": "fuel_low",
        "severity": "major",
        "text": "fuel low",
        "remedy": "refuel",
    }
    assert expected.items() <= alarms[0].items()


async def test_metrics_show_good_values_only(client: httpx.AsyncClient) -> None:
    answer = await client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    lines = answer.text.splitlines()
    assert 'greenmast_point{site="alpha",point="dc.bus_mv"} 51200' in lines
    assert 'greenmast_point{site="alpha",point="odd\\".\\n_w"} 7' in lines
    assert 'greenmast_site_fresh{site="beta"} 0' in lines
    assert "greenmast_hub_connected 0" in lines
    assert not [
        line for line in lines if "grid.voltage_mv" in line or ('"beta"' in line and "dc.bus" in line)
    ]
    samples = [line for line in lines if not line.startswith("#")]
    assert all(line.rsplit(" ", 1)[1].lstrip("-").isdigit() for line in samples)


async def test_the_description_needs_no_network(client: httpx.AsyncClient) -> None:
    page = (await client.get("/docs")).text
    assert "/api/sites/{site_id}/history" in page
    assert "//" not in page.replace("</", "")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/sites/none", 404),
        ("/api/sites/none/history?point=dc.bus_mv", 404),
        ("/api/sites/alpha/history", 422),
        ("/api/sites/alpha/history?point=dc.bus_mv&step=0", 422),
        ("/api/sites/alpha/history?point=dc.bus_mv&from=5&to=4", 422),
        ("/api/sites/alpha/history?point=dc.bus_mv&from=0&step=1", 422),
        ("/api/sites/alpha/history?point=dc.bus_mv&from=1e999", 422),
        ("/api/sites/alpha/history?point=dc.bus_mv&from=99999999999999999999", 422),
        ("/api/sites/%27%3B%20drop%20table%20sites%3B--", 404),
        ("/api/sites/alpha/history?point=%27%20or%201=1%20--", 200),
        ("/api/sites/alpha/commands", 404),
    ],
)
async def test_bad_requests_are_answered_plainly(client: httpx.AsyncClient, path: str, status: int) -> None:
    assert (await client.get(path)).status_code == status
    assert len((await client.get("/api/sites")).json()["sites"]) == 2


async def test_what_is_missing_of_a_site_is_told(client: httpx.AsyncClient) -> None:
    assert (await client.get("/api/sites/none/gaps")).status_code == 404
    assert (await client.get("/api/sites/alpha/gaps")).json() == {"site": "alpha", "gaps": []}
