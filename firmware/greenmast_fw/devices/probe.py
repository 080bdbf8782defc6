"""Recognising a product by its profile: what to ask next, and what the answers mean. For hosts.

No bus inside: `recognise` and `identify` are generators that yield (function, address, count) and are sent
the data bytes of the reply, or the number of the exception that refused it. Whoever runs them owns the line,
and closes them when there is no answer. The board does not load this.
"""

from greenmast_fw.devices import profile, sunspec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Generator

    from greenmast_fw.devices.profile import Checks, Profile

    Data = bytes | bytearray | memoryview
    Request = tuple[int, int, int]
    Reply = bytes | int

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
    bits = 32 if kind & profile.WIDE else 16
    words = [data[i] << 8 | data[i + 1] for i in range(0, bits // 8, 2)]
    if kind & profile.LOW_FIRST:
        words.reverse()
    raw = 0
    for word in words:
        raw = raw << 16 | word
    if kind == profile.F32:
        return _truncated(raw)
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


def recognise(product: "Profile") -> "Generator[Request, Reply, bool]":
    """Ask what tells `product` from others. Returns whether it is one.

    A SunSpec device is one when the chain of its models has one of MODELS; PROBE is empty then.
    """
    models = getattr(product, "MODELS", ())
    if models:
        walker = sunspec.Walker(models, _size(product))
        yield from _walk(walker)
        return walker.start > 0
    for function, address, count, checks in product.PROBE:
        reply = yield (function, address, count)
        if isinstance(reply, int):
            if checks is not None or reply not in _REFUSALS:
                return False
        elif checks is None or not matches(checks, reply):
            return False
    return bool(product.PROBE)


def identify(product: "Profile") -> "Generator[Request, Reply, dict[str, str]]":
    """Ask what it says of itself: name -> text; what it refuses is left out."""
    base = 0
    if getattr(product, "MODELS", ()):
        walker = sunspec.Walker((sunspec.COMMON,), 0)
        yield from _walk(walker)
        base = walker.start
        if not base:
            return {}
    out: "dict[str, str]" = {}
    for name, function, address, count, kind in product.IDENTITY:
        reply = yield (function, base + address, count)
        if not isinstance(reply, int):
            out[name] = identity_value(kind, reply)
    return out


def chain() -> "Generator[Request, Reply, list[tuple[int, int, int]]]":
    """Ask for every SunSpec model: (number, address of its number, length) each, in order."""
    walker = sunspec.Walker((), 0)
    out: "list[tuple[int, int, int]]" = []
    while walker.at >= 0:
        before = walker.at
        reply = yield (walker.function, walker.at, walker.step)
        if isinstance(reply, int):
            walker.refused()
            continue
        walker.took(reply)
        number = reply[0] << 8 | reply[1]
        if before not in sunspec.BASES and number != sunspec.END:
            out.append((number, before, walker.length))
    return out


def readings(product: "Profile") -> "Generator[Request, Reply, dict[int, tuple[int, bytes | int]]]":
    """Ask for all READS once: number -> (address asked, data bytes or number of the exception)."""
    base = 0
    models = getattr(product, "MODELS", ())
    if models:
        walker = sunspec.Walker(models, _size(product))
        yield from _walk(walker)
        base = walker.start
        if not base:
            return {}
    out: "dict[int, tuple[int, bytes | int]]" = {}
    for number, (function, address, count, _) in enumerate(product.READS):
        reply = yield (function, base + address, count)
        out[number] = (base + address, reply)
    return out


def _walk(walker: "sunspec.Walker") -> "Generator[Request, Reply, None]":
    while walker.at >= 0:
        reply = yield (walker.function, walker.at, walker.step)
        if isinstance(reply, int):
            walker.refused()
        else:
            walker.took(reply)


def _size(product: "Profile") -> int:
    return max([address + count for _, address, count, _ in product.READS])
