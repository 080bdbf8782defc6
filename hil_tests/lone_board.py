"""A virtual board that passes for a flashed one: console and bus ports, with nobody at their other ends.

`python hil_tests/lone_board.py SITE_FILE FOLDER` prints {"console", "buses"} as JSON and runs until its
standard input ends. Its relays are jumpered to its inputs, as a bench without contactors would have it.
"""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import ExitStack
from pathlib import Path

from greenmast import site as sites
from greenmast.emulator.board import VirtualBoard
from greenmast.emulator.wire import Wire
from greenmast.flash import build, image

UARTS = (1, 2, 0)


async def live(site_file: str, folder: Path) -> None:
    site = sites.load(site_file)
    files = build.firmware(site)
    rom, flash = folder / "rom.img", folder / "flash.img"
    rom.write_bytes(image.rom(files))
    in_flash = {path: content for path, content in files.items() if not path.endswith(".mpy")}
    flash.write_bytes(image.littlefs(in_flash, site.board_config(mqtt={})))
    rings = {label: folder / f"{label}.img" for label in image.RINGS}
    for label, path in rings.items():
        path.write_bytes(image.blank(image.RINGS[label]))
    jumpers = {output.pin: output for output in site.outputs if output.feedback is not None}
    with ExitStack() as stack:
        wires = [stack.enter_context(Wire(bus.baud)) for bus in site.buses]
        board: VirtualBoard

        def relay(pin: int, level: int) -> None:
            output = jumpers.get(pin)
            if output is not None and output.feedback is not None:
                board.set_input(output.feedback, int(bool(level) != (output.idle == "closed")))

        board = VirtualBoard(
            flash,
            {number: wire.master_path for number, wire in zip(UARTS, wires, strict=False)},
            {o.feedback: int(o.idle == "closed") for o in jumpers.values() if o.feedback is not None},
            rom=rom,
            partitions=rings,
            on_pin=relay,
        )
        await board.start()
        print(json.dumps({"console": board.console, "buses": [w.slave_path for w in wires]}), flush=True)
        await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
        await board.stop()


if __name__ == "__main__":
    asyncio.run(live(sys.argv[1], Path(sys.argv[2])))
