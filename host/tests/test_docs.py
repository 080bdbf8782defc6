"""The documents say what the tables say, and lead nowhere that is not there."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

import greenmast_fw.core
from greenmast_protocol import alarms, params

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
GENERATED = runpy.run_path(str(DOCS / "generate.py"))["pages"]()
WRITTEN = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]


@pytest.mark.parametrize("name", GENERATED)
def test_a_generated_document_is_what_the_tables_give(name: str) -> None:
    assert (DOCS / name).read_text(encoding="utf-8") == GENERATED[name], "run make docs"


def test_every_parameter_and_alarm_has_its_line() -> None:
    for name, names in (("parameters.md", params.NAMES), ("alarms.md", alarms.NAMES)):
        lines = GENERATED[name].splitlines()
        for row in names:
            assert [line for line in lines if line.startswith(f"| `{row}` |")], row


def test_every_part_of_the_core_has_its_line() -> None:
    text = GENERATED["controller.md"]
    for module in Path(greenmast_fw.core.__path__[0]).glob("[a-z]*.py"):
        assert f"`{module.stem}`" in text, module.stem


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: path.name)
def test_links_lead_to_files_that_are_there(path: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", path.read_text(encoding="utf-8")):
        assert (path.parent / target).exists(), target
