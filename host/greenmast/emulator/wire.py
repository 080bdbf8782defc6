"""A paced RS-485 wire between two pseudo-terminals, in a process of its own.

A pty has no baud rate: bytes written to one end are at the other at once. The wire takes them in and lets
them out one character time after another, in both directions, and loses none. Owns bytes and their timing;
knows no Modbus.

    with Wire(9600) as wire:
        open(wire.master_path), open(wire.slave_path)

A late wake-up lets out all that is due by the schedule in one piece; nothing leaves before its time.
`python -m greenmast.emulator.wire` is the process; it ends when its standard input does: no orphans.
"""

from __future__ import annotations

import argparse
import json
import os
import selectors
import subprocess
import sys
import time
import tty
from collections import deque
from typing import Self

_START_S = 10.0
_STOP_S = 5.0


class Wire:
    """A running wire. `bits` per character: 11, or 10 for 8N1; `speed` > 1 is faster than the `baud` says."""

    master_path: str
    slave_path: str

    def __init__(self, baud: int, *, bits: int = 11, speed: float = 1.0) -> None:
        self._options = ["--baud", str(baud), "--bits", str(bits), "--speed", str(speed)]
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "greenmast.emulator.wire", *self._options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,  # a Ctrl-C is for the parent, whose end ends the wire
        )
        try:
            paths = self._answer()
        except BaseException:
            self.__exit__()
            raise
        self.master_path, self.slave_path = str(paths["master"]), str(paths["slave"])
        return self

    def __exit__(self, *exc_info: object) -> None:
        process = self._process
        if process is None or process.stdin is None or process.stdout is None:
            return
        self._process = None
        process.stdin.close()
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        process.stdout.close()

    def counters(self) -> dict[str, int]:
        """Bytes so far: `to_slave` and `to_master` delivered, `waiting` still on the wire."""
        if self._process is None or self._process.stdin is None:
            raise RuntimeError("the wire is not running")
        self._process.stdin.write("counters\n")
        self._process.stdin.flush()
        return {name: int(value) for name, value in self._answer().items()}

    def _answer(self) -> dict[str, str | int]:
        if self._process is None or self._process.stdout is None:
            raise RuntimeError("the wire is not running")
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            if not selector.select(_START_S):
                raise TimeoutError("the wire does not answer")
        answer: dict[str, str | int] = json.loads(self._process.stdout.readline())
        return answer


class _Direction:
    """Bytes from one end to the other: each leaves a character time after the last one, or after it came."""

    def __init__(self, source: int, target: int, char_ns: int) -> None:
        self.source = source
        self.delivered = 0
        self.waiting: deque[tuple[int, int]] = deque()  # (due_ns, byte)
        self._target = target
        self._char_ns = char_ns
        self._free_ns = 0

    def take(self, now_ns: int) -> None:
        due_ns = max(now_ns, self._free_ns)
        for byte in os.read(self.source, 4096):
            due_ns += self._char_ns
            self.waiting.append((due_ns, byte))
        self._free_ns = due_ns

    def release(self, now_ns: int) -> None:
        """Let out what is due, as far as the other end has room."""
        due = bytearray()
        for due_ns, byte in self.waiting:
            if due_ns > now_ns:
                break
            due.append(byte)
        if not due:
            return
        try:
            written = os.write(self._target, due)
        except BlockingIOError:
            written = 0
        for _ in range(written):
            self.waiting.popleft()
        self.delivered += written
        if written < len(due):  # a full pseudo-terminal holds the rest back; look again a little later
            self.waiting[0] = (now_ns + self._char_ns, self.waiting[0][1])


def _end() -> tuple[int, str]:
    """A raw pseudo-terminal: our side and the path of theirs, which stays open: nobody sees a hang-up."""
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    os.set_blocking(ours, False)
    return ours, os.ttyname(theirs)


def _serve(char_ns: int) -> None:
    (master, master_path), (slave, slave_path) = _end(), _end()
    directions = _Direction(master, slave, char_ns), _Direction(slave, master, char_ns)
    selector = selectors.DefaultSelector()
    for direction in directions:
        selector.register(direction.source, selectors.EVENT_READ, direction)
    selector.register(0, selectors.EVENT_READ)
    print(json.dumps({"master": master_path, "slave": slave_path}), flush=True)
    while True:
        due = [d.waiting[0][0] for d in directions if d.waiting]
        timeout = max(0, min(due) - time.monotonic_ns()) / 1e9 if due else None
        for key, _ in selector.select(timeout):
            if key.data is not None:
                key.data.take(time.monotonic_ns())
            elif not os.read(0, 4096):
                return
            else:
                to_slave, to_master = directions
                waiting = len(to_slave.waiting) + len(to_master.waiting)
                counters = {"to_slave": to_slave.delivered, "to_master": to_master.delivered}
                print(json.dumps({**counters, "waiting": waiting}), flush=True)
        now_ns = time.monotonic_ns()
        for direction in directions:
            direction.release(now_ns)


def main() -> None:
    parser = argparse.ArgumentParser(description="paced RS-485 wire between two pseudo-terminals")
    parser.add_argument("--baud", type=int, required=True)
    parser.add_argument("--bits", type=int, default=11, help="per character")
    parser.add_argument("--speed", type=float, default=1.0)
    options = parser.parse_args()
    _serve(round(options.bits * 1e9 / (options.baud * options.speed)))


if __name__ == "__main__":
    main()
