"""`greenmast log pull` against the firmware's own console."""

from __future__ import annotations

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from greenmast.cli.app import app
from greenmast.link.serial import SerialLink

runner = CliRunner()


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(SerialLink, "answer_s", 0.5)


def pull(board: Any, *args: str) -> list[str]:
    done = runner.invoke(app, ["log", "pull", *args, "--port", board.port])
    assert done.exit_code == 0, done.stderr
    return done.stdout.splitlines()


def test_the_log_is_pulled_to_its_end_in_words_and_gaps_are_said(pty_board: Any) -> None:
    lines = pull(pty_board)
    assert lines[0].split(maxsplit=1) == ["7:2", "boot 7 + 1 min 30 s    AC source: genset"]
    assert "(events gone: 1)" in lines
    assert lines[-1].split(maxsplit=1) == ["7:4", "2025-11-24 16:00:00Z   AC source: genset"]


def test_json_has_one_line_an_event(pty_board: Any) -> None:
    documents = [json.loads(line) for line in pull(pty_board, "--json")]
    assert [document["seq"] for document in documents] == [2, 4]
    assert documents[0]["kind"] == "source"
    assert documents[0]["new"] == 2
    assert documents[0]["text"] == "AC source: genset"


def test_since_names_a_record_of_this_boot_or_of_another(pty_board: Any) -> None:
    assert len(pull(pty_board, "--since", "2")) == 1
    assert len(pull(pty_board, "--since", "7:2")) == 1
    assert runner.invoke(app, ["log", "pull", "--since", "x", "--port", pty_board.port]).exit_code == 2
