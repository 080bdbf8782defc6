"""The plain tests of this folder once more, under MicroPython."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
RUN = """
import test_{name} as module
count = 0
for name in sorted(dir(module)):
    if name.startswith("test_"):
        getattr(module, name)()
        count += 1
print(count)
"""


@pytest.mark.parametrize("name", ["codec", "inflight"])
def test_all_pass_under_micropython(name: str) -> None:
    beside = Path(sys.executable).with_name("micropython")
    micropython = str(beside) if beside.exists() else shutil.which("micropython")
    assert micropython is not None
    result = subprocess.run(
        [micropython, "-c", RUN.format(name=name)],
        env={"MICROPYPATH": f"{HERE}:{HERE.parents[1]}:.frozen"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == 0, result.stderr + result.stdout
    tree = ast.parse((HERE / f"test_{name}.py").read_text())
    written = [
        node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]
    assert int(result.stdout) == len(written) > 0
