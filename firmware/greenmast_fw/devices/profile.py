"""What a device profile is, and how registers become points: the meaning of the tables, not their content.

A profile is a module with the attributes of `Profile` below. Rows are aligned tuples:

  READS   (function, address, count, every): one request each, in every `every`-th scan
  ROWS    (point, read, offset, type, multiplier, divisor, add)
          value = raw * multiplier / divisor + add, rounded to the nearest integer; `offset` in registers from
          the read's address; for the bit types `multiplier` is a mask
  WRITES  (point, function, address, multiplier, divisor, low, high)
          register = value * multiplier / divisor, value first clamped to low..high in the point's unit
  SWITCHES (point, function, address, values on, values off)
          what switches the output `point` through the device: function 5 with 0xFF00 and 0, 6 or 16 with
          register values

and for those who look for devices, which the board does not (`probe`):

  PROBE   (function, address, count, checks): the product is recognised when every row holds
          checks: (offset, type, low, high) each: the raw value lies in low..high; (): it must answer;
          None: it must refuse with exception 1 or 2
  IDENTITY (name, function, address, count, type): name of "manufacturer model serial firmware hardware"

`binding` makes devices of the profiles that a site names; after that the profiles are not needed.
Integers only: a single-precision float is taken apart into sign, exponent and fraction, so a meter's float32
becomes the exact integer nearest to it. Knows no line and no policy.
"""

from greenmast_protocol import quality

TYPE_CHECKING = False
if TYPE_CHECKING:
    from array import array
    from typing import Protocol

    from greenmast_fw.core.snapshot import Image

    Row = tuple[str, int, int, int, int, int, int]
    Write = tuple[str, int, int, int, int, int, int]
    Switch = tuple[str, int, int, tuple[int, ...], tuple[int, ...]]
    Checks = tuple[tuple[int, int, int, int], ...]
    Check = tuple[int, int, int, "Checks | None"]

    # One slave of a site, as far as polling it must know: unit, time-out and gap in ms, then
    # - the numbers of its READS that are of use, one after the other (READ_SIZE each),
    # - the numbers of its ROWS that are used (ROW_SIZE each): point number, place of the read among those,
    #   and the rest of the row,
    # - its WRITES.
    Device = tuple[int, int, int, "array[int]", "array[int]", "tuple[Write, ...]"]

    class Profile(Protocol):
        """Attributes of a profile module. Addresses count from 0; times in ms."""

        NAME: str
        ROLE: str  # the subsystem whose points it supplies first
        TEXT: str
        SOURCES: tuple[str, ...]  # documents and drivers that the tables rest on
        SINGLE_SOURCE: tuple[str, ...]  # points that rest on one of them only
        LINK: tuple[int, str, int, int]  # factory setting: baud, parity, stop bits, address
        TIMEOUT_MS: int  # slowest answer
        GAP_MS: int  # silence wanted before a request; 0: only that of the line
        READS: tuple[tuple[int, int, int, int], ...]
        ROWS: tuple[Row, ...]
        WRITES: tuple[Write, ...]
        SWITCHES: tuple[Switch, ...]
        PROBE: tuple[Check, ...]
        IDENTITY: tuple[tuple[str, int, int, int, int], ...]


# Types: an integer is a sum of these,
SIGNED = 1
WIDE = 2  # two registers, high word first
LOW_FIRST = 4  # low word first
GENCOMM = 8  # the top eight values are sentinels of DSE GenComm: FFF8-FFFF, signed 7FF8-7FFF, 32 bits alike
U16 = 0
S16 = SIGNED
U32 = WIDE
S32 = WIDE + SIGNED
U32_LW = WIDE + LOW_FIRST
# or something else is made of it.
MASKED = 0x10  # raw & mask
NONE_OF = 0x20  # 1 when no bit of the mask is set
CODE_IN = 0x30  # raw is a code 0..14, 1 when the mask has that bit; codes from 15 up mean "not available"
_FLOAT = 0x40
F32 = _FLOAT + WIDE  # IEEE 754 single
TEXT16 = 0x70  # of IDENTITY only: ASCII, two characters a register, high byte first

READ_SIZE = 4
ROW_SIZE = 7
_FORM = 0x70
_CODES = 15
_SENTINELS = 8


def decode(rows: "array[int]", read: int, data: memoryview, image: "Image") -> None:
    """Store the values of read number `read`, whose reply carried `data`, into the process image.

    `rows`: those of a `Device`.
    """
    for i in range(0, len(rows), ROW_SIZE):
        if rows[i + 1] != read:
            continue
        kind = rows[i + 3]
        form = kind & _FORM
        multiplier, divisor = rows[i + 4], rows[i + 5]
        raw = _raw(data, 2 * rows[i + 2], kind)
        top = 0xFFFFFFFF if kind & WIDE else 0xFFFF
        if kind & SIGNED:
            top >>= 1
        value = None
        why = quality.SENTINEL
        if kind & GENCOMM and top - _SENTINELS < raw <= top:
            pass
        elif form == _FLOAT:
            value = _scaled_float(raw, multiplier, divisor)
            why = quality.NOT_A_NUMBER
        elif form == MASKED:
            value = raw & multiplier
        elif form == NONE_OF:
            value = 0 if raw & multiplier else 1
        elif form == CODE_IN:
            if raw < _CODES:
                value = (multiplier >> raw) & 1
        else:
            if raw > top:
                raw -= 2 * top + 2
            value = (raw * multiplier + divisor // 2) // divisor
        if value is None:
            image.invalid(rows[i], why)
        else:
            image.put(rows[i], value + rows[i + 6])


def _raw(data: memoryview, at: int, kind: int) -> int:
    """The unsigned number in the registers from byte `at` on."""
    raw = (data[at] << 8) | data[at + 1]
    if not kind & WIDE:
        return raw
    other = (data[at + 2] << 8) | data[at + 3]
    return (other << 16) | raw if kind & LOW_FIRST else (raw << 16) | other


def _scaled_float(bits: int, multiplier: int, divisor: int) -> "int | None":
    """Nearest integer to (the float with these 32 bits) * multiplier / divisor; None for NaN and infinity."""
    exponent = (bits >> 23) & 0xFF
    if exponent == 0xFF:
        return None
    scaled = (0x800000 | (bits & 0x7FFFFF)) * multiplier
    shift = exponent - 150  # the fraction counts in units of 2**-23, the exponent is biased by 127
    if exponent == 0 or shift < -60:
        return 0  # zero, subnormal, or below anything that a scale could raise to 1
    if shift >= 0:
        scaled <<= shift
    else:
        divisor <<= -shift
    scaled = (2 * scaled + divisor) // (2 * divisor)
    return -scaled if bits >> 31 else scaled


def register_value(write: "Write", value: int) -> int:
    """What to write into the register of a WRITES row for `value`, first clamped to the row's limits."""
    _, _, _, multiplier, divisor, low, high = write
    value = low if value < low else high if value > high else value
    return (value * multiplier + divisor // 2) // divisor
