"""The hub's page in a real browser: live values, stale ones marked, nothing loaded from elsewhere.

A board is played by published messages. Screenshots go to the test's folder, at desktop and at phone width.
"""

from __future__ import annotations

import json
import math
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

from greenmast.hub.broker import EmbeddedBroker
from greenmast.testing import wait_for
from greenmast_protocol import points, reasons

SITE = "india-rural"
STALE_AFTER_S = 4
HISTORY_S = 3_600
_RUN_HUB = """
import sys
from greenmast.hub import run
sys.exit(run(sys.argv[1], sys.argv[2], "127.0.0.1:0", json_output=True, stale_after_s=int(sys.argv[3])))
"""
_BROWSER_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
)


def told(at_s: float) -> dict[str, int | None]:
    """A plausible afternoon: sun, a genset that charges the battery and stops, a load that breathes."""
    phase = at_s / 900
    running = math.sin(phase) < 0
    solar_w = int(1_450 + 500 * math.sin(phase / 2))
    load_w = int(1_980 + 45 * math.sin(at_s / 70))
    genset_w = 3_350 if running else 0
    rectifier_ma = int(genset_w * 0.95 / 52.1 * 1000)
    soc_permille = int(560 + 150 * math.cos(phase))
    battery_ma = int((genset_w * 0.95 + solar_w - load_w) / 52.1 * 1000)
    bus_mv = 50_900 + soc_permille + battery_ma // 60
    values: dict[str, int | None] = {
        "source.ac": 2 if running else 0,
        "grid.voltage_mv": 3_900,
        "grid.frequency_chz": None,
        "grid.power_w": 0,
        "grid.qualified": 0,
        "genset.state": points.GENSET_STATES.index("on_load" if running else "off"),
        "genset.voltage_mv": 230_400 if running else 0,
        "genset.frequency_chz": 5_004 if running else 0,
        "genset.rpm": 1_502 if running else 0,
        "genset.power_w": genset_w,
        "genset.fuel_permille": 462,
        "genset.oil_kpa": 412 if running else 0,
        "genset.coolant_dc": 803,
        "genset.run_s": 93_212,
        "genset.starts": 41,
        "rectifier.output_mv": bus_mv + 100,
        "rectifier.output_ma": rectifier_ma,
        "rectifier.setpoint_mv": 51_500,
        "dc.bus_mv": bus_mv,
        "solar.power_w": solar_w,
        "solar.voltage_mv": 88_400,
        "battery.voltage_mv": bus_mv,
        "battery.current_ma": battery_ma,
        "battery.soc_permille": soc_permille,
        "battery.temperature_dc": 273,
        "battery.reserve_permille": 400,
        "battery.to_lvd_s": 0x7FFFFFFF if running else 24_800,
        "load.power_w": load_w,
        "load.tier1_w": load_w * 55 // 100,
        "load.tier2_w": load_w * 30 // 100,
        "load.tier3_w": load_w * 15 // 100,
        "site.temperature_dc": 312,
        "site.door_open": 0,
        "controller.mode": 0,
        "controller.safe_mode": 0,
        "controller.uptime_s": 86_400,
        "reason.ac": reasons.code("genset_ready" if running else "no_source"),
        "reason.genset": reasons.code("soc_low" if running else "no_demand"),
    }
    closed = {"genset": int(running), "grid": 0, "genset_start": int(running), "alarm_major": 0}
    for name in points.OUTPUTS:
        values[f"output.{name}"] = closed.get(name, 1)
    for name in points.FEEDBACKS[:7]:
        values[f"feedback.{name}"] = closed.get(name, 1)
    return values


