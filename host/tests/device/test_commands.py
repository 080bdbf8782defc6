"""`device probe` and `device read` on a line as a technician meets it: dead, wrong, garbled, doubled."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from slaves import Answer, PtySlave, registers, sealed
from typer.testing import CliRunner

from greenmast.cli.app import app
from greenmast.device import catalogue, screen, search
from greenmast.modbus import rtu
from greenmast.modbus.rtu import RtuMaster
from greenmast.testing import free_port
from greenmast_fw.devices import binding

runner = CliRunner()


def invoke(*args: str) -> Any:
    return runner.invoke(app, ["device", *args])


def patience(monkeypatch: pytest.MonkeyPatch, timeout_ms: int) -> None:
    for name in binding.PROFILES:
        monkeypatch.setattr(binding.load(name), "TIMEOUT_MS", timeout_ms)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """A world of few products."""
    some = [binding.load(name) for name in ("daly-bms", "dse-7320", "meanwell-drs", "seplos-v3")]
    monkeypatch.setattr(catalogue, "products", lambda: some)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few addresses, and no patience with a line on which nobody answers anyway."""
    monkeypatch.setattr(search, "ADDRESSES", range(1, 6))
    monkeypatch.setattr(search, "SCAN_TIMEOUT_S", 0.01)
    monkeypatch.setattr(RtuMaster, "slack_s", 0.0)
    monkeypatch.setattr(rtu, "QUIET_S", 0.001)
    monkeypatch.setattr(rtu, "PAUSE_S", 0.0)
    patience(monkeypatch, 10)


def factory(url: str) -> str:
    return f"{url}?baud=9600"


