"""Power cut at every flash operation of every kind of write, and again while the board recovers."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from greenmast.emulator import runtime

GENERATIONS = "30"  # the log of the file system is compacted within so many
HERE = Path(__file__).parent


def cut(program: str, *arguments: str) -> list[dict[str, Any]]:
    """The JSON lines that `program` prints under MicroPython."""
    path = f"{HERE.parent / 'firmware'}:{HERE.parent / 'protocol'}:.frozen"
    done = subprocess.run(
        [runtime.find(), "-X", "heapsize=4000wK", str(HERE / program), *arguments],
        env={**os.environ, "MICROPYPATH": path},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    # Files that a cut left open end as tracebacks of the collector.
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


@pytest.mark.timeout(300)
def test_a_power_cut_leaves_the_old_or_the_new_document() -> None:
    rows = cut("power_cut_program.py", GENERATIONS)
    assert [row["document"] for row in rows] == ["config", "record", "boot"]
    for row in rows:
        print(row["document"], row["tried"], "cuts,", row["erases_per_1000_writes"], "erases in 1000 writes")
        assert row["tried"] > 16 * row["operations"] > 16 * int(GENERATIONS), "every operation, every kind"
        assert row["failed"] == []


@pytest.mark.timeout(120)
def test_a_power_cut_leaves_a_ring_without_loss_repetition_or_invention() -> None:
    rows = {row["ring"]: row for row in cut("power_cut_ring.py")}
    assert rows.keys() == {"append", "mark", "thin"}
    for what, row in rows.items():
        print(what, row["tried"], "cuts,", row["again"], "more in the boots after them")
        assert row["tried"] == 4 * row["operations"] > 0, "every operation, every kind"
        assert row["again"] > row["tried"]
        assert row["failed"] == []
    for what in ("thin", "append"):
        assert rows[what]["dropped"], "the ring was full"
