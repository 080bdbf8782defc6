"""Protection judges alone: it uses no part whose mistakes it has to catch."""

from __future__ import annotations

import ast
from pathlib import Path

from greenmast_fw.core import protection


def used(module: str) -> set[str]:
    """Whatever the file imports, by full name."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(Path(module).read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            found.add(f"{'.' * node.level}{node.module or ''}")
        elif isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
    return found


def test_protection_knows_of_the_other_parts_only_the_sites_wiring() -> None:
    assert used(protection.__file__) == {"greenmast_fw.core.site", "greenmast_protocol"}
