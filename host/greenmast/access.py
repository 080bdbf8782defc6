"""Keys with which messages to a board prove who sent them: 32 random bytes, in hexadecimal, in a file each.

The file's name without its suffix is the key's name. Owns the files and what a board gets of them; how a
message is signed is `greenmast_protocol.auth`. Keys are no part of a configuration, which everybody may read.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
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


def board_files(access: Mapping[str, Any], folder: Path) -> tuple[dict[str, bytes], list[str]]:
    """What a board needs to judge who writes, by name on its flash, and what is wrong with that.

    `access`: a site file's section of that name; its paths count from `folder`.
    """
    paths = access.get("keys", [])
    if not isinstance(paths, list) or not all(isinstance(path, str) for path in paths):
        return {}, ['[access] keys: must be a list of files: keys = ["keys/ops.key"]']
    keys: dict[str, str] = {}
    problems = [f"[access] keys: at most {KEYS_MAX}"] if len(paths) > KEYS_MAX else []
    for path in paths:
        try:
            key = read(folder / path)
        except UserError as error:
            problems.append(f"[access] keys: {error.message}")
            continue
        if key.name in keys:
            problems.append(f"[access] keys: two are called {key.name}")
        keys[key.name] = key.secret.hex()
    if problems or not keys:
        return {}, problems
    body = json.dumps(keys, separators=(",", ":")).encode()
    # Both slots, as nobody writes the second one later: one of them may rot.
    return {_ON_BOARD + suffix: slot.pack(i + 1, body) for i, suffix in enumerate(slot.SUFFIXES)}, []
