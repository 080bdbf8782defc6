"""The controller, the plant and the loop as machine code: the same files, compiled with mypyc.

A site-year is 31 million steps: compiled, they take minutes instead of three quarters of an hour. Nothing
else differs: a test holds the compiled run against the plain one, bit for bit. Where no compiler is at hand
the plain files run.

What has been built (see `native_build`) is kept in the user's cache folder, by the content of the sources.

Owns keeping and finding. Imports nothing of what is compiled.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shlex
import shutil
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
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
_PLAIN = (
    "__init__.py",
    "chemistry.py",
    "commands.py",
    "config.py",
    "explain*.py",
    "record.py",
    "resume.py",
    "sky.py",
)
SUFFIX = sysconfig.get_config_var("EXT_SUFFIX") or ".so"
CHOICE = "GREENMAST_NATIVE"  # set to "never" nothing is compiled
_TIMEOUT_S = 1_200
Tell = Callable[[str], None]


class Finder:
    """Finds the modules that have been compiled, before Python finds their sources."""

    def __init__(self, folder: Path) -> None:
        self._files = {
            ".".join(path.relative_to(folder).parts).removesuffix(SUFFIX): path
            for path in folder.rglob(f"*{SUFFIX}")
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
    """Let this process import the compiled modules; builds them if need be, which takes some minutes.

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
    found = sources()
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "greenmast"
    folder = home / f"native-{_key(found)}"
    if folder.is_dir():
        return folder
    trouble = missing()
    if not trouble:
        home.mkdir(parents=True, exist_ok=True)
        tell("compiling controller and plant: once, some minutes")
        with _alone(home / "native.lock"):
            trouble = "" if folder.is_dir() else _build(found, folder)
    if trouble:
        tell(f"runs uncompiled, at a tenth of the speed: {trouble}")
        return None
    return folder


def key() -> str:
    """Of what a run is made by: it changes with the controller, the plant or the loop."""
    return _key(sources())


def missing() -> str:
    """What the compilation needs and this machine has not, with the remedy; or ""."""
    if os.environ.get(CHOICE) == "never":
        return f"{CHOICE} is never"
    if importlib.util.find_spec("mypyc") is None or importlib.util.find_spec("setuptools") is None:
        return "mypyc or setuptools is missing; pip install 'greenmast[sim]' has both"
    compiler = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")[0]
    if shutil.which(compiler) is None:
        return f"there is no C compiler; install {compiler}"
    return ""


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Wait until no other process builds."""
    with path.open("w") as file:
        try:
            import fcntl
        except ImportError:  # not there on Windows: two builds at once waste time and do no harm
            yield
            return
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _build(found: dict[str, Path], folder: Path) -> str:
    """What went wrong, or "". What an interrupted build leaves is removed, at the latest by the next."""
    for left in folder.parent.glob("building-*"):
        shutil.rmtree(left, ignore_errors=True)
    roots = {str(path.parents[place.count("/")]) for place, path in found.items()}
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sorted(roots))}
    with TemporaryDirectory(dir=folder.parent, prefix="building-") as name:
        builder = subprocess.Popen(
            [sys.executable, "-m", "greenmast.simulate.native_build", name],
            env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            start_new_session=True,
        )  # fmt: skip
        try:
            said = builder.communicate(timeout=_TIMEOUT_S)[0].splitlines()
        except BaseException as error:
            with suppress(OSError):
                os.killpg(builder.pid, signal.SIGKILL)  # with the compilers that it has started
            builder.wait()
            if isinstance(error, subprocess.TimeoutExpired):
                return f"the compiler took longer than {_TIMEOUT_S} s"
            raise
        if builder.returncode:
            return said[-1] if said else "the compiler failed"
        try:
            (Path(name) / "out").rename(folder)
        except OSError:  # somebody else was faster
            if not folder.is_dir():
                raise
    return ""


def sources() -> dict[str, Path]:
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


def wanted(found: dict[str, Path]) -> list[str]:
    """The places of what is compiled."""

    def is_wanted(place: str) -> bool:
        path = Path(place)
        return any(path.match(each) for each in _COMPILED) and not any(path.match(each) for each in _PLAIN)

    return [place for place in found if is_wanted(place)]


def _key(found: dict[str, Path]) -> str:
    """Of what is compiled, of the tables whose numbers are written into it, and of the compiler."""
    digest = hashlib.sha256(f"{sys.version}{SUFFIX}".encode())
    for name in ("mypy", "setuptools"):
        if importlib.util.find_spec(name) is not None:
            digest.update(version(name).encode())
    builder = [f"greenmast/simulate/{name}.py" for name in ("native", "native_build")]
    tables = [place for place in found if place.startswith("greenmast_protocol/")]
    for place in (*builder, *wanted(found), *tables):
        digest.update(found[place].read_bytes())
    return digest.hexdigest()[:16]
