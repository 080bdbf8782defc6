"""The process of a wire: pseudo-terminals around a `Line`, asked and told over standard input and output.

Owns terminals and the waiting. Must not know what a line does. `python -m greenmast.emulator.wire_process`
ends when its standard input does: no orphans.

First it prints the paths of its ends: {"master": "/dev/pts/3", "slaves": ["/dev/pts/4"]}. Then it answers
each line of JSON with one: {"counters": true}, {"trace": true}, {"fault": "noise", "options": {}} or
{"clear": "noise"}; a request that it cannot carry out with {"error": "why"}.
"""

from __future__ import annotations

import argparse
import json
import os
import selectors
import time
import tty
from typing import Any

from greenmast.emulator.line import Line

_STDIN = 0


def _end() -> tuple[int, str]:
    """A raw pseudo-terminal: our side and the path of theirs, which stays open: nobody sees a hang-up."""
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    os.set_blocking(ours, False)
    return ours, os.ttyname(theirs)


def _serve(line: Line) -> None:
    ends = [_end() for _ in line.arrived]
    selector = selectors.SelectSelector()  # epoll waits for whole milliseconds, ten characters
    for number, (terminal, _) in enumerate(ends):
        selector.register(terminal, selectors.EVENT_READ, number)
    selector.register(_STDIN, selectors.EVENT_READ)
    paths = [path for _, path in ends]
    print(json.dumps({"master": paths[0], "slaves": paths[1:]}), flush=True)
    asked = b""
    full = False
    while True:
        now_ns = time.monotonic_ns()
        due_ns = line.due_ns()
        if full:  # a terminal without room holds bytes back; look again a little later
            due_ns = min(due_ns or now_ns + line.char_ns, now_ns + line.char_ns)
        for key, _ in selector.select(None if due_ns is None else max(0, due_ns - now_ns) / 1e9):
            if key.data is not None:
                line.take(key.data, os.read(key.fd, 4096), time.monotonic_ns())
                continue
            piece = os.read(_STDIN, 4096)
            if not piece:
                return
            *requests, asked = (asked + piece).split(b"\n")
            for request in requests:
                print(json.dumps(_answer(line, json.loads(request))), flush=True)
        line.release(time.monotonic_ns())
        full = False
        for (terminal, _), arrived in zip(ends, line.arrived, strict=True):
            full |= not _hand_over(terminal, arrived)


def _answer(line: Line, request: dict[str, Any]) -> Any:
    now_ns = time.monotonic_ns()
    try:
        if "fault" in request:
            line.fault(request["fault"], request["options"], now_ns)
        elif "clear" in request:
            line.clear(request["clear"], now_ns)
        elif "trace" in request:
            return line.trace()
    except ValueError as error:
        return {"error": str(error)}
    return line.counters()


def _hand_over(terminal: int, arrived: bytearray) -> bool:
    """Give a terminal what has arrived for it. Returns whether it took all."""
    if arrived:
        try:
            del arrived[: os.write(terminal, arrived)]
        except BlockingIOError:
            return False
    return not arrived


def main() -> None:
    parser = argparse.ArgumentParser(description="paced RS-485 wire between pseudo-terminals")
    parser.add_argument("--baud", type=int, required=True)
    parser.add_argument("--bits", type=int, default=11, help="per character")
    parser.add_argument("--speed", type=float, default=1.0)
    parser.add_argument("--slaves", type=int, default=1)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    _serve(
        Line(
            1 + options.slaves,
            options.baud,
            bits=options.bits,
            speed=options.speed,
            seed=options.seed,
            now_ns=time.monotonic_ns(),
        )
    )


if __name__ == "__main__":
    main()
