"""The board on a broker that asks for its certificate: whom it trusts, and that control never waits."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hil_tests.bench import GRID_GOOD, PARAMETERS, SITE

from greenmast import site as sites
from greenmast.chain import Chain, HubProcess
from greenmast.emulator.board import POWER_ON
from greenmast.emulator.world import World
from greenmast.link import reading
from greenmast.link.base import Link, NoContactError
from greenmast.link.mqtt import MqttLink
from greenmast.link.serial import SerialLink
from greenmast.testing import Mosquitto, wait_for
from greenmast.testing_tls import ELSEWHERE, Certificates, site_file

SPEED = 6
SLOWLY = PARAMETERS | {"telemetry.period_s": 30}
# What a board is told by mbedTLS for each broker that is not its own.
REASONS = {"expired": "has expired", "elsewhere": "does not match", "foreign": "not correctly signed"}


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    made = Certificates(tmp_path_factory.mktemp("certificates"))
    made.make("authority", issuer="authority")
    made.make("stranger", issuer="stranger")
    made.make("broker", issuer="authority", host="broker.test")
    made.make("expired", issuer="authority", host="broker.test", expired=True)
    made.make("elsewhere", issuer="authority", host=ELSEWHERE)
    made.make("foreign", issuer="stranger", host="broker.test")
    made.make("board", issuer="authority")
    made.make("person", issuer="authority")
    return made


class Broker:
    """A Mosquitto that asks for certificates; `show` starts it again with another one of its own."""

    def __init__(self, folder: Path, certificates: Certificates) -> None:
        self._made = certificates.folder
        self._own = folder / "own"
        self.mosquitto = Mosquitto(
            folder,
            extra=f"cafile {self._made}/authority.pem\ncertfile {self._own}.pem\n"
            f"keyfile {self._own}.key.pem\nrequire_certificate true",
        )

    def show(self, certificate: str) -> None:
        self.mosquitto.stop()
        for suffix in ("pem", "key.pem"):
            shutil.copy(self._made / f"{certificate}.{suffix}", f"{self._own}.{suffix}")
        self.mosquitto.start()


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory, certificates: Certificates) -> Iterator[Broker]:
    made = Broker(tmp_path_factory.mktemp("broker"), certificates)
    yield made
    made.mosquitto.stop()


def alarms(link: Link) -> dict[str, str]:
    return {row["name"]: row["state"] for row in link.call("alarms")["alarms"]}


@contextmanager
def running(
    folder: Path, broker: Broker, certificates: Certificates, *, romfs: bool
) -> Iterator[tuple[Chain, SerialLink]]:
    """The site and its console; its board's code runs in place or is loaded into the heap."""
    site = sites.load(str(site_file(folder, SITE, broker.mosquitto.port, certificates)), SLOWLY)

    def make_world(log: Callable[[str], None]) -> World:
        begin = datetime(2025, 4, 15, 10, 30, tzinfo=site.timezone)
        return World(site, folder, start=begin, speed=SPEED, romfs=romfs, on_log=log)

    chain = Chain(make_world, folder / "board.log")
    for name, value in GRID_GOOD.items():
        chain.world.plant.set_truth(name, value)
    with chain, SerialLink(chain.world.board.console) as link:
        yield chain, link


@pytest.fixture(scope="module")
def house(
    tmp_path_factory: pytest.TempPathFactory, broker: Broker, certificates: Certificates
) -> Iterator[tuple[Chain, SerialLink]]:
    """One board for all who only want one that runs in place."""
    with running(tmp_path_factory.mktemp("house"), broker, certificates, romfs=True) as site:
        yield site


def mqtt(link: Link) -> dict[str, Any]:
    return dict(link.call("hello", {"statistics": True})["statistics"]["mqtt"])


def takes_over(link: Link) -> None:
    wait_for(lambda: reading.get(link, ["source.ac"]).values["source.ac"] == 1, "grid in use", 60, 0.3)


def stored(folder: Path) -> int:
    """How many reports the hub has in its database."""
    with closing(sqlite3.connect(folder / "hub.db", timeout=10)) as db:
        return int(db.execute("select count(*) from messages where kind = 'tele'").fetchone()[0])


def did_its_job(chain: Chain, link: Link) -> None:
    """It has never been reset and ran out of memory nowhere."""
    seen = link.call("hello", {"statistics": True})["statistics"]
    print("longest time between scans, ms:", seen["scan_gap_max_ms"])
    assert chain.world.board.resets == [POWER_ON], chain.last_words()
    assert "MemoryError" not in chain.log.read_text()


def test_no_broker_but_its_own_is_trusted_and_control_goes_on(
    broker: Broker, house: tuple[Chain, SerialLink]
) -> None:
    chain, link = house
    before = mqtt(link)["acknowledged"]
    for certificate, reason in REASONS.items():
        broker.show(certificate)
        wait_for(lambda: reason in mqtt(link)["error"], certificate, 60, 0.3)  # noqa: B023
    takes_over(link)
    wait_for(lambda: alarms(link).get("link_certificate") == "active", "the alarm", 60, 0.3)
    assert mqtt(link)["acknowledged"] == before
    broker.show("broker")
    wait_for(lambda: mqtt(link)["acknowledged"] > before, "delivery over TLS", 60, 0.3)
    wait_for(lambda: alarms(link)["link_certificate"] == "cleared", "the end of the alarm", 60, 0.3)
    did_its_job(chain, link)


def test_the_firmware_loaded_from_flash_has_heap_for_tls_too(
    broker: Broker, certificates: Certificates, tmp_path: Path
) -> None:
    broker.show("broker")
    with running(tmp_path, broker, certificates, romfs=False) as (chain, link):
        takes_over(link)
        wait_for(lambda: mqtt(link)["acknowledged"], "delivery over TLS", 60, 0.3)
        did_its_job(chain, link)


def test_hub_and_person_prove_themselves_to_the_broker_too(
    broker: Broker,
    certificates: Certificates,
    house: tuple[Chain, SerialLink],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    broker.show("broker")
    url = f"mqtts://127.0.0.1:{broker.mosquitto.port}"
    monkeypatch.setenv("GREENMAST_TLS_CA", f"{certificates.folder}/authority.pem")
    with monkeypatch.context() as hurry:
        hurry.setattr("greenmast.link.mqtt.CONNECT_S", 2)
        with pytest.raises(NoContactError, match="broker at"):
            MqttLink(url, SITE)
    monkeypatch.setenv("GREENMAST_TLS_CERT", f"{certificates.folder}/person.pem")
    monkeypatch.setenv("GREENMAST_TLS_KEY", f"{certificates.folder}/person.key.pem")
    hub = HubProcess(url, tmp_path)
    try:
        chain, link = house
        takes_over(link)
        with MqttLink(url, SITE) as person:
            wait_for(lambda: mqtt(link)["connected"], "the board's connection", 60, 0.3)
            assert person.call("hello")["site"] == SITE
            for _ in range(3):
                assert person.call("explain")["rows"]
                assert len(reading.get(person).values) > 80
        wait_for(lambda: stored(tmp_path), "a report in the hub's database", 60, 0.3)
        did_its_job(chain, link)
    finally:
        hub.stop()
