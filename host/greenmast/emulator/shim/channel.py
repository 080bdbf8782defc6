"""The virtual board's only connection to its emulator besides pseudo-terminals: one inherited descriptor.

A line each way. Out: `P <pin> <level>`, `W <watchdog ms>`, `F` (fed), `R` (reset), `I <address> <bytes to
write> <count to read>`. In: `V <pin> <level>`, `I <bytes read>` or `I !` when no chip has answered.
"""

import os
import select

# Non-blocking, as its maker set it: a read gives what has come.
_file = open(int(os.getenv("GREENMAST_IO_FD")), "r+b")
_poller = select.poll()
_poller.register(_file, select.POLLIN)
_ANSWER_MS = 2_000
levels = {}  # of input pins
_pending = b""
_answer = None


def send(line):
    _file.write(line.encode() + b"\n")


def receive(wait_ms=0):
    """Take in what has come."""
    global _pending, _answer
    while _poller.poll(wait_ms):
        wait_ms = 0
        chunk = _file.read(256)
        if not chunk:
            return
        lines = (_pending + chunk).split(b"\n")
        _pending = lines.pop()
        for line in lines:
            fields = line.split()
            if fields[0] == b"V":
                levels[int(fields[1])] = int(fields[2])
            else:
                _answer = fields[1] if len(fields) > 1 else b""


def ask(line):
    """The answer to `line`; None when none comes."""
    global _answer
    _answer = None
    send(line)
    waited_ms = 0
    while _answer is None and waited_ms < _ANSWER_MS:
        receive(50)
        waited_ms += 50
    return _answer
