"""Power cut at every flash operation of every document's write, and again while the board recovers."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

from greenmast.emulator import runtime

GENERATIONS = "30"  # the log of the file system is compacted within so many
PROGRAM = Path(__file__).with_name("power_cut_program.py")
ROOT = PROGRAM.parents[1]


@pytest.mark.timeout(300)
def test_a_power_cut_leaves_the_old_or_the_new_document() -> None:
    path = f"{ROOT / 'firmware'}:{ROOT / 'protocol'}:.frozen"
    done = subprocess.run(
        [runtime.find(), "-X", "heapsize=4000wK", str(PROGRAM), GENERATIONS],
        env={**os.environ, "MICROPYPATH": path},
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    # Files that a cut left open end as tracebacks of the collector.
    rows = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    assert [row["document"] for row in rows] == ["config", "record", "boot"]
    for row in rows:
        print(row["document"], row["tried"], "cuts,", row["erases_per_1000_writes"], "erases in 1000 writes")
        assert row["tried"] > 16 * row["operations"] > 16 * int(GENERATIONS), "every operation, every kind"
        assert row["failed"] == []
