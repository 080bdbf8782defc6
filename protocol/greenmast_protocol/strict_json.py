"""Strict JSON: one small dialect that both runtimes understand alike. Knows nothing of what the values mean.

MicroPython's `json.loads` takes `[1,]`, `{,}`, `[1 2]`, raw control characters and duplicate keys; CPython's
takes NaN and 2^100. `loads` walks the bytes first, so what passes means the same on both. The dialect is JSON
with less: integers only (signed 64 bit), at most 8 levels deep, keys unique and without escapes, no escaped
surrogates, valid UTF-8.
"""

import json
import sys

DEPTH_MAX = 8
_INT_MAX = 0x7FFFFFFFFFFFFFFF
_DIGITS_MAX = 19

_DUMPS_OPTIONS = {"separators": (",", ":")}
if (
    sys.implementation.name == "cpython"
):  # MicroPython writes UTF-8 as it is; CPython would escape it into surrogates
    _DUMPS_OPTIONS["ensure_ascii"] = False  # type: ignore[assignment]
    _DUMPS_OPTIONS["allow_nan"] = False  # type: ignore[assignment]

_QUOTE = 0x22
_BACKSLASH = 0x5C
_SPACES = b" \t\n\r"
_ESCAPES = b'"\\/bfnrt'
_HEX = b"0123456789abcdefABCDEF"
_WORDS = (b"true", b"false", b"null")


def dumps(value: object) -> bytes:
    """`value` (dict, list, str, int, bool, None) as compact UTF-8 JSON."""
    return json.dumps(value, **_DUMPS_OPTIONS).encode()  # type: ignore[arg-type]


def loads(data: bytes) -> object:
    """The value of strict JSON in `data`. Raises ValueError, naming the byte, for anything else."""
    try:
        end = _space(data, _value(data, _space(data, 0), 1))
    except IndexError:
        raise ValueError("JSON ends too early")
    if end != len(data):
        raise _bad("something follows the JSON value", end)
    return json.loads(data)


def utf8_length(data: bytes, i: int) -> int:
    """Length 1..4 of the UTF-8 sequence that starts at `data[i]`, or 0 where there is none (RFC 3629)."""
    first = data[i]
    if first < 0x80:
        return 1
    if 0xC2 <= first <= 0xDF:
        length, low, high = 2, 0x80, 0xBF
    elif first == 0xE0:
        length, low, high = 3, 0xA0, 0xBF
    elif first == 0xED:  # surrogates are not characters
        length, low, high = 3, 0x80, 0x9F
    elif 0xE1 <= first <= 0xEF:
        length, low, high = 3, 0x80, 0xBF
    elif first == 0xF0:
        length, low, high = 4, 0x90, 0xBF
    elif first == 0xF4:
        length, low, high = 4, 0x80, 0x8F
    elif 0xF1 <= first <= 0xF3:
        length, low, high = 4, 0x80, 0xBF
    else:
        return 0
    if i + length > len(data) or not low <= data[i + 1] <= high:
        return 0
    for k in range(i + 2, i + length):
        if data[k] & 0xC0 != 0x80:
            return 0
    return length


def is_text(data: bytes) -> bool:
    """True for valid UTF-8 without NUL."""
    i = 0
    while i < len(data):
        step = utf8_length(data, i) if data[i] else 0
        if not step:
            return False
        i += step
    return True


def _bad(what: str, i: int) -> ValueError:
    return ValueError("%s at byte %d" % (what, i))


def _space(data: bytes, i: int) -> int:
    while i < len(data) and data[i] in _SPACES:
        i += 1
    return i


def _value(data: bytes, i: int, depth: int) -> int:
    """Index after the value that starts at `i`."""
    c = data[i]
    if c == _QUOTE:
        return _string(data, i + 1)
    if c == 0x7B:  # {
        return _object(data, i + 1, depth)
    if c == 0x5B:  # [
        return _array(data, i + 1, depth)
    if c == 0x2D or 0x30 <= c <= 0x39:  # - 0..9
        return _integer(data, i)
    for word in _WORDS:
        if data[i : i + len(word)] == word:
            return i + len(word)
    raise _bad("not a JSON value", i)


def _object(data: bytes, i: int, depth: int) -> int:
    if depth > DEPTH_MAX:
        raise _bad("nested too deep", i)
    i = _space(data, i)
    if data[i] == 0x7D:  # }
        return i + 1
    keys = set()
    while True:
        if data[i] != _QUOTE:
            raise _bad("a key is missing", i)
        end = _string(data, i + 1)
        key = data[i + 1 : end - 1]
        if b"\\" in key:
            raise _bad("a key has an escape", i)
        if key in keys:
            raise _bad("a key is repeated", i)
        keys.add(key)
        i = _space(data, end)
        if data[i] != 0x3A:  # :
            raise _bad("a colon is missing", i)
        i = _space(data, _value(data, _space(data, i + 1), depth + 1))
        if data[i] == 0x7D:
            return i + 1
        i = _comma(data, i)


def _array(data: bytes, i: int, depth: int) -> int:
    if depth > DEPTH_MAX:
        raise _bad("nested too deep", i)
    i = _space(data, i)
    if data[i] == 0x5D:  # ]
        return i + 1
    while True:
        i = _space(data, _value(data, i, depth + 1))
        if data[i] == 0x5D:
            return i + 1
        i = _comma(data, i)


def _comma(data: bytes, i: int) -> int:
    """Index of what follows the comma at `i`."""
    if data[i] != 0x2C:
        raise _bad("a comma is missing", i)
    return _space(data, i + 1)


def _string(data: bytes, i: int) -> int:
    """Index after the closing quote of the string whose first byte is `data[i]`."""
    end = data.find(b'"', i)
    if end == i:
        return i + 1
    part = data[i:end] if end > 0 else data[i:]
    if end > 0 and min(part) >= 0x20 and max(part) < 0x80 and b"\\" not in part:
        return end + 1  # nearly every string: checked without a loop
    while data[i] != _QUOTE:
        if data[i] == _BACKSLASH:
            i = _escape(data, i + 1)
            continue
        step = utf8_length(data, i) if data[i] >= 0x20 else 0
        if not step:
            raise _bad("a byte that no string may hold", i)
        i += step
    return i + 1


def _escape(data: bytes, i: int) -> int:
    """Index after the escape whose letter is `data[i]`."""
    if data[i] in _ESCAPES:
        return i + 1
    if data[i] != 0x75:  # u
        raise _bad("an unknown escape", i)
    for k in range(i + 1, i + 5):
        if data[k] not in _HEX:
            raise _bad("an unknown escape", i)
    if data[i + 1] in b"dD" and data[i + 2] in b"89abcdefABCDEF":
        raise _bad("an escaped surrogate", i)
    return i + 5


def _integer(data: bytes, i: int) -> int:
    start = i
    if data[i] == 0x2D:
        i += 1
    first = i
    while i < len(data) and 0x30 <= data[i] <= 0x39:
        i += 1
    if i == first or (data[first] == 0x30 and i > first + 1):
        raise _bad("not a number", start)
    if i < len(data) and data[i] in b".eE":
        raise _bad("not an integer", start)
    if i - first > _DIGITS_MAX or not -_INT_MAX - 1 <= int(data[start:i]) <= _INT_MAX:
        raise _bad("an integer beyond 64 bits", start)
    return i
