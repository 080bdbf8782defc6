"""Runs a folder's plain test modules under the real MicroPython, in two processes; as many tests must run as
CPython collects.

    python micropython_launch.py FOLDER [--path DIR:DIR] [--heap 96wK]

A module is plain when it imports neither pytest nor anything else that only CPython has. MicroPython comes
from GREENMAST_MICROPYTHON, the PATH or the interpreter's own folder. Exit code 0 only when every test that
CPython would collect has run and passed, and there was at least one.
"""

from __future__ import annotations

import argparse
import ast
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RUNNER = Path(__file__).with_name("micropython_runner.py")
CPYTHON_ONLY = {
    "__future__",
    "pytest",
    "hypothesis",
    "dataclasses",
    "pathlib",
    "subprocess",
    "typing",
    "unittest",
}
TIMEOUT_S = 400


def imports(tree: ast.Module) -> set[str]:
    """Top-level names of all packages that the module imports."""
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
    return names


def plain_modules(folder: Path) -> dict[Path, int]:
    """The plain test modules in `folder` and how many tests each has by CPython's reading of its source."""
    found = {}
    for path in sorted(folder.glob("test_*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if not imports(tree) & CPYTHON_ONLY:
            found[path] = sum(
                isinstance(n, ast.FunctionDef) and n.name.startswith("test_") for n in tree.body
            )
    return found


def micropython() -> str:
    """Path of the interpreter."""
    beside = shutil.which("micropython", path=str(Path(sys.executable).parent))
    return os.environ.get("GREENMAST_MICROPYTHON") or shutil.which("micropython") or beside or "micropython"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--path", default=f"{ROOT}/protocol:{ROOT}/firmware:.frozen", help="MICROPYPATH")
    parser.add_argument("--heap", default="2048wK", help="tests compile and record; no gate here")
    options = parser.parse_args()
    modules = plain_modules(options.folder)
    expected = sum(modules.values())
    halves = [part for part in (list(modules)[0::2], list(modules)[1::2]) if part]
    with ThreadPoolExecutor(2) as pool:
        runs = list(pool.map(lambda part: run(part, options.heap, options.path), halves))
    ran = 0
    for done in runs:
        print(done.stdout + done.stderr, end="")
        last = (done.stdout.strip().splitlines() or [""])[-1].split()
        if done.returncode == 0 and last[:1] == ["RAN"] and last[2:] == ["FAILED", "0"]:
            ran += int(last[1])
    print(f"CPython collects {expected} from {len(modules)} modules")
    return 0 if expected and ran == expected else 1


def run(modules: list[Path], heap: str, path: str) -> subprocess.CompletedProcess[str]:
    """Run the tests of `modules` in one interpreter."""
    return subprocess.run(
        [micropython(), "-X", f"heapsize={heap}", str(RUNNER), *map(str, modules)],
        env={**os.environ, "MICROPYPATH": path},
        capture_output=True,
        text=True,
        errors="replace",
        timeout=TIMEOUT_S,
        check=False,
    )


if __name__ == "__main__":
    sys.exit(main())
