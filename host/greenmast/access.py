"""Keys with which messages to a board prove who sent them: 32 random bytes, in hexadecimal, in a file each.

The file's name without its suffix is the key's name. Owns the files and what a board gets of them; how a
message is signed is `greenmast_protocol.auth`. Keys are no part of a configuration, which everybody may read.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from greenmast.errors import BAD_INPUT_FILE, UserError
from greenmast_protocol import auth, slot

VARIABLE = "GREENMAST_KEY"
KEYS_MAX = 8
_ON_BOARD = "access"  # see firmware/greenmast_fw/storage/files.py
_MAKE = "openssl rand -hex 32 > ops.key"


@dataclass(frozen=True)
class Key:
    name: str
    secret: bytes


def read(path: Path) -> Key:
    """The key in a file. Raises UserError with the place and the remedy."""
    if problem := auth.name_problem(path.stem):
        raise UserError(f"{path}: the key's name, which is that of its file, {problem}", BAD_INPUT_FILE)
    try:
        secret = bytes.fromhex(path.read_text(encoding="ascii"))
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}", BAD_INPUT_FILE) from None
    except ValueError:  # UnicodeDecodeError is one too
        secret = b""
    if len(secret) != auth.KEY_BYTES:
        text = f"no key: it holds {2 * auth.KEY_BYTES} hexadecimal digits. New ones: {_MAKE}"
        raise UserError(f"{path} is {text}", BAD_INPUT_FILE)
    return Key(path.stem, secret)


def files(access: Mapping[str, Any], folder: Path) -> tuple[tuple[Path, ...], list[str]]:
    """The key files that a site file's section `access` names, and what is wrong with that.

    They need not be there: who checks or applies a configuration has not everybody's keys. Paths count from
    `folder`.
    """
    paths = access.get("keys", [])
    if not isinstance(paths, list) or not all(isinstance(path, str) for path in paths):
        return (), ['[access] keys: must be a list of files: keys = ["keys/ops.key"]']
    found = tuple(folder / path for path in paths)
    names = [path.stem for path in found]
    problems = [f"[access] keys: at most {KEYS_MAX}"] if len(found) > KEYS_MAX else []
    for name in dict.fromkeys(names):
        if problem := auth.name_problem(name):
            problems.append(f"[access] keys: {name}: a key's name, which is that of its file, {problem}")
        if names.count(name) > 1:
            problems.append(f"[access] keys: {names.count(name)} are called {name}")
    return found, problems


def board_files(paths: Sequence[Path]) -> dict[str, bytes]:
    """What a board needs to judge who writes, by name on its flash. Raises UserError."""
    keys = {key.name: key.secret.hex() for key in map(read, paths)}
    if not keys:
        return {}
    body = json.dumps(keys, separators=(",", ":")).encode()
    # Both slots, as nobody writes the second one later: one of them may rot.
    return {_ON_BOARD + suffix: slot.pack(i + 1, body) for i, suffix in enumerate(slot.SUFFIXES)}
