"""Register images: what a product's registers hold, written by hand from its documents, and what that means.

A TOML file: `profile`, `unit`, `source`; [[block]] with `table` ("coils", "discrete", "holding", "input"),
`first` (address) and `values` (registers or bits), or `count` and `fill` for registers that all hold the
same; later blocks lie on top of earlier ones. [[meaning]] has `point` and `value` (a point in its unit, or
a name of the product's own that says its unit) and how another master sees it: `kind` (mbpoll's: "3:float"
and so on), `low_first` for its word order, `address`, `shows` (the number that it prints). Owns the file
format. Must not know any product.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from greenmast.errors import BAD_INPUT_FILE, UserError

TABLES = ("coils", "discrete", "holding", "input")


@dataclass(frozen=True)
class Meaning:
    """A point that the image holds; see the module."""

    point: str
    value: int
    kind: str
    address: int
    shows: float
    low_first: bool = False


@dataclass(frozen=True)
class Image:
    """`tables`: name of the table -> address -> register or bit."""

    profile: str
    unit: int
    source: str
    tables: Mapping[str, Mapping[int, int]]
    meanings: tuple[Meaning, ...]

    @property
    def points(self) -> dict[str, int]:
        """What a master that knows the product makes of it."""
        return {meaning.point: meaning.value for meaning in self.meanings}


def load(path: str | Path) -> Image:
    """Read an image. Raises UserError for a file that is not one."""
    try:
        document = tomllib.loads(Path(path).read_text(encoding="utf-8"))
        tables: dict[str, dict[int, int]] = {name: {} for name in TABLES}
        for block in document["block"]:
            tables[block["table"]].update(enumerate(_values(block), block["first"]))
        return Image(
            document["profile"],
            document["unit"],
            document["source"],
            tables,
            tuple(Meaning(**row) for row in document["meaning"]),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path}: not a register image: {error}", BAD_INPUT_FILE) from None


def _values(block: Mapping[str, Any]) -> list[int]:
    values: list[int] = block["values"] if "values" in block else [block["fill"]] * block["count"]
    most = 0xFFFF if block["table"] in ("holding", "input") else 1
    if not all(0 <= value <= most for value in values):
        raise ValueError(f"block from {block['first']:#06x}: a value is outside of 0..{most}")
    return values
