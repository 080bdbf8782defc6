"""Power cut at every flash operation of every kind of write, and again while the board recovers."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from greenmast.emulator import runtime

GENERATIONS = "36"  # the log of the file system is compacted within so many
CONFIG_GENERATIONS = ("0", "29", "32")  # empty, and about to be compacted
ROOT = Path(__file__).parents[1]


def _run(program: str, *generations: str) -> list[dict[str, Any]]:
    path = f"{ROOT / 'firmware'}:{ROOT / 'protocol'}:{ROOT / 'hil_tests'}:.frozen"
    file = str(ROOT / "hil_tests" / program)
    done = subprocess.run(
        [runtime.find(), "-X", "heapsize=4000wK", file, *generations],
        env={**os.environ, "MICROPYPATH": path},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    # Files that a cut left open end as tracebacks of the collector.
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


@pytest.mark.timeout(300)
def test_a_power_cut_leaves_the_old_or_the_new_document() -> None:
    rows = _run("power_cut_program.py", GENERATIONS)
    assert [row["document"] for row in rows] == ["config", "record", "boot"]
    for row in rows:
        print(row["document"], row["tried"], "cuts,", row["erases_per_1000_writes"], "erases in 1000 writes")
        assert row["tried"] > 16 * row["operations"] > 16 * int(GENERATIONS), "every operation, every kind"
        assert row["failed"] == []


@pytest.mark.timeout(300)
def test_a_power_cut_in_a_transaction_leaves_the_old_or_the_new_configuration() -> None:
    rows = _run("power_cut_config_program.py", *CONFIG_GENERATIONS)
    assert len(rows) == 8
    for row in rows:
        print(row["step"], row["tried"], "cuts")
        assert row["tried"] > 16 * row["operations"] >= 16 * len(CONFIG_GENERATIONS), (
            "every operation and kind"
        )
        assert row["failed"] == []


@pytest.mark.timeout(120)
def test_a_power_cut_leaves_a_ring_without_loss_repetition_or_invention() -> None:
    rows = {row["ring"]: row for row in _run("power_cut_ring.py")}
    assert rows.keys() == {"append", "mark", "thin"}
    for what, row in rows.items():
        print(what, row["tried"], "cuts,", row["again"], "more in the boots after them")
        assert row["tried"] == 4 * row["operations"] > 0, "every operation, every kind"
        assert row["again"] > row["tried"]
        assert row["failed"] == []
    for what in ("thin", "append"):
        assert rows[what]["dropped"], "the ring was full"
