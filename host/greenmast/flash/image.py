"""What a blank board is flashed with: a LittleFS image, and a ROM image for boards whose MicroPython can use
one.

From LittleFS, code is copied into the heap; from a ROM partition it runs in place. The ROM needs a
MicroPython built with `MICROPY_VFS_ROM` and a partition called `romfs`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from littlefs import LittleFS
from mpremote.romfs import VfsRomWriter

from greenmast_protocol import slot

BLOCK_SIZE = 4096
BLOCK_COUNT = 512  # 2 MiB: what the stock ESP32 partition table leaves for files
# As a board with MicroPython's own boot script mounts it.
IO_SIZE = 32
LOOKAHEAD_SIZE = 32

# Raw partitions, in blocks, of a board with 4 MiB of flash: see firmware/greenmast_fw/drivers/partition.py.
RINGS = {"outbox": 80, "events": 32}

CONFIG = "config" + slot.SUFFIXES[0]  # see firmware/greenmast_fw/storage/files.py


def littlefs(files: Mapping[str, bytes], config: Mapping[str, Any]) -> bytes:
    """The file system holding `files` and the configuration document."""
    fs = LittleFS(
        block_size=BLOCK_SIZE,
        block_count=BLOCK_COUNT,
        read_size=IO_SIZE,
        prog_size=IO_SIZE,
        lookahead_size=LOOKAHEAD_SIZE,
    )
    for path, content in {**files, CONFIG: config_file(config)}.items():
        folder = str(PurePosixPath(path).parent)
        if folder != ".":
            fs.makedirs(folder, exist_ok=True)
        with fs.open(path, "wb") as f:
            f.write(content)
    return bytes(fs.context.buffer)


def blank(blocks: int) -> bytes:
    """Erased flash."""
    return b"\xff" * BLOCK_SIZE * blocks


def rom(files: Mapping[str, bytes]) -> bytes:
    """The ROM image holding the compiled modules of `files`."""
    tree: dict[str, Any] = {}
    for path, content in files.items():
        if path.endswith(".mpy"):
            *folders, name = path.split("/")
            place = tree
            for folder in folders:
                place = place.setdefault(folder, {})
            place[name] = content
    writer = VfsRomWriter()
    _write(writer, tree)
    return bytes(writer.finalise())


def _write(writer: VfsRomWriter, tree: Mapping[str, Any]) -> None:
    for name, content in sorted(tree.items()):
        if isinstance(content, bytes):
            writer.mkfile(name, content)
        else:
            writer.opendir(name)
            _write(writer, content)
            writer.closedir()


def config_file(config: Mapping[str, Any]) -> bytes:
    """The configuration as the first slot of a blank board holds it."""
    return slot.pack(1, json.dumps(config, separators=(",", ":")).encode())
