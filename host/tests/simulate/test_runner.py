"""Runs that are there already are not made again; an interrupted comparison goes on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from greenmast.errors import UserError
from greenmast.simulate import native, runner
from greenmast.simulate.case import Case
from greenmast.simulate.result import load, save

from .made_up import result

CASE = Case("india-rural", days=1)


def test_what_lies_in_the_folder_is_not_run_again(tmp_path: Path) -> None:
    kept = result(days=1)
    save(kept, tmp_path / runner.name_of(CASE))
    told: list[tuple[int, int]] = []
    found = runner.run_all([CASE], keep=tmp_path, tell=lambda done, count, result: told.append((done, count)))
    assert found == [kept]
    assert told == [(1, 1)]


def test_a_damaged_result_is_named_and_not_counted(tmp_path: Path) -> None:
    path = tmp_path / runner.name_of(CASE)
    path.write_text("{")
    with pytest.raises(UserError, match="delete it"):
        runner.run_all([CASE], keep=tmp_path)


def test_an_error_of_a_case_ends_the_whole_and_keeps_what_is_done(tmp_path: Path) -> None:
    kept = result(days=1)
    save(kept, tmp_path / runner.name_of(CASE))
    bad = replace(CASE, controller="no-such-rule")
    with pytest.raises(UserError, match="no-such-rule"):
        runner.run_all([CASE, bad], keep=tmp_path, jobs=1)
    assert load(tmp_path / runner.name_of(CASE)) == kept


def test_whatever_changes_a_run_changes_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load_file = tmp_path / "load.csv"
    load_file.write_text("one")
    cases = [
        CASE,
        replace(CASE, seed=2),
        replace(CASE, plan="climatology"),
        replace(CASE, overrides=(("solar.kwp", 5),)),
        replace(CASE, load=str(load_file)),
    ]
    names = [runner.name_of(case) for case in cases]
    load_file.write_text("another")
    names.append(runner.name_of(cases[-1]))
    monkeypatch.setattr(native, "key", lambda: "other rules")
    names.append(runner.name_of(CASE))
    assert len(set(names)) == len(names)
