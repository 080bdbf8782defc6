"""The linked and bundled controller decides as its plain sources do, step by step, under MicroPython."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from greenmast import site as sites
from greenmast.emulator import runtime
from greenmast.flash import build
from greenmast_protocol import params, points

ROOT = Path(__file__).resolve().parents[3]
SITE = sites.load("india-rural")
STEPS = 10_000

PROGRAM = """
import binascii, json, sys
order = json.loads(sys.stdin.read())
if order["linked"]:
    from greenmast_fw.resident import Snapshot
else:
    from greenmast_fw.core.snapshot import Snapshot
from greenmast_fw.services.app import controller_of
from greenmast_protocol.settings import Settings
class Journal:
    def write(self, *words):
        global told
        told = words
def build(kept):
    return controller_of(Settings(order["params"]), order["document"], kept, Journal())
told = None
state = order["seed"]
def draw(n):
    global state
    state = (state * 1103515245 + 12345) & 0x7FFFFFFF
    return (state >> 8) % n
controller = build({})
values = [None] * order["count"]
choices = order["choices"]
follows = order["feedback"]
digest = 0
seen = set()
for step in range(order["steps"]):
    for row in choices:
        if draw(12) == 0:
            values[row[0]] = row[1][draw(len(row[1]))]
    outputs = controller.decision.outputs
    for i in range(len(follows)):
        if draw(40):
            values[follows[i]] = outputs[i]
    dt_ms = (100, 1000, 1000, 5000, 60000)[draw(5)]
    decision = controller.step(Snapshot(tuple(values), bytes(order["count"])), dt_ms)
    setpoints = sorted(decision.setpoints.items())
    text = repr((bytes(decision.outputs), decision.points, setpoints, decision.alarms, decision.events))
    if step % 20 == 0:
        text += repr(controller.explain())
    if draw(400) == 0:
        kept = json.loads(json.dumps(controller.memory()))
        told = None
        controller = build(kept)
        text += repr(told)
    digest = binascii.crc32(text.encode(), digest)
    seen.add(bytes(decision.outputs))
print(digest, len(seen))
"""

# Values worth trying, the usual ones more often.
CHOICES: dict[str, list[int | None]] = {
    "grid.voltage_mv": [230_000, 230_000, 228_000, 0, 150_000, 280_000, None],
    "grid.frequency_chz": [5_000, 5_000, 0, 4_500, None],
    "genset.voltage_mv": [230_000, 230_000, 0, 120_000, None],
    "genset.frequency_chz": [5_000, 5_000, 0, 5_600, None],
    "genset.rpm": [1_500, 1_500, 0, None],
    "genset.running": [1, 0, None],
    "genset.fuel_permille": [700, 700, 150, 50, None],
    "genset.fault": [0, 0, 0, 0, 0, 0, 1, None],
    "rectifier.ac_present": [1, 0, None],
    "rectifier.output_mv": [51_000, 0, None],
    "dc.bus_mv": [51_000, 49_000, 47_000, 46_000, 44_000, None],
    "battery.voltage_mv": [51_000, 48_000, 46_000, 43_000, None],
    "battery.current_ma": [50_000, -40_000, 0, None],
    "battery.soc_permille": [900, 500, 310, 290, 100, None],
}


def run(folder: Path, seed: int, linked: bool) -> str:
    program = folder / "program.py"
    program.write_text(PROGRAM)
    order: dict[str, Any] = {
        "linked": linked,
        "seed": seed,
        "steps": STEPS,
        "count": points.COUNT,
        "params": params.complete(dict(SITE.params)),
        "document": SITE.board_config(),
        "choices": [[points.index(name), values] for name, values in CHOICES.items()],
        "feedback": [points.index(f"feedback.{name}") for name in points.FEEDBACKS],
    }
    shim = ROOT / "host" / "greenmast" / "emulator" / "shim"
    plain = f"{ROOT / 'protocol'}:{ROOT / 'firmware'}"
    done = subprocess.run(
        [runtime.find(), "-X", "heapsize=8M", str(program)],
        input=json.dumps(order),
        env={
            **os.environ,
            "MICROPYPATH": f"{folder if linked else plain}:{shim}:.frozen",
            "GREENMAST_IO_FD": "2",  # the shim wants one; nothing is sent
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("deployed")
    for path, content in build.firmware(SITE).items():
        if path != "main.py":
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)
    return folder


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_the_deployed_controller_decides_as_its_sources_do(deployed: Path, tmp_path: Path, seed: int) -> None:
    plain = run(tmp_path, seed, linked=False)
    linked = run(deployed, seed, linked=True)
    assert linked == plain, f"seed {seed}"
    assert int(plain.split()[1]) >= 8, "the walk visits many combinations of outputs"
