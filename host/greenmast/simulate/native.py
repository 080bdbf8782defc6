"""The controller, the plant and the loop as machine code: the same files, compiled with mypyc.

A site-year is 31 million steps: compiled, they take minutes instead of three quarters of an hour. Nothing
else differs: a test holds the compiled run against the plain one, bit for bit. Where no compiler is at hand
the plain files run.

Before they are compiled, module constants are written as what they are (`GRID = points.OUTPUTS.index("grid")`
becomes `GRID: Final = 0`): mypyc looks up in a dict what is not final. What has been built is kept in the
user's cache folder, by the content of the sources.

Owns building and finding. Imports nothing of what it compiles.
"""

from __future__ import annotations

import ast
import hashlib
import importlib
import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator, Sequence
from importlib.machinery import ModuleSpec
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from types import ModuleType

_PACKAGES = ("greenmast_protocol", "greenmast_fw", "greenmast")
# What a step passes through. The explanations are asked for by people, not in every step.
_COMPILED = (
    "greenmast_fw/core/*.py",
    "greenmast/plant/*.py",
    "greenmast/scenario/invariants.py",
    "greenmast/scenario/sensors.py",
    "greenmast/simulate/baselines/*.py",
    "greenmast/simulate/loop.py",
)
_PLAIN = ("__init__.py", "chemistry.py", "commands.py", "config.py", "explain*.py", "sky.py")
_SUFFIX = sysconfig.get_config_var("EXT_SUFFIX") or ".so"
_TIMEOUT_S = 1_200
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
        ["--config-file", "mypy.ini", *sys.argv[1].replace(":", " ").split()], opt_level="2", debug_level="0",
        separate=[(group.split(), None) for group in sys.argv[1].split(":")],
    ),
)
"""
Tell = Callable[[str], None]


class Finder:
    """Finds the modules that have been compiled, before Python finds their sources."""

    def __init__(self, folder: Path) -> None:
        self._files = {
            ".".join(path.relative_to(folder).parts).removesuffix(_SUFFIX): path
            for path in folder.rglob(f"*{_SUFFIX}")
        }

    @property
    def names(self) -> set[str]:
        return set(self._files)

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        file = self._files.get(name)
        return importlib.util.spec_from_file_location(name, file) if file else None


def use(tell: Tell = lambda line: None) -> bool:
    """Let this process import the compiled modules; builds them if need be, which takes two minutes.

    Returns False, and says why, where the plain ones have to do: no compiler, or imported already.
    """
    if any(isinstance(finder, Finder) for finder in sys.meta_path):
        return True
    folder = built(tell)
    if folder is None:
        return False
    finder = Finder(folder)
    early = sorted(finder.names & set(sys.modules))
    if early:
        tell(f"runs uncompiled: {early[0]} has been imported before")
        return False
    sys.meta_path.insert(0, finder)
    return True


def built(tell: Tell = lambda line: None) -> Path | None:
    """The folder with the compiled modules, built if need be; None where that cannot be."""
    sources = _sources()
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "greenmast"
    folder = home / f"native-{_key(sources)}"
    if folder.is_dir():
        return folder
    if importlib.util.find_spec("mypyc") is None or importlib.util.find_spec("setuptools") is None:
        tell(
            "runs uncompiled, at a sixth of the speed: pip install 'greenmast[sim]' has the compiler's driver"
        )
        return None
    tell("compiling controller and plant; once, about two minutes")
    home.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=home, prefix="building-") as name:
        work = Path(name)
        trouble = _build(sources, work)
        if trouble:
            tell(f"runs uncompiled, at a sixth of the speed: {trouble}")
            return None
        try:
            (work / "out").rename(folder)
        except OSError:  # somebody else was faster
            if not folder.is_dir():
                raise
    return folder


def key() -> str:
    """Of what a run is made by: it changes with the controller, the plant or the loop."""
    return _key(_sources())


def _sources() -> dict[str, Path]:
    """Every Python file of the three packages by its place under the root."""
    found: dict[str, Path] = {}
    for package in _PACKAGES:
        spec = importlib.util.find_spec(package)
        assert spec is not None
        assert spec.submodule_search_locations
        root = Path(next(iter(spec.submodule_search_locations)))
        for path in sorted(root.rglob("*.py")):
            found[f"{package}/{path.relative_to(root).as_posix()}"] = path
    return found


def _wanted(sources: dict[str, Path]) -> list[str]:
    def is_wanted(place: str) -> bool:
        path = Path(place)
        return any(path.match(each) for each in _COMPILED) and not any(path.match(each) for each in _PLAIN)

    return [place for place in sources if is_wanted(place)]


def _groups(wanted: Sequence[str]) -> list[str]:
    """Files that become one library each. Types must be known of those before: mypyc infers all at once."""
    core = [place for place in wanted if place.startswith("greenmast_fw/")]
    whole = [place for place in wanted if place.endswith(("/plant.py", "/truths.py"))]
    parts = [place for place in wanted if place.startswith("greenmast/plant/") and place not in whole]
    loop = [place for place in wanted if place not in {*core, *parts, *whole}]
    return [" ".join(group) for group in (core, parts, whole, loop)]


def _key(sources: dict[str, Path]) -> str:
    """Of what is compiled, of the tables whose numbers are written into it, and of the compiler."""
    digest = hashlib.sha256(f"{sys.version}{_SUFFIX}{_CONFIG}{_BUILD}".encode())
    digest.update(Path(__file__).read_bytes())
    if importlib.util.find_spec("mypy") is not None:
        digest.update(version("mypy").encode())
    for place in (
        *_wanted(sources),
        *(place for place in sources if place.startswith("greenmast_protocol/")),
    ):
        digest.update(sources[place].read_bytes())
    return digest.hexdigest()[:16]


def _build(sources: dict[str, Path], work: Path) -> str:
    """Compile into `work`/out. Returns what went wrong, or ""."""
    wanted = _wanted(sources)
    for place, path in sources.items():
        copy = work / place
        copy.parent.mkdir(parents=True, exist_ok=True)
        if place in wanted:
            name = place.removesuffix(".py").replace("/", ".")
            copy.write_text(final(path.read_text("utf-8"), importlib.import_module(name)), "utf-8")
        else:
            shutil.copyfile(path, copy)
    (work / "greenmast/plant/__init__.py").write_text("")  # else all its modules are one cycle of imports
    (work / "mypy.ini").write_text(_CONFIG)
    environment = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "MYPYPATH")}
    try:
        done = subprocess.run(
            [sys.executable, "-c", _BUILD, ":".join(_groups(wanted))],
            cwd=work, env=environment, capture_output=True, text=True, check=False, timeout=_TIMEOUT_S,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return f"the compiler took longer than {_TIMEOUT_S} s"
    if done.returncode:
        lines = [line for line in (done.stdout + done.stderr).splitlines() if "error" in line.lower()]
        if os.environ.get("NATIVE_DEBUG"):
            print("\n".join(lines[:40]))
        return lines[0] if lines else "the compiler failed"
    for path in list(work.rglob(f"*{_SUFFIX}")):
        if path.relative_to(work).parts[0] != "build":
            target = work / "out" / path.relative_to(work)
            target.parent.mkdir(parents=True, exist_ok=True)
            path.rename(target)
    return ""


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
