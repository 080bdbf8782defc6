"""The board computes in integers. A float of the ESP32 has 24 bits and costs heap; one of the unix port, on
which everything is tested, has 53, and no test would see what is lost. So none is made anywhere.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import greenmast_fw
import greenmast_protocol

ROOTS = [Path(package.__path__[0]) for package in (greenmast_fw, greenmast_protocol)]
MODULES = sorted(path for root in ROOTS for path in root.rglob("*.py"))
# Module -> what in it is no float, and why.
HARMLESS = {
    "show": ["a power that may be a fraction"],  # of ten, by a count of decimals: never negative
    "profile": ["a power that may be a fraction"] * 2,  # of ten, by a scale factor whose sign is known there
}
MAKERS = {"float", "round", "complex"}


def floats(source: str) -> list[str]:
    """What in `source` makes a float, with its line."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, float | complex):
            found.append(f"line {node.lineno}: {node.value}")
        elif isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div):
            found.append(f"line {node.lineno}: true division")
        elif isinstance(node, ast.Name) and node.id in MAKERS:
            found.append(f"line {node.lineno}: {node.id}")
        elif isinstance(node, ast.Import | ast.ImportFrom) and "math" in ast.unparse(node):
            found.append(f"line {node.lineno}: math")
        elif (
            isinstance(node, ast.BinOp)
            and isinstance(node.op, ast.Pow)
            and not (isinstance(node.right, ast.Constant) and isinstance(node.right.value, int))
        ):
            found.append(f"line {node.lineno}: a power that may be a fraction")
    return found


@pytest.mark.parametrize("module", MODULES, ids=lambda path: f"{path.parent.name}.{path.stem}")
def test_no_module_of_the_board_makes_a_float(module: Path) -> None:
    found = [text.partition(": ")[2] for text in floats(module.read_text(encoding="utf-8"))]
    assert found == HARMLESS.get(module.stem, [])


@pytest.mark.parametrize(
    "source", ["x = 1.5", "y = a / 2", "a /= 2", "z = float(a)", "import math", "b = a ** n", "round(a)"]
)
def test_the_check_finds_floats(source: str) -> None:
    assert floats(source)


def test_there_is_something_to_check() -> None:
    assert len(MODULES) > 100
