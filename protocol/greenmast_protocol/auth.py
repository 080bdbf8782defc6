"""Messages that prove who sent them: HMAC-SHA256 over the exact bytes received. Keeps no state.

Such a message ends with its member `auth`, and that with `mac`:

    {"id":7,"method":"command","params":{..},"auth":{"key":"ops","ctr":12,"exp":1764000000,"mac":"<64 hex>"}}

`ctr`: above every counter that this key has had with the board. `exp`: UTC seconds until which the message is
good; or `nonce`: what `auth.challenge` has just given. The MAC is over the site id, a NUL, and the bytes
before `,"mac":"`: what is for one site proves nothing at another, and nobody has to write JSON alike.
"""

import binascii
import hashlib

from greenmast_protocol import strict_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

KEY_BYTES = 32
NAME_LENGTH_MAX = 16
CTR_AHEAD_MAX = 65_536  # above the last one: no single mistake uses up the numbers
EXP_AHEAD_MAX_S = 3_600
NONCE_BYTES = 16

_BLOCK = 64  # bytes, of SHA-256
_HEAD = b',"mac":"'
_HEX = 64
_END = b'"}}'
_TAIL = len(_HEAD) + _HEX + len(_END)


def mac(key: bytes, pieces: "tuple[bytes | memoryview, ...]") -> bytes:
    """HMAC-SHA256 (RFC 2104) of what the pieces hold together."""
    if len(key) > _BLOCK:
        key = hashlib.sha256(key).digest()
    pad = bytearray(_BLOCK)
    pad[: len(key)] = key
    inner = hashlib.sha256(bytes([x ^ 0x36 for x in pad]))
    for piece in pieces:
        inner.update(piece)
    outer = hashlib.sha256(bytes([x ^ 0x5C for x in pad]))
    outer.update(inner.digest())
    return outer.digest()


def proves(data: bytes, key: bytes, site: str) -> bool:
    """Whether who has sent `data` to `site` had `key`. Takes as long for a near miss as for any other."""
    end = len(data) - _TAIL
    if end < 0 or data[end : end + len(_HEAD)] != _HEAD or data[-len(_END) :] != _END:
        return False
    told = binascii.hexlify(mac(key, (site.encode() + b"\0", memoryview(data)[:end])))
    different = 0
    for i in range(_HEX):
        different |= told[i] ^ data[end + len(_HEAD) + i]
    return not different


def signed(request: bytes, proof: "dict[str, Any]", key: bytes, site: str) -> bytes:
    """`request` (an object with members, without `auth`) with `proof`: key, ctr, and exp or nonce."""
    body = request[:-1] + b',"auth":' + strict_json.dumps(proof)[:-1]
    return body + _HEAD + binascii.hexlify(mac(key, (site.encode() + b"\0", body))) + _END


def problem(proof: "dict[str, Any]") -> str:
    """What is wrong with the member `auth`, "" for nothing: its names and types, no more."""
    if len(proof) != 4 or ("exp" in proof) == ("nonce" in proof):
        return "auth must have key, ctr, exp or nonce, and mac"
    for name in ("key", "nonce", "mac"):
        if not isinstance(proof.get(name, ""), str):
            return "%s must be a string" % name
    for name in ("ctr", "exp"):
        if type(proof.get(name, 0)) is not int:
            return "%s must be an integer" % name
    return ""


def name_problem(name: str) -> str:
    """ "" when `name` may be that of a key: 1 to 16 of `a-z 0-9 - _`. Else what is wrong."""
    if not 0 < len(name) <= NAME_LENGTH_MAX:
        return "must have 1 to %d characters" % NAME_LENGTH_MAX
    for letter in name:
        if letter not in "abcdefghijklmnopqrstuvwxyz0123456789-_":
            return "has other characters than a-z 0-9 - _"
    return ""
