"""One question to a time server (SNTP, RFC 4330) over UDP that never blocks the scheduler.

Owns the packet and what makes an answer one to our question. It must not know what time is plausible.
"""

import random
import socket

from greenmast_fw.drivers import clock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

PORT = 123
NOTHING = -1  # no answer in time, or none that counts
KISS = -2  # the server does not want to be asked (RFC 4330, 8: kiss-o'-death)

_SIZE = 48
_CLIENT = 0x23  # version 4, mode 3
_SERVER = 4
_FROM_1900_S = 3_155_673_600  # to 2000
_TICK_MS = 20


def read(reply: bytes, nonce: bytes) -> int:
    """Seconds since 2000-01-01 in a reply; NOTHING when it answers no question with `nonce`; KISS."""
    if len(reply) < _SIZE or reply[0] & 7 != _SERVER or reply[24:32] != nonce:
        return NOTHING
    if not reply[1]:
        return KISS
    seconds = int.from_bytes(reply[40:44], "big")
    if reply[0] >> 6 == 3 or reply[1] > 15 or not seconds:  # a server that does not know the time either
        return NOTHING
    if seconds < 0x80000000:
        seconds += 1 << 32  # since 2036: the next era
    seconds += (reply[44] >> 7) - _FROM_1900_S
    return seconds if seconds > 0 else 0


async def ask(server: str, limit_ms: int) -> int:
    """As `read`, of the server `host` or `host:port`. Raises OSError."""
    host, _, port = server.partition(":")
    address = socket.getaddrinfo(host, int(port or PORT), socket.AF_INET, socket.SOCK_DGRAM)[0][-1]
    nonce = bytes([random.getrandbits(8) for _ in range(8)])
    line: "Any" = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        line.setblocking(False)
        line.connect(address)  # from now on only what comes from that very port
        line.send(bytes((_CLIENT,)) + bytes(_SIZE - 9) + nonce)
        start_ms = clock.ticks_ms()
        while clock.diff(clock.ticks_ms(), start_ms) < limit_ms:
            await clock.sleep_ms(_TICK_MS)
            try:
                reply = line.recv(2 * _SIZE)
            except OSError as error:
                if error.args[0] != 11:  # EAGAIN: nothing there yet
                    raise
                continue
            seconds = read(reply, nonce)
            if seconds != NOTHING:
                return seconds
        return NOTHING
    finally:
        line.close()