class Board:
    """Publishes an hour of history, then a report a second until it falls silent."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._client = Client(CallbackAPIVersion.VERSION2, client_id="board")
        self._client.max_queued_messages_set(0)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        self._seq = 0
        self._silent = threading.Event()
        self._thread = threading.Thread(target=self._live, daemon=True)

    def start(self) -> None:
        self._say("state", {"online": True, "boot": 3}, retain=True)
        self._say("info", {"board": "virtual", "firmware": "0.1.0", "site": SITE, "boot": 3}, retain=True)
        self._say("alarms", [{"id": 1, "name": "grid_lost"}, {"id": 2, "name": "<b>odd</b>"}], retain=True)
        now_s = int(time.time())
        for at_s in range(now_s - HISTORY_S, now_s, 20):
            self._report(at_s)
        self._thread.start()

    def silence(self) -> None:
        self._silent.set()
        self._thread.join(10)

    def close(self) -> None:
        self._silent.set()
        self._client.disconnect()
        self._client.loop_stop()

    def _live(self) -> None:
        while not self._silent.wait(1):
            self._report(int(time.time()))

    def _report(self, at_s: int) -> None:
        self._seq += 1
        quality = {name: "invalid" for name, value in told(at_s).items() if value is None}
        report = {"boot": 3, "seq": self._seq, "ts": at_s, "trusted": True, "full": True}
        self._say("tele", report | {"v": told(at_s), "q": quality})

    def _say(self, topic: str, body: object, *, retain: bool = False) -> None:
        self._client.publish(f"greenmast/1/{SITE}/{topic}", json.dumps(body), 1, retain)


@pytest.fixture
def board() -> Iterator[Board]:
    broker = EmbeddedBroker()
    broker.start()
    playing = Board(broker.port)
    yield playing
    playing.close()
    broker.stop()


@pytest.fixture
def page_url(board: Board, tmp_path: Path) -> Iterator[str]:
    broker = f"mqtt://127.0.0.1:{board.port}"
    hub = subprocess.Popen(
        [sys.executable, "-c", _RUN_HUB, broker, f"sqlite:///{tmp_path}/hub.sqlite3", str(STALE_AFTER_S)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert hub.stdout is not None
    yield json.loads(hub.stdout.readline())["web"]
    hub.terminate()
    hub.communicate(timeout=20)
    assert hub.returncode == 0


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Any]:
    missing = [name for name in ("chromium", "chromedriver") if shutil.which(name) is None]
    if missing:
        pytest.fail(f"not installed: {', '.join(missing)}; apt-get install chromium chromium-driver")
    options = Options()
    options.binary_location = str(shutil.which("chromium"))
    for flag in (*_BROWSER_FLAGS, f"--user-data-dir={tmp_path}/profile"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    driver.set_page_load_timeout(30)
    yield driver
    driver.quit()


def resize(browser: Any, width: int, height: int) -> None:
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


def text_of(browser: Any, selector: str = "body") -> str:
    script = "return document.querySelector(arguments[0])?.innerText ?? ''"
    return str(browser.execute_script(script, selector)).replace("\u202f", " ")


def screenshot(browser: Any, path: Path, width: int) -> None:
    resize(browser, width, 900)
    time.sleep(1)  # the plot lays itself out anew
    resize(browser, width, int(browser.execute_script("return document.documentElement.scrollHeight")))
    time.sleep(1)
    wide = browser.execute_script("return document.documentElement.scrollWidth")
    assert wide <= width, f"the page is {wide} px wide on a screen of {width} px"
    assert browser.save_screenshot(str(path))


def requested(browser: Any) -> list[str]:
    """Every address that the page has asked for over a network."""
    addresses = []
    for entry in browser.get_log("performance"):
        message = json.loads(entry["message"])["message"]
        if message["method"] == "Network.requestWillBeSent":
            addresses.append(message["params"]["request"]["url"])
        elif message["method"] == "Network.webSocketCreated":
            addresses.append(message["params"]["url"])
    return [address for address in addresses if address.split(":")[0] in ("http", "https", "ws", "wss")]


def count(browser: Any, selector: str) -> int:
    return int(browser.execute_script("return document.querySelectorAll(arguments[0]).length", selector))


def beat(browser: Any) -> str:
    return str(browser.execute_script("return document.getElementById('beat').textContent"))


def test_the_page_shows_live_values_and_marks_them_when_the_board_falls_silent(
    board: Board, page_url: str, browser: Any, tmp_path: Path
) -> None:
    resize(browser, 1280, 900)
    browser.get(page_url)
    wait_for(lambda: "Waiting for the first message" in text_of(browser), "the page without sites")
    board.start()
    wait_for(lambda: SITE in text_of(browser, "h1"), "the first site to appear by itself")
    wait_for(lambda: count(browser, ".seen.good") == 1, "contact with the board")
    wait_for(lambda: count(browser, ".flow .run") >= 4, "energy to flow")
    wait_for(lambda: count(browser, "canvas") > 0, "the history plot")
    first = beat(browser)
    wait_for(lambda: beat(browser) != first, "the page to renew itself")

    figures = text_of(browser, ".figurecard")
    assert "Battery state of charge" in figures
    assert "invalid" in figures, "grid frequency was told as invalid"
    assert "s ago" in figures
    assert count(browser, ".alarms li") == 2
    assert "<b>odd</b>" in text_of(browser, ".alarms"), "what a board sends is shown, not interpreted"
    screenshot(browser, tmp_path / "desktop.png", 1280)
    screenshot(browser, tmp_path / "phone.png", 390)

    board.silence()
    wait_for(lambda: count(browser, ".seen.stale") == 1, "the site to be marked")
    wait_for(lambda: count(browser, ".figurecard .figure.good") == 0, "every figure to be marked")
    assert count(browser, ".figurecard .figure.stale") > 10
    assert count(browser, ".flow .run") == 0
    assert count(browser, ".tile.good") == 0
    screenshot(browser, tmp_path / "stale.png", 1280)

    own = [entry for entry in browser.get_log("browser") if not entry["message"].startswith("chrome://")]
    assert own == []
    addresses = requested(browser)
    assert addresses
    assert [address for address in addresses if not address.split("//")[1].startswith("127.0.0.1:")] == []
