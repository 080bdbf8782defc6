"""`greenmast command`: words become arguments, the board's verdict becomes a line and an exit code."""

from __future__ import annotations

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from greenmast.cli.app import app
from greenmast_protocol import commands

runner = CliRunner()


def run(pty_board: Any, *args: str) -> Any:
    return runner.invoke(app, ["command", *args, "--port", pty_board.port])


def sent(pty_board: Any) -> Any:
    lines = [line for line in pty_board.stream.received.decode().splitlines() if '"command"' in line]
    assert len(lines) == 1
    return json.loads(lines[0][: lines[0].rindex("}") + 1])["params"]


@pytest.mark.parametrize(
    ("words", "args"),
    [
        (("genset.start", "for_s=3600"), {"for_s": 3600}),
        (("source.select", "ac=grid", "for_s=60"), {"ac": "grid", "for_s": 60}),
        (("plan.set", "expires_s=3600", "reserve=300,400"), {"expires_s": 3600, "reserve": [300, 400]}),
        (("controller.reset",), {}),
    ],
)
def test_words_become_the_arguments_of_the_table(pty_board: Any, words: tuple[str, ...], args: Any) -> None:
    pty_board.board.refusal = ""
    done = run(pty_board, *words)
    assert done.exit_code == 0, done.stderr
    assert sent(pty_board) == {"name": words[0], "args": args}
    assert done.stdout.startswith(f"{words[0]} applied")


def test_what_was_applied_is_printed(pty_board: Any) -> None:
    pty_board.board.refusal = ""
    assert run(pty_board, "genset.start", "for_s=60").stdout == "genset.start applied: for_s=60\n"
    done = run(pty_board, "genset.start", "for_s=60", "--json")
    assert json.loads(done.stdout) == {"name": "genset.start", "applied": {"for_s": 60}}


@pytest.mark.parametrize(("code", "exit_code"), [("fuel_low", 1), ("not_authorised", 4)])
def test_a_refusal_is_printed_with_its_reason_and_its_own_exit_code(
    pty_board: Any, code: str, exit_code: int
) -> None:
    pty_board.board.refusal = code
    done = run(pty_board, "genset.start", "for_s=60")
    assert (done.exit_code, done.stdout) == (exit_code, "")
    assert done.stderr.startswith("greenmast: genset.start refused: ")
    assert f"({code})" in done.stderr
    assert json.loads(run(pty_board, "genset.start", "for_s=60", "--json").stdout)["refused"] == code


def test_without_a_name_the_commands_are_listed_with_their_arguments() -> None:
    done = runner.invoke(app, ["command"])
    assert done.exit_code == 0
    assert [line.split()[0] for line in done.stdout.splitlines()] == list(commands.NAMES)
    assert "source.select     ac=none|grid|genset for_s=1..604800" in done.stdout
    listed = json.loads(runner.invoke(app, ["command", "--json"]).stdout)["commands"]
    assert listed["load.shed"] == {"tier": "1..3", "for_s": "1..604800"}


def test_another_point_table_is_not_commanded(pty_board: Any) -> None:
    pty_board.board.table = "00000000"
    done = run(pty_board, "genset.stop")
    assert done.exit_code == 1
    assert "no commands" in done.stderr
