"""What a device profile is, and how registers become points: the meaning of the tables, not their content.

A profile is a module with the attributes of `Profile` below. Rows are aligned tuples:

  READS   (function, address, count, every): one request each, in every `every`-th scan
  ROWS    (point, read, offset, type, multiplier, divisor, add)
          value = raw * multiplier / divisor + add, rounded to the nearest integer; `offset` in registers from
          the read's address; for the bit types `multiplier` is a mask
  WRITES  (point, function, address, multiplier, divisor, low, high)
          register = value * multiplier / divisor, value first clamped to low..high in the point's unit

Integers only: a single-precision float is taken apart into sign, exponent and fraction, so a meter's float32
becomes the exact integer nearest to it. Knows no line and no policy.
"""

from greenmast_protocol import quality

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from greenmast_fw.core.snapshot import Image

    class Profile(Protocol):
        """Attributes of a profile module. Addresses count from 0; times in ms."""

        NAME: str
        ROLE: str  # the subsystem whose points it supplies first
        TEXT: str
        SOURCE: str
        LINK: tuple[int, str, int, int]  # factory setting: baud, parity, stop bits, address
        TIMEOUT_MS: int  # slowest answer
        GAP_MS: int  # silence wanted before a request; 0: only that of the line
        READS: tuple[tuple[int, int, int, int], ...]
        ROWS: tuple[tuple[str, int, int, int, int, int, int], ...]
        WRITES: tuple[tuple[str, int, int, int, int, int, int], ...]


U16 = 0
S16 = 1
U32 = 2  # high word first
S32 = 3
U32_LW = 4  # low word first
S32_LW = 5
F32 = 6  # IEEE 754 single, high word first
MASKED = 7  # raw & mask
ANY_OF = 8  # 1 when a bit of the mask is set
NONE_OF = 9  # 1 when no bit of the mask is set
CODE_IN = 10  # raw is a code 0..14, 1 when the mask has that bit; codes from 15 up mean "not available"
GENCOMM = 0x10  # added to an integer type: the top eight values are GenComm sentinels

_CODES = 15
_LOWEST_SENTINEL = 0xFFF8  # DSE GenComm: FFF8-FFFF, signed 7FF8-7FFF, in the high word for 32 bits


def words(kind: int) -> int:
    """Registers that a value of type `kind` takes."""
    return 2 if U32 <= kind & 0xF <= F32 else 1


def decode(profile: "Profile", read: int, data: memoryview, image: "Image", points: "list[int]") -> None:
    """Store the values of read number `read`, whose reply carried `data`, into the process image.

    `points[i]` is the number of the point that row `i` supplies, or -1 when the row is not used.
    """
    rows = profile.ROWS
    for i in range(len(rows)):
        if points[i] >= 0 and rows[i][1] == read:
            _store(image, points[i], rows[i], data)


def _store(
    image: "Image", point: int, row: "tuple[str, int, int, int, int, int, int]", data: memoryview
) -> None:
    _, _, offset, kind, multiplier, divisor, add = row
    at = 2 * offset
    first = (data[at] << 8) | data[at + 1]
    second = (data[at + 2] << 8) | data[at + 3] if words(kind) == 2 else 0
    if kind == F32:
        scaled = _scaled_float(first, second, multiplier, divisor)
        if scaled is None:
            image.invalid(point, quality.NOT_A_NUMBER)
        else:
            image.put(point, scaled + add)
        return
    if kind & GENCOMM and _is_sentinel(kind & 0xF, first, second):
        image.invalid(point, quality.SENTINEL)
        return
    kind &= 0xF
    if kind == MASKED:
        image.put(point, first & multiplier)
    elif kind == ANY_OF:
        image.put(point, 1 if first & multiplier else 0)
    elif kind == NONE_OF:
        image.put(point, 0 if first & multiplier else 1)
    elif kind == CODE_IN:
        if first >= _CODES:
            image.invalid(point, quality.SENTINEL)
        else:
            image.put(point, (multiplier >> first) & 1)
    else:
        image.put(point, (_integer(kind, first, second) * multiplier + divisor // 2) // divisor + add)


def _integer(kind: int, first: int, second: int) -> int:
    if kind == U16:
        return first
    if kind == S16:
        return first - 0x10000 if first & 0x8000 else first
    if kind >= U32_LW:
        first, second = second, first
        kind -= 2
    raw = (first << 16) | second
    return raw - 0x100000000 if kind == S32 and first & 0x8000 else raw


def _is_sentinel(kind: int, first: int, second: int) -> bool:
    top = 0x7FFF if kind in (S16, S32) else 0xFFFF
    lowest = _LOWEST_SENTINEL & top
    if words(kind) == 2:
        return first == top and second >= _LOWEST_SENTINEL
    return lowest <= first <= top


def _scaled_float(high: int, low: int, multiplier: int, divisor: int) -> "int | None":
    """Nearest integer to (the float in these two words) * multiplier / divisor; None for NaN and infinity."""
    exponent = (high >> 7) & 0xFF
    if exponent == 0xFF:
        return None
    scaled = (0x800000 | ((high & 0x7F) << 16) | low) * multiplier
    shift = exponent - 150  # the fraction counts in units of 2**-23, the exponent is biased by 127
    if exponent == 0 or shift < -60:
        return 0  # zero, subnormal, or below anything that a scale could raise to 1
    if shift >= 0:
        scaled <<= shift
    else:
        divisor <<= -shift
    scaled = (2 * scaled + divisor) // (2 * divisor)
    return -scaled if high & 0x8000 else scaled


def register_value(write: "tuple[str, int, int, int, int, int, int]", value: int) -> int:
    """What to write into the register of a WRITES row for `value`, first clamped to the row's limits."""
    _, _, _, multiplier, divisor, low, high = write
    value = low if value < low else high if value > high else value
    return (value * multiplier + divisor // 2) // divisor