@pytest.mark.usefixtures("few")
def test_devices_at_their_factory_addresses_are_found_on_a_paced_wire(
    line: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    patience(monkeypatch, 150)
    url = line({10: "dse-7320", 0xD2: "daly-bms"}, wire=True).serial
    done = invoke("probe", "--url", factory(url), "--json")
    assert done.exit_code == 0, done.stderr
    found = json.loads(done.stdout)["found"]
    assert [(one["address"], one["baud"], one["profiles"]) for one in found] == [
        (10, 9600, ["dse-7320"]),
        (0xD2, 9600, ["daly-bms"]),
    ]
    assert found[0]["identity"]["model"] == "32841"


def test_reading_shows_points_registers_and_identity(line: Callable[..., Any]) -> None:
    url = line({10: "dse-7320"}, wire=True).serial
    done = invoke("read", "dse-7320", "--url", factory(url))
    assert done.exit_code == 0, done.stderr
    rows = {line.split()[0]: line.split() for line in done.stdout.splitlines() if line.strip()}
    assert rows["genset.fuel_permille"] == ["genset.fuel_permille", "71.0", "%", "3:0x0403", "0047"]
    assert rows["serial"][1] == "7320001"
    assert rows["3:0x0580"] == ["3:0x0580", "0003"]
    assert rows["3:0x0400"][1:4] == ["019A", "004E", "7FFF"]


def test_the_factory_address_is_asked_unless_another_is_named(line: Callable[..., Any]) -> None:
    built = line({10: "dse-7320", 11: "daly-bms"})
    assert json.loads(invoke("read", "dse-7320", "--url", built.tcp, "--json").stdout)["address"] == 10
    done = invoke("read", "dse-7320", "--url", built.tcp, "--address", "11")
    assert done.exit_code == 1
    assert "looks like daly-bms" in done.stderr


def test_force_reads_what_looks_like_something_else(line: Callable[..., Any]) -> None:
    url = line({11: "daly-bms"}).tcp
    done = invoke("read", "seplos-v3", "--url", url, "--address", "11", "--force", "--json")
    assert done.exit_code == 1  # not a single value
    document = json.loads(done.stdout)
    assert set(document["points"].values()) == {None}
    assert all("does not know this function" in why for why in document["quality"].values())


def test_addresses_without_a_factory_setting_are_scanned_when_those_are_silent(
    line: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "ADDRESSES", range(60, 70))
    url = line({66: "dse-7320"}).tcp
    found = json.loads(invoke("probe", "--url", url, "--json").stdout)["found"]
    assert [(one["address"], one["profiles"]) for one in found] == [(66, ["dse-7320"])]


def test_all_asks_every_address_even_when_a_factory_address_answers(
    line: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "ADDRESSES", range(60, 70))
    url = line({10: "dse-7320", 66: "daly-bms"}).tcp
    alone = invoke("probe", "--url", url)
    assert "address 66" not in alone.stdout
    assert "--all" in alone.stderr
    both = invoke("probe", "--url", url, "--all")
    assert "address 10: dse-7320" in both.stdout
    assert "address 66: daly-bms" in both.stdout


@pytest.mark.usefixtures("quick")
def test_a_dead_line_says_what_was_tried_and_what_helps() -> None:
    with PtySlave(lambda _: []) as slave:
        done = invoke("probe", "--url", f"serial://{slave.path}?baud=9600")
        assert (done.exit_code, done.stdout) == (3, "")
        asked = {request[0] for request in slave.requests}
    assert asked == set(catalogue.factory_addresses(catalogue.products())) | set(search.ADDRESSES)
    assert f"nothing answers at {slave.path}; tried 9600 baud: addresses 0-5, " in done.stderr
    for remedy in ("A and B", "rate", "address", "termination", "common ground", "power"):
        assert remedy in done.stderr


@pytest.mark.usefixtures("quick")
def test_a_dead_device_says_what_was_asked_and_what_helps() -> None:
    with PtySlave(lambda _: []) as slave:
        done = invoke("read", "dse-7320", "--url", f"serial://{slave.path}?baud=19200", "--json")
    assert (done.exit_code, done.stdout) == (3, "")
    assert f"no answer from address 10 of {slave.path} at 19200 baud" in done.stderr
    assert "leaves the factory with 9600" in done.stderr
    assert "A and B" in done.stderr


@pytest.mark.usefixtures("quick", "few")
def test_nothing_found_is_a_document_too() -> None:
    with PtySlave(lambda _: []) as slave:
        done = invoke("probe", "--url", f"serial://{slave.path}?baud=9600", "--address", "3", "--json")
    assert done.exit_code == 3
    assert json.loads(done.stdout)["found"] == []


@pytest.mark.usefixtures("quick", "few")
def test_all_common_rates_are_tried_when_asked_for() -> None:
    with PtySlave(lambda _: []) as slave:
        done = invoke("probe", "--url", f"serial://{slave.path}", "--baud", "all", "--address", "3")
    assert done.exit_code == 3
    for baud in catalogue.COMMON_BAUDS:
        assert f"{baud} baud: address 3" in done.stderr


@pytest.mark.usefixtures("quick")
def test_without_a_rate_every_product_is_asked_at_its_own() -> None:
    with PtySlave(lambda _: []) as slave:
        done = invoke("probe", "--url", f"serial://{slave.path}")
    assert "115200 baud: address" in done.stderr
    assert "19200 baud: address" in done.stderr


@pytest.mark.parametrize("command", [("probe",), ("read", "dse-7320")])
def test_a_wrong_rate_shows_as_nonsense_and_the_rate_is_the_first_remedy(command: tuple[str, ...]) -> None:
    with PtySlave(lambda _: [(0.0, b"\x00\xf8\x80\x00\x1e")]) as slave:
        done = invoke(*command, "--url", f"serial://{slave.path}?baud=9600", "--address", "10")
    assert done.exit_code == 3
    remedies = [line for line in done.stderr.splitlines() if line.startswith("  - ")]
    assert remedies[0].startswith("  - rate and parity")


def test_two_devices_with_one_address_are_suspected() -> None:
    def both(request: bytes) -> Answer:
        count = request[5]
        one, other = (registers(3, request[1], *[value] * count) for value in (0x0155, 0x00F7))
        return [(0.0, bytes(a & b for a, b in zip(one, other, strict=True)))]

    with PtySlave(both) as slave:
        done = invoke("probe", "--url", f"serial://{slave.path}?baud=9600", "--address", "3")
    assert done.exit_code == 3
    assert "address 3 at 9600 baud: something that cannot be read" in done.stdout
    assert "two devices with one address" in done.stderr


@pytest.mark.parametrize("command", [("probe",), ("read", "dse-7320")])
def test_an_adapter_that_echoes_ends_the_search_at_once(command: tuple[str, ...]) -> None:
    with PtySlave(lambda request: [(0.0, request)]) as slave:
        done = invoke(*command, "--url", f"serial://{slave.path}?baud=9600")
        assert len(slave.requests) < 3
    assert done.exit_code == 3
    assert "local echo" in done.stderr


@pytest.mark.usefixtures("few")
def test_a_reply_that_was_damaged_once_is_asked_for_again() -> None:
    broken = [True]

    def answer(request: bytes) -> Answer:
        if broken:
            broken.pop()
            return [(0.0, sealed(bytes((3, 0x83, 2)))[:-1] + b"\x00")]
        return [(0.0, sealed(bytes((3, request[1] | 0x80, 2))))]

    with PtySlave(answer) as slave:
        done = invoke("probe", "--url", f"serial://{slave.path}?baud=9600", "--address", "3")
    assert done.exit_code == 1
    assert "a device that no profile recognises" in done.stdout


def test_what_is_known_is_not_asked_twice(line: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    built = line({10: "dse-7320"})
    asked: list[tuple[int, bytes]] = []
    answer = built.server.answer

    def counting(unit: int, request: bytes) -> bytes | None:
        asked.append((unit, request))
        return answer(unit, request)

    monkeypatch.setattr(built.server, "answer", counting)
    assert invoke("read", "dse-7320", "--url", built.tcp).exit_code == 0
    assert len(asked) == len(set(asked))
    asked.clear()
    assert invoke("probe", "--url", built.tcp, "--address", "10").exit_code == 0
    assert len(asked) == len(set(asked))


def test_a_ctrl_c_keeps_what_was_found(line: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    url = line({10: "dse-7320"}).tcp

    @contextlib.contextmanager
    def interrupted(_: Any) -> Iterator[Callable[[search.Call], None]]:
        def tell(call: search.Call) -> None:
            if call.unit > 10:
                raise KeyboardInterrupt

        yield tell

    monkeypatch.setattr(screen, "progress", interrupted)
    done = invoke("probe", "--url", url)
    assert done.exit_code == 130
    assert "address 10: dse-7320" in done.stdout


@pytest.mark.parametrize("command", [("probe",), ("read", "dse-7320")])
def test_ports_that_cannot_be_opened_are_exit_3_with_the_remedy(
    command: tuple[str, ...], tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    missing = invoke(*command, "--url", f"serial://{tmp_path}/ttyUSB0")
    assert (missing.exit_code, missing.stdout) == (3, "")
    assert "is the cable plugged in" in missing.stderr
    nobody = invoke(*command, "--url", f"tcp://127.0.0.1:{free_port()}")
    assert nobody.exit_code == 3
    assert "nothing listens" in nobody.stderr

    def refused(*_: Any, **__: Any) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refused)
    locked = invoke(*command, "--url", "serial:///dev/ttyUSB0")
    assert locked.exit_code == 3
    assert "dialout" in locked.stderr


def test_a_busy_port_is_exit_3(line: Callable[..., Any]) -> None:
    from greenmast.link.port import open_port

    with PtySlave(lambda _: []) as slave, open_port(slave.path, 9600):
        done = invoke("probe", "--url", f"serial://{slave.path}")
    assert done.exit_code == 3
    assert "in use by another program" in done.stderr


def test_the_list_has_every_product_and_marks_single_sources() -> None:
    done = invoke("list")
    assert done.exit_code == 0
    lines = {line.split()[0]: line for line in done.stdout.splitlines()}
    assert set(binding.PROFILES) <= set(lines)
    assert "*" in lines["dse-7320"]
    assert [row["profile"] for row in json.loads(invoke("list", "--json").stdout)["profiles"]] == sorted(
        binding.PROFILES
    )


def test_a_request_without_an_answer_costs_its_own_points_only(
    line: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    built = line({10: "dse-7320"})
    answer = built.server.answer
    engine = bytes((3, 0x05, 0x80))
    monkeypatch.setattr(
        built.server, "answer", lambda unit, asked: None if asked[:3] == engine else answer(unit, asked)
    )
    document = json.loads(invoke("read", "dse-7320", "--url", built.tcp, "--json").stdout)
    assert (document["points"]["genset.running"], document["points"]["genset.rpm"]) == (None, 1509)
    assert document["quality"] == {"genset.running": "no reply"}
    done = invoke("read", "dse-7320", "--url", built.tcp)
    assert done.exit_code == 0
    assert "3:0x0580  no reply" in done.stdout


def test_sentinels_and_values_out_of_range_are_told_instead_of_a_value(line: Callable[..., Any]) -> None:
    built = line({10: "dse-7320"})
    bank = built.server.devices[10].holding
    bank[0x0403], bank[0x0406] = 0xFFFF, 0xEA60
    document = json.loads(invoke("read", "dse-7320", "--url", built.tcp, "--json").stdout)
    assert (document["points"]["genset.fuel_permille"], document["points"]["genset.rpm"]) == (None, None)
    assert document["quality"] == {"genset.fuel_permille": "sentinel", "genset.rpm": "out_of_range (60000)"}


def test_a_document_has_the_raw_words_beside_value_and_unit(line: Callable[..., Any]) -> None:
    url = line({10: "dse-7320"}).tcp
    document = json.loads(invoke("read", "dse-7320", "--url", url, "--json").stdout)
    assert {"profile", "address", "identity", "points", "registers"} <= set(document)
    by_address = {register["address"]: register for register in document["registers"]}
    assert by_address[0x0408] == {
        "function": 3,
        "address": 0x0408,
        "name": "genset.voltage_mv",
        "raw": [0, 2283],
        "value": 228.3,
        "unit": "V",
    }
    assert (by_address[0x0402]["name"], by_address[0x0402]["value"]) == ("", by_address[0x0402]["raw"][0])
