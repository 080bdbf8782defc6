"""The command: verdicts, exit codes, several files, levels."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from greenmast.cli.app import app
from greenmast.errors import DONE, REFUSED
from greenmast.scenario import run as room
from greenmast.scenario.judge import Verdict

HOLDS = "[[always]]\nthat = 'source.ac == grid'\n"
FAILS = "[[always]]\nthat = 'source.ac == genset'\n"


def run(*args: object) -> Result:
    return CliRunner().invoke(app, ["scenario", "run", *map(str, args)])


def test_a_verdict_is_one_line_of_json_with_these_members(write) -> None:
    path = write(FAILS)
    result = run(path, "--level", "core", "--json")
    assert result.exit_code == REFUSED
    (line,) = result.stdout.splitlines()
    verdict = json.loads(line)
    assert list(verdict) == ["file", "level", "passed", "seconds", "failures"]
    assert (verdict["file"], verdict["level"], verdict["passed"]) == (str(path), "core", False)
    assert verdict["seconds"] > 0
    (failure,) = verdict["failures"]
    assert list(failure) == ["at", "what", "saw"]
    assert failure["at"] <= 2
    assert failure["what"] == "[[always]] 1 source.ac == genset in 0:00:00 .. 0:10:00"
    assert failure["saw"] in ("source.ac = none", "source.ac = grid")


def test_a_person_sees_the_reasons_and_events_of_a_failure(write) -> None:
    result = run(write(FAILS.replace("genset", "none")))
    assert result.exit_code == REFUSED
    assert "FAILED core" in result.stdout
    assert "saw: source.ac = grid" in result.stdout
    assert "genset off: " in result.stdout


def test_all_files_are_played_in_their_order_whatever_the_processes(write) -> None:
    files = [write(text, name=f"{n}.toml") for n, text in enumerate((HOLDS, FAILS, HOLDS))]
    args = [str(file) for file in files]
    out = subprocess.run(
        [sys.executable, "-m", "greenmast", "scenario", "run", *args, "--jobs", "2", "--json"],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert out.returncode == REFUSED, out.stderr
    verdicts = [json.loads(line) for line in out.stdout.splitlines()]
    assert [verdict["file"] for verdict in verdicts] == args
    assert [verdict["passed"] for verdict in verdicts] == [True, False, True]


def test_a_verdict_is_out_before_the_next_file_is_played(
    write, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out: list[str] = []

    def play(file: str, level: str, how: room.How) -> Verdict:
        out.append(capsys.readouterr().out)
        return Verdict(file, level)

    monkeypatch.setattr(room, "play", play)
    files = [str(write(HOLDS, name=f"{n}.toml")) for n in range(2)]
    assert room.run(files, "core", 1, json_output=True) == DONE
    assert out[0] == ""
    assert json.loads(out[1])["file"] == files[0]


def test_success_is_exit_code_0(write) -> None:
    result = run(write(HOLDS))
    assert result.exit_code == DONE, result.output
    assert result.stdout.startswith("passed core")


def test_a_level_that_the_file_does_not_name_is_a_failure_when_asked_for(write) -> None:
    result = run(write(HOLDS), "--level", "hil", "--json")
    assert result.exit_code == REFUSED
    (failure,) = json.loads(result.stdout)["failures"]
    assert (failure["what"], failure["saw"]) == ("not run at this level", "the file is for core")


@pytest.mark.parametrize(
    ("level", "why"),
    [("sim", "this version has no level sim"), ("board", "needs a board: --port PORT and --bus PORT")],
)
def test_a_level_that_cannot_be_played_is_told_and_does_not_hide_the_others(
    write, level: str, why: str
) -> None:
    path: Path = write(HOLDS)
    path.write_text(path.read_text().replace('["core"]', f'["core", "{level}"]'), encoding="utf-8")
    result = run(path, "--json")
    assert result.exit_code == DONE
    assert [json.loads(line)["level"] for line in result.stdout.splitlines()] == ["core"]
    assert f"{level}: not run: {why}" in result.stderr
    assert run(path, "--level", level).exit_code == REFUSED


def test_a_file_that_can_be_played_nowhere_has_not_passed(write) -> None:
    path: Path = write(HOLDS)
    path.write_text(path.read_text().replace('["core"]', '["sim"]'), encoding="utf-8")
    result = run(path, "--json")
    assert result.exit_code == REFUSED
    assert json.loads(result.stdout)["passed"] is False


def test_a_faulty_line_is_not_played_where_there_are_no_lines(write) -> None:
    path = write(HOLDS + "[[at]]\ntime = 1\nfault = { on = 'bus.meters', kind = 'noise' }\n")
    result = run(path, "--level", "core", "--json")
    assert result.exit_code == REFUSED
    (failure,) = json.loads(result.stdout)["failures"]
    assert failure["what"] == room.NOT_RUN
    assert failure["saw"] == "not at this level: bus.meters noise (needs a line)"
