"""The board's file system: a LittleFS image with firmware and configuration, as a blank board would be flashed with."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from littlefs import LittleFS

from greenmast_protocol import frame

BLOCK_SIZE = 4096
BLOCK_COUNT = 512  # 2 MiB: what the stock ESP32 partition table leaves for files
# Must be what the board mounts with (RAM against speed).
IO_SIZE = 256
LOOKAHEAD_SIZE = 32

CONFIG = "config.json"


def image(files: Mapping[str, bytes], config: Mapping[str, Any]) -> bytes:
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


def config_file(config: Mapping[str, Any]) -> bytes:
    """The configuration as it is stored: one line in the serial frame format."""
    return frame.encode(json.dumps(config, separators=(",", ":")).encode())
