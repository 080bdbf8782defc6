"""Compiles controller, plant and loop: the builder that `native` starts as a process of its own.

Before they are compiled, module constants are written as what they are (`GRID = points.OUTPUTS.index("grid")`
becomes `GRID: Final = 0`): mypyc looks up in a dict what is not final. To learn them the builder imports what
it compiles, and so it must be another process than the one that will run the result.

Owns the preparation of the sources and the call of the compiler. Knows no cache.
"""

from __future__ import annotations

import ast
import importlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType

from greenmast.simulate.native import SUFFIX, sources, wanted

_CONFIG = """[mypy]
explicit_package_bases = True
ignore_missing_imports = True
follow_imports = silent
"""
_BUILD = """
import sys
from setuptools import setup
from mypyc.build import mypycify
setup(
    name="greenmast-native", script_args=["build_ext", "--inplace"],
    ext_modules=mypycify(
        ["--config-file", "mypy.ini", *sys.argv[1].replace(":", " ").split()],
        opt_level="2", debug_level="0",
        separate=[(group.split(), None) for group in sys.argv[1].split(":")],
    ),
)
"""


def build(work: Path) -> str:
    """Compile into `work`/out. Returns what went wrong, or ""."""
    found = sources()
    compiled = wanted(found)
    for place, path in found.items():
        copy = work / place
        copy.parent.mkdir(parents=True, exist_ok=True)
        if place in compiled:
            name = place.removesuffix(".py").replace("/", ".")
            copy.write_text(final(path.read_text("utf-8"), importlib.import_module(name)), "utf-8")
        else:
            shutil.copyfile(path, copy)
    (work / "greenmast/plant/__init__.py").write_text("")  # else all its modules are one cycle of imports
    (work / "mypy.ini").write_text(_CONFIG)
    environment = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "MYPYPATH")}
    done = subprocess.run(
        [sys.executable, "-c", _BUILD, ":".join(_groups(compiled))],
        cwd=work, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        said = (done.stdout + done.stderr).splitlines()
        return next((line for line in said if "error" in line.lower()), "the compiler failed")
    for path in list(work.rglob(f"*{SUFFIX}")):
        if path.relative_to(work).parts[0] != "build":
            target = work / "out" / path.relative_to(work)
            target.parent.mkdir(parents=True, exist_ok=True)
            path.rename(target)
    return ""


def _groups(wanted: Sequence[str]) -> list[str]:
    """Files that become one library each. Types must be known of those before: mypyc infers all at once."""
    core = [place for place in wanted if place.startswith("greenmast_fw/")]
    whole = [place for place in wanted if place.endswith(("/plant.py", "/truths.py"))]
    parts = [place for place in wanted if place.startswith("greenmast/plant/") and place not in whole]
    loop = [place for place in wanted if place not in {*core, *parts, *whole}]
    return [" ".join(group) for group in (core, parts, whole, loop)]


def final(text: str, module: ModuleType) -> str:
    """The source `text` of `module` with its constants final, numbers written as what they are."""
    tree = ast.parse(text)
    changed = {name for node in ast.walk(tree) if isinstance(node, ast.Global) for name in node.names}
    names = [name for node in tree.body for name in _assigned(node)]
    lines = text.splitlines(keepends=True)
    for node in reversed(tree.body):
        bound = list(_assigned(node))
        if not isinstance(node, ast.Assign) or not bound or bound == ["TYPE_CHECKING"]:
            continue
        if any(name in changed or names.count(name) > 1 for name in bound):
            continue
        values = [getattr(module, name) for name in bound]
        if all(type(value) is int or (type(value) is float and value - value == 0.0) for value in values):
            new = "".join(f"{name}: Final = {value!r}\n" for name, value in zip(bound, values, strict=True))
        elif len(bound) == 1 and (kind := _kind(values[0], whole=True)):
            new = f"{bound[0]}: Final[{kind}] = ({ast.get_source_segment(text, node.value)})\n"
        else:
            continue
        lines[node.lineno - 1 : node.end_lineno] = [new]
    first = 0
    for node in tree.body:  # after the docstring and imports from __future__
        if not (
            isinstance(node, ast.Expr) or (isinstance(node, ast.ImportFrom) and node.module == "__future__")
        ):
            break
        first = node.end_lineno or first
    lines.insert(first, "from typing import Final\n")
    return "".join(lines)


def _kind(value: object, *, whole: bool = False) -> str:
    """The type of a constant as an annotation; "" for what is better left alone.

    A `whole` tuple is one of any length: one of fixed length would be copied whenever it is looked at.
    """
    if type(value) in (int, float, str, bytes, bool):
        return type(value).__name__
    if not isinstance(value, tuple) or not value:
        return ""
    kinds = [_kind(each) for each in value]
    if not all(kinds) or (whole and len(set(kinds)) > 1):
        return ""
    return f"tuple[{kinds[0]}, ...]" if whole else f"tuple[{', '.join(kinds)}]"


def _assigned(node: ast.stmt) -> Iterator[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    for target in targets:
        if isinstance(target, ast.Name):
            yield target.id
        elif isinstance(target, ast.Tuple):
            yield from (each.id for each in target.elts if isinstance(each, ast.Name))


if __name__ == "__main__":
    sys.exit(build(Path(sys.argv[1])) or 0)
