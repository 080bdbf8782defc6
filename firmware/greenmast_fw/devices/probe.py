"""Recognising a product by its profile: what to ask next, and what the answers mean. For hosts.

No bus inside: `recognise` and `identify` are generators that yield (function, address, count) and are sent
the data bytes of the reply, or the number of the exception that refused it. Whoever runs them owns the line,
and closes them when there is no answer. The board does not load this.
"""

from greenmast_fw.devices import profile

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator

    from greenmast_fw.devices.profile import Checks, Profile

    Data = bytes | bytearray | memoryview
    Request = tuple[int, int, int]

_REFUSALS = (1, 2)  # illegal function, illegal data address


def matches(checks: "Checks", data: "Data") -> bool:
    """Whether the data bytes of a reply satisfy `checks` (see PROBE): too short a reply does not."""
    for offset, kind, low, high in checks:
        if len(data) < 2 * offset + (4 if kind & profile.WIDE else 2):
            return False
        value = raw_value(kind, data[2 * offset :])
        if value is None or not low <= value <= high:
            return False
    return True


def raw_value(kind: int, data: "Data") -> "int | None":
    """The unscaled number of type `kind` at the start of `data`; F32 truncated, None for NaN and infinity."""
    words = [data[i] << 8 | data[i + 1] for i in range(0, 4 if kind & profile.WIDE else 2, 2)]
    if kind & profile.LOW_FIRST:
        words.reverse()
    raw = words[0] if len(words) == 1 else words[0] << 16 | words[1]
    if kind == profile.F32:
        return _truncated(raw)
    bits = 16 * len(words)
    return raw - (1 << bits) if kind & profile.SIGNED and raw >> (bits - 1) else raw


def _truncated(bits: int) -> "int | None":
    exponent = (bits >> 23) & 0xFF
    if exponent == 0xFF:
        return None
    fraction = 0x800000 | (bits & 0x7FFFFF)
    shift = exponent - 150
    value = fraction << shift if shift >= 0 else fraction >> -shift
    return -value if bits >> 31 else value


def text(data: "Data") -> str:
    """The ASCII text in `data` without its padding; what is not printable becomes "?"."""
    out = "".join([chr(byte) if 32 <= byte < 127 else "\0" if byte == 0 else "?" for byte in bytes(data)])
    return out.split("\0")[0].strip()


def identity_value(kind: int, data: "Data") -> str:
    """What an IDENTITY row of type `kind` says, as text."""
    return text(data) if kind == profile.TEXT16 else str(raw_value(kind, data))


def recognise(product: "Profile") -> "Generator[Request, bytes | int, bool]":
    """Ask what tells `product` from others. Returns whether every row of its PROBE holds."""
    for function, address, count, checks in product.PROBE:
        reply = yield (function, address, count)
        if isinstance(reply, int):
            if checks is not None or reply not in _REFUSALS:
                return False
        elif checks is None or not matches(checks, reply):
            return False
    return bool(product.PROBE)


def identify(product: "Profile") -> "Generator[Request, bytes | int, dict[str, str]]":
    """Ask what it says of itself: name -> text; what it refuses is left out."""
    out: "dict[str, str]" = {}
    for name, function, address, count, kind in product.IDENTITY:
        reply = yield (function, address, count)
        if not isinstance(reply, int):
            out[name] = identity_value(kind, reply)
    return out
