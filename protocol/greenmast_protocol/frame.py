"""Serial framing: one message a line, `{..} 1A2B3C4D#` and a newline. Knows bytes and lines, not messages.

The eight digits are the CRC-32 (zlib's) of the JSON bytes, in upper-case hex. What does not start with `{` is
log text. A line `{..}` without CRC is what a person types: worth an answer, never worth an action. Carriage
returns end lines too: terminals send them, and MicroPython's console puts them before every newline; JSON
holds none.
"""

import binascii

from greenmast_protocol import strict_json

FRAME = 1  # JSON bytes whose CRC is right
TEXT = 2  # a line of log text
PLAIN = 3  # JSON bytes without CRC

HOST_LINE_MAX = 240  # with the newline: the ESP32's input ring holds 260 bytes
OVERHEAD = 11  # space, eight digits, #, newline

_TAIL = 10  # the overhead without its newline
_DIGITS = b"0123456789ABCDEF"
_OPEN = 0x7B
_CLOSE = 0x7D


def tail(crc: int) -> bytes:
    """What follows a JSON object with this CRC-32 on its line, newline included."""
    return (" %08X#\n" % (crc & 0xFFFFFFFF)).encode()


def encode(body: bytes) -> bytes:
    """The line that carries the JSON object `body`, newline included."""
    return body + tail(binascii.crc32(body))


class FrameDecoder:
    """Turns bytes, however split, into lines. Never raises; holds one line of at most `limit` bytes.

    `bad_crc` counts frames whose CRC is wrong, `overlong` lines beyond the limit, `broken` lines that are
    neither frame, plain request nor valid text. All are dropped; decoding resumes at the next newline.
    """

    def __init__(self, limit: int = HOST_LINE_MAX) -> None:
        self._line = bytearray(limit)
        self._length = 0
        self._skipping = False
        self.bad_crc = 0
        self.overlong = 0
        self.broken = 0

    def feed(self, data: bytes) -> "list[tuple[int, bytes]] | tuple[()]":
        """Take bytes; returns the (kind, bytes) of the lines that they complete."""
        events = None
        limit = len(self._line)
        for c in data:
            if c == 0x0A or c == 0x0D:
                if self._length and not self._skipping:
                    event = self._line_event(bytes(self._line[: self._length]))
                    if event is not None:
                        if events is None:
                            events = []
                        events.append(event)
                self._length = 0
                self._skipping = False
            elif self._skipping:
                pass
            elif self._length < limit:
                self._line[self._length] = c
                self._length += 1
            else:
                self._skipping = True
                self.overlong += 1
        return (
            events if events is not None else ()
        )  # mostly nothing: no garbage for a board that reads bytewise

    def _line_event(self, line: bytes) -> "tuple[int, bytes] | None":
        if line[0] != _OPEN:
            if strict_json.is_text(line):
                return TEXT, line
            self.broken += 1
        elif line[-1] == _CLOSE and strict_json.is_text(line):
            return PLAIN, line
        elif not _has_tail(line):
            self.broken += 1
        else:
            body = line[:-_TAIL]
            if tail(binascii.crc32(body))[:-1] == line[-_TAIL:]:
                return FRAME, body
            self.bad_crc += 1
        return None


def _has_tail(line: bytes) -> bool:
    """True when `line` ends as a frame does, whatever its CRC."""
    if len(line) < _TAIL + 2 or line[-1] != 0x23 or line[-10] != 0x20 or line[-11] != _CLOSE:
        return False
    for c in line[-9:-1]:
        if c not in _DIGITS:
            return False
    return True
