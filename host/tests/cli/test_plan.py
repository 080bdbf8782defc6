"""`greenmast plan`: a table with reasons, JSON, and the plan on a board."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from greenmast.cli.app import app
from greenmast.link import base
from greenmast_protocol import commands, frame, points

runner = CliRunner()
THEN = ("--at", "2025-06-21T18:20")


def run(*args: str) -> Any:
    return runner.invoke(app, ["plan", "india-rural", *args])


def sent(pty_board: Any) -> list[tuple[int, dict[str, Any]]]:
    """Length and arguments of each plan.set that the board has received."""
    lines = [line for line in pty_board.stream.received.splitlines() if b'"plan.set"' in line]
    return [(len(line) + 1, json.loads(line[: line.rindex(b"}") + 1])["params"]["args"]) for line in lines]


def test_the_plan_is_a_line_an_hour_with_its_reason() -> None:
    done = run("--soc", "62%", *THEN)
    assert done.exit_code == 0, done.stderr
    head, *hours, last = done.stdout.splitlines()
    assert head.split()[:2] == ["hour", "INR/kWh"]
    assert len(hours) == 36
    assert hours[0].startswith("21 Jun 19:00    8.50")
    assert all("AC" in line or "carry" in line for line in hours)
    assert last == "Not sent (--send); over 36 h after its receipt."


def test_as_json_it_has_the_arguments_that_a_board_takes() -> None:
    document = json.loads(run("--soc", "62", *THEN, "--json").stdout)
    assert commands.problem("plan.set", document["args"]) == ("", "")
    assert document["args"]["start_in_s"] == 2_400
    assert document["sent"] is False
    first = document["hours"][0]
    assert first["time"] == "2025-06-21T19:00:00+05:30"
    assert first["reserve"] == document["args"]["reserve"][0]
    assert first["genset"] in ("by its rules", "runs", "bus voltage only")


def test_a_plan_that_is_sent_begins_with_the_charge_of_the_board(pty_board: Any) -> None:
    pty_board.board.refusal = ""
    done = run("--send", "--port", pty_board.port)
    assert done.exit_code == 0, done.stderr
    ((length, args),) = sent(pty_board)
    assert length <= frame.HOST_LINE_MAX
    assert commands.problem("plan.set", args) == ("", "")
    count = len(args["reserve"])
    assert count == len(args["charge"]) == len(args["genset"]) >= 8
    assert args["expires_s"] == args.get("start_in_s", 0) + 3_600 * count
    assert f"the first {count} hours" in done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == count + 2
    assert lines[-1].startswith("Sent; over ")


def test_without_send_the_board_is_only_asked(pty_board: Any) -> None:
    done = run("--port", pty_board.port)
    assert done.exit_code == 0, done.stderr
    assert sent(pty_board) == []
    assert done.stdout.splitlines()[-1].startswith("Not sent")


def test_without_a_line_in_between_the_whole_plan_is_sent(
    pty_board: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[dict[str, Any]] = []

    def call(self: base.Link, method: str, params: Any = None, timeout_s: Any = None) -> Any:
        if method != "command":
            return real(self, method, params, timeout_s)
        asked.append(params)
        return {"applied": params["args"]}

    real = base.Link.call
    monkeypatch.setattr(base.Link, "call", call)
    monkeypatch.setattr("greenmast.link.serial.SerialLink.request_bytes", None)
    assert run("--send", "--port", pty_board.port).exit_code == 0
    assert [len(each["args"]["reserve"]) for each in asked] == [36]


def test_a_refusal_is_told(pty_board: Any) -> None:
    pty_board.board.refusal = "not_authorised"
    done = run("--send", "--soc", "62%", "--port", pty_board.port)
    assert (done.exit_code, done.stdout) == (4, "")
    assert done.stderr.splitlines()[-1].startswith("greenmast: plan.set refused: ")


def test_a_board_that_does_not_know_its_charge_is_no_basis(pty_board: Any) -> None:
    pty_board.board.v["battery.soc_permille"] = None
    done = run("--port", pty_board.port)
    assert done.exit_code == 1
    assert "give --soc" in done.stderr
    assert points.index("battery.soc_permille") >= 0


def test_a_forecast_of_ones_own_is_followed(tmp_path: Path) -> None:
    file = tmp_path / "own.csv"
    rows = [f"2025-06-2{1 + h // 24}T{h % 24:02d}:00,{h}" for h in range(19, 48)]
    file.write_text("\n".join(["time,solar_w", *rows]) + "\n", encoding="utf-8")
    done = run("--soc", "62%", *THEN, "--forecast", str(file), "--json")
    assert done.exit_code == 0, done.stderr
    assert [hour["solar_wh"] for hour in json.loads(done.stdout)["hours"][:3]] == [19, 20, 21]


@pytest.mark.parametrize(
    ("args", "exit_code", "text"),
    [
        (("--soc", "620", *THEN), 2, "write 0% .. 100%"),
        (("--soc", "much", *THEN), 2, "write 0% .. 100%"),
        (("--soc", "62%", "--at", "noon"), 2, "write 2025-06-21T18:00"),
        (("--soc", "62%", *THEN, "--forecast", "persistence"), 2, "give --history FILE"),
        (("--soc", "62%", *THEN, "--forecast", "none.csv"), 2, "no such file: none.csv"),
        (("--send", *THEN), 2, "exclude each other"),
        ((), 2, "which board?"),
    ],
)
def test_what_is_wrong_is_told_with_the_remedy(
    args: tuple[str, ...], exit_code: int, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("GREENMAST_PORT", "GREENMAST_MQTT"):
        monkeypatch.delenv(name, raising=False)
    done = run(*args)
    assert done.exit_code == exit_code
    assert text in done.stderr
