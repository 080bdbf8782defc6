"""What a user gets wrong before anything runs: one clear line with the remedy, and the right exit code."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from greenmast import site as sites
from greenmast.testing import free_port

USAGE, NO_CONTACT, BAD_FILE, REFUSED = 2, 3, 5, 1
GOOD = (Path(sites.__file__).parent / "sites" / "india-rural.toml").read_text(encoding="utf-8")


def greenmast(*arguments: str, **environment: str) -> tuple[int, str]:
    """Exit code and stderr of the command."""
    done = subprocess.run(
        [sys.executable, "-m", "greenmast", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=os.environ | environment,
    )
    assert "Traceback" not in done.stderr
    return done.returncode, done.stderr


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield int(listener.getsockname()[1])


@pytest.mark.parametrize("command", ["demo", "emulate"])
def test_an_unknown_site_names_the_near_ones(command: str) -> None:
    code, said = greenmast(command, "india-rurl")
    assert code == USAGE
    assert "unknown site: india-rurl" in said
    assert "india-rural" in said


@pytest.mark.parametrize("command", ["demo", "emulate"])
def test_broken_toml_is_named_with_its_line(command: str, tmp_path: Path) -> None:
    file = tmp_path / "site.toml"
    file.write_text(GOOD.replace('[battery]\nchemistry = "lfp"', "[battery]\nchemistry = lfp"))
    code, said = greenmast(command, str(file))
    assert code == BAD_FILE
    assert str(file) in said
    assert "line" in said


def test_every_reason_against_a_site_file_is_listed_at_once(tmp_path: Path) -> None:
    file = tmp_path / "site.toml"
    bad = GOOD.replace("address = 10\n", "address = 1\n").replace("pin = 2\n", "pin = 1\n")
    bad = bad.replace('"grid.return_delay_s" = 120', '"grid.return_dely_s" = 120\n"lvd.tier1_mv" = 49_000')
    bad = bad.replace('[tariff]\ncurrency = "INR"', '[tariff]\ncurency = "INR"')
    file.write_text(bad)
    code, said = greenmast("demo", str(file))
    assert code == BAD_FILE
    assert "curency: no such key; did you mean: currency" in said
    file.write_text(bad.replace("curency", "currency"))
    code, said = greenmast("demo", str(file))
    assert code == BAD_FILE
    for reason in ("grid.return_dely_s", "address 1 is taken", "GPIO 1 is already", "lvd.tier2_mv"):
        assert reason in said


def test_an_unknown_profile_is_named(tmp_path: Path) -> None:
    file = tmp_path / "site.toml"
    file.write_text(GOOD.replace('"daly-bms"', '"daly-bmx"'))
    code, said = greenmast("demo", str(file), "--headless", "--for", "5s")
    assert code == BAD_FILE
    assert "daly-bmx" in said
    assert "daly-bms" in said


def test_a_missing_micropython_is_named_before_anything_starts() -> None:
    code, said = greenmast("demo", GREENMAST_MICROPYTHON="/nonexistent/micropython")
    assert code == USAGE
    assert "/nonexistent/micropython" in said


def test_a_program_that_is_not_micropython_is_refused() -> None:
    code, said = greenmast("demo", GREENMAST_MICROPYTHON=sys.executable)
    assert code == USAGE
    assert "is not MicroPython" in said


def test_a_missing_broker_is_no_contact(tmp_path: Path) -> None:
    broker = f"mqtt://127.0.0.1:{free_port()}"
    for arguments in (
        ["hub", "run", "--broker", broker, "--db", f"sqlite:///{tmp_path}/h.db", "--web", "127.0.0.1:0"],
        ["status", "--mqtt", broker, "--site", "india-rural"],
    ):
        code, said = greenmast(*arguments)
        assert code == NO_CONTACT
        assert "broker" in said


def test_a_port_in_use_is_named(taken_port: int, tmp_path: Path) -> None:
    for arguments in (
        ["emulate", "india-rural", "--tcp", f"127.0.0.1:{taken_port}"],
        ["hub", "run", "--db", f"sqlite:///{tmp_path}/h.db", "--web", f"127.0.0.1:{taken_port}"],
    ):
        code, said = greenmast(*arguments)
        assert code == REFUSED
        assert str(taken_port) in said


def test_an_unplugged_cable_is_no_contact() -> None:
    code, said = greenmast("status", "--port", "/dev/ttyNOPE")
    assert code == NO_CONTACT
    assert "cable" in said
