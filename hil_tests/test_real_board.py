"""The suite on a real board, tried on a virtual one that passes for it: another process, free bus ports."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

HERE = Path(__file__).parent
LIMIT_S = 150


@pytest.fixture
def board(tmp_path: Path) -> Iterator[list[str]]:
    """Options for pytest that name its console and its buses."""
    command = [sys.executable, str(HERE / "lone_board.py"), str(HERE / "bench.toml"), str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        ports = json.loads(process.stdout.readline())
        yield ["--board", ports["console"], *(f"--bus={path}" for path in ports["buses"])]
        process.communicate("", LIMIT_S)


def pytest_run(*arguments: str, folder: Path) -> tuple[int, str]:
    """Exit code and output of another pytest, as a user starts it."""
    plugin = ["-p", "greenmast.hil.plugin", "-p", "no:cacheprovider", f"--hil-traces={folder}"]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *plugin, *arguments],
        cwd=HERE.parent,
        env=os.environ | {"COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


def test_what_can_run_on_a_board_runs_there_and_the_rest_is_counted_with_reasons(
    board: list[str], tmp_path: Path
) -> None:
    suite = ["hil_tests/test_bench.py", "hil_tests/test_main_job.py", "hil_tests/test_deployment.py"]
    code, said = pytest_run(*suite, "hil_tests/stories/outage.toml", *board, folder=tmp_path / "traces")
    assert code == 0, said
    assert "real board on /dev/pts/" in said
    # by hand and as a story an outage, a silent device, a reset, a command, names
    assert "6 passed, 9 skipped" in said, said
    told = said.partition("not on this bench: 9 tests")[2]
    for count, reason in (
        (6, "the board's broker is not one of this machine's processes"),
        (1, "nobody looks at the pins of a real board without an I/O fixture"),
        (1, "auxiliary contacts are wired, not driven by this machine: it needs an I/O fixture"),
        (1, "it does not touch the board"),
    ):
        assert f"{count}  {reason}" in told, said
