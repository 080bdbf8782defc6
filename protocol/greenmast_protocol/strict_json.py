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
if sys.implementation.name == "cpython":
    # MicroPython writes UTF-8 as it is; CPython would escape it into surrogates.
    _DUMPS_OPTIONS["ensure_ascii"] = False  # type: ignore[assignment]
    _DUMPS_OPTIONS["allow_nan"] = False  # type: ignore[assignment]

_QUOTE = 0x22
_BACKSLASH = 0x5C
_OPEN_OBJECT = 0x7B
_CLOSE_OBJECT = 0x7D
_OPEN_ARRAY = 0x5B


def dumps(value: object) -> bytes:
    """`value` (dict, list, str, int, bool, None) as compact UTF-8 JSON."""
    return json.dumps(value, **_DUMPS_OPTIONS).encode()  # type: ignore[arg-type]


def loads(data: bytes) -> object:
    """The value of strict JSON in `data`. Raises ValueError, naming the byte, for anything else."""
    try:
        end = _value(data, 0, 1)
    except IndexError:
        raise ValueError("JSON ends too early")
    if end != len(data):
        raise _bad(end)
    return json.loads(data)


def utf8_length(data: bytes, i: int) -> int:
    """Length 1..4 of the UTF-8 sequence that starts at `data[i]`, or 0 where there is none (RFC 3629)."""
    first = data[i]
    if first < 0x80:
        return 1
    length = 2 if first < 0xE0 else 3 if first < 0xF0 else 4
    if not 0xC2 <= first <= 0xF4 or i + length > len(data):
        return 0
    # No overlong forms, no surrogates, nothing beyond U+10FFFF.
    low = 0xA0 if first == 0xE0 else 0x90 if first == 0xF0 else 0x80
    high = 0x9F if first == 0xED else 0x8F if first == 0xF4 else 0xBF
    if not low <= data[i + 1] <= high:
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


def _bad(i: int) -> ValueError:
    return ValueError("not strict JSON at byte %d" % i)


def _space(data: bytes, i: int) -> int:
    while i < len(data) and data[i] in b" \t\n\r":
        i += 1
    return i


def _value(data: bytes, i: int, depth: int) -> int:
    """Index after the value that starts at `i` and the space around it."""
    i = _space(data, i)
    c = data[i]
    if c == _QUOTE:
        i = _string(data, i + 1)
    elif c == _OPEN_OBJECT or c == _OPEN_ARRAY:
        i = _members(data, i, depth)
    elif c == 0x2D or 0x30 <= c <= 0x39:  # - 0..9
        i = _integer(data, i)
    else:
        for word in (b"true", b"false", b"null"):
            if data[i : i + len(word)] == word:
                return _space(data, i + len(word))
        raise _bad(i)
    return _space(data, i)


def _members(data: bytes, i: int, depth: int) -> int:
    """Index after the object or array that opens at `i`."""
    if depth > DEPTH_MAX:
        raise _bad(i)
    close = data[i] + 2  # in ASCII
    keys = set()
    i = _space(data, i + 1)
    if data[i] == close:
        return i + 1
    while True:
        if close == _CLOSE_OBJECT:
            end = _string(data, i + 1)
            key = data[i:end]
            if key[0] != _QUOTE or b"\\" in key or key in keys:
                raise _bad(i)
            keys.add(key)
            i = _space(data, end)
            if data[i] != 0x3A:  # :
                raise _bad(i)
            i += 1
        i = _value(data, i, depth + 1)
        if data[i] == close:
            return i + 1
        if data[i] != 0x2C:  # ,
            raise _bad(i)
        i = _space(data, i + 1)


def _string(data: bytes, i: int) -> int:
    """Index after the closing quote of the string whose first byte is `data[i]`."""
    end = data.find(b'"', i)
    part = data[i:end]
    if end > i and min(part) >= 0x20 and max(part) < 0x80 and b"\\" not in part:
        return end + 1  # nearly every string: checked without a loop
    while data[i] != _QUOTE:
        if data[i] == _BACKSLASH:
            i = _escape(data, i + 1)
            continue
        step = utf8_length(data, i) if data[i] >= 0x20 else 0
        if not step:
            raise _bad(i)
        i += step
    return i + 1


def _escape(data: bytes, i: int) -> int:
    """Index after the escape whose letter is `data[i]`."""
    if data[i] in b'"\\/bfnrt':
        return i + 1
    if data[i] != 0x75:  # u
        raise _bad(i)
    for k in range(i + 1, i + 5):
        if data[k] not in b"0123456789abcdefABCDEF":
            raise _bad(i)
    if data[i + 1] in b"dD" and data[i + 2] in b"89abcdefABCDEF":  # a surrogate
        raise _bad(i)
    return i + 5


def _integer(data: bytes, i: int) -> int:
    start = i
    if data[i] == 0x2D:
        i += 1
    first = i
    while i < len(data) and 0x30 <= data[i] <= 0x39:
        i += 1
    if i == first or (data[first] == 0x30 and i > first + 1) or i - first > _DIGITS_MAX:
        raise _bad(start)
    if not -_INT_MAX - 1 <= int(data[start:i]) <= _INT_MAX or data[i : i + 1] in (b".", b"e", b"E"):
        raise _bad(start)
    return i
