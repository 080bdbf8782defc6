"""What a device profile is, and how registers become points: the meaning of the tables, not their content.

A profile is a module with the attributes of `Profile` below. Rows are aligned tuples:

  READS   (function, address, count, every): one request each, in every `every`-th scan
  ROWS    (point, read, offset, type, multiplier, divisor, add)
          value = raw * multiplier / divisor + add, rounded to the nearest integer; `offset` in registers from
          the read's address, in bits for BIT; for the bit types `multiplier` is a mask
  WRITES  (point, function, address, multiplier, divisor, low, high)
          register = value * multiplier / divisor, value first clamped to low..high in the point's unit
  SWITCHES (point, function, address, values on, values off)
          what switches the output `point` through the device: function 5 with 0xFF00 and 0, 6 or 16 with
          register values

Only where they are needed:

  HOLES   True: it refuses to read across addresses that it does not have
  READY   (on, off): rows like those of PROBE, unsigned, that must hold before a switch is written. Off with
          rows of its own undoes only what this board has switched on.
  PHASES  3: it measures three phases of the grid; its rows name them (grid.l1_voltage_mv ..)
  MODELS, WALKER  READS are relative to the SunSpec model that `WALKER` has found, one of `MODELS`
  INPUTS  the read whose bits are the inputs of a module, which have points only at a site. Its relays are
          SWITCHES of the name "io", at the addresses of their channels.

and for those who look for devices, which the board does not (`probe`):

  PROBE   (function, address, count, checks): the product is recognised when every row holds
          checks: (offset, type, low, high) each: the raw value lies in low..high; (): it must answer;
          None: it must refuse with exception 1 or 2
  IDENTITY (name, function, address, count, type): name of "manufacturer model serial firmware hardware";
          of SunSpec devices relative to model 1

`binding` makes devices of the profiles that a site names; after that the profiles are not needed.
Integers only: a single-precision float is taken apart into sign, exponent and fraction, so a meter's float32
becomes the exact integer nearest to it. Knows no line and no policy.
"""

from greenmast_protocol import quality

TYPE_CHECKING = False
if TYPE_CHECKING:
    from array import array
    from typing import Any, Protocol

    from greenmast_fw.core.snapshot import Image
    from greenmast_fw.devices.sunspec import Walker

    Data = bytes | bytearray | memoryview
    Row = tuple[str, int, int, int, int, int, int]
    Write = tuple[str, int, int, int, int, int, int]
    Switch = tuple[str, int, int, tuple[int, ...], tuple[int, ...]]
    Checks = tuple[tuple[int, int, int, int], ...]
    Check = tuple[int, int, int, "Checks | None"]
    Ready = tuple[tuple[Check, ...], tuple[Check, ...]]

    # One slave of a site, as far as polling it must know: unit, time-out and gap in ms, then
    # - the numbers of its READS that are of use, one after the other (READ_SIZE each),
    # - the numbers of its ROWS that are used (ROW_SIZE each): point number, place of the read among those,
    #   and the rest of the row,
    # - its WRITES and SWITCHES,
    # - its READY, and its SunSpec walker.
    Device = tuple[
        int,
        int,
        int,
        "array[int]",
        "array[int]",
        "tuple[Any, ...]",
        Ready,
        "Walker | None",
    ]

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
        READ_MAX: int  # registers or bits in one request


# Types: an integer is a sum of these,
SIGNED = 1
WIDE = 2  # two registers, high word first
LOW_FIRST = 4  # low word first
GENCOMM = 8  # the top eight values are sentinels of DSE GenComm: FFF8-FFFF, signed 7FF8-7FFF, 32 bits alike
# Times ten to a power that stands at the offset given as divisor; SunSpec's sentinels FFFF, signed 8000.
SUNSPEC = 0x80
MINIMUM = 0x100  # 8000 means "not available", 80000000 in 32 bits, whether signed or not
NOT_ZERO = 0x200  # 0 means "not available"
U16 = 0
S16 = SIGNED
U32 = WIDE
S32 = WIDE + SIGNED
U32_LW = WIDE + LOW_FIRST
# or something else is made of it.
MASKED = 0x10  # (raw & mask) * divisor
NONE_OF = 0x20  # 1 when no bit of the mask is set
CODE_IN = 0x30  # 1 when bit `raw` of the mask is set; from `divisor` on, codes mean "not available"
_FLOAT = 0x40
F32 = _FLOAT + WIDE  # IEEE 754 single
HIGHEST = 0x50  # of as many single registers as the divisor says
LEAST = 0x60  # with NOT_ZERO: of those that are not 0
BIT = 0x70  # of functions 1 and 2
TEXT16 = 0x400  # of IDENTITY only: ASCII, two characters a register, high byte first

READ_COILS = 1  # of relays: always read, to see whether they are as they were set

READ_SIZE = 4
ROW_SIZE = 7
_FORM = 0x70
_SENTINELS = 8
_FACTOR_MAX = 10


def decode(rows: "array[int]", read: int, data: "Data", image: "Image") -> None:
    """Store the values of read number `read`, whose reply carried `data`, into the process image.

    `rows`: those of a `Device`.
    """
    for i in range(0, len(rows), ROW_SIZE):
        if rows[i + 1] != read:
            continue
        kind = rows[i + 3]
        value = _value(data, kind, rows[i + 2], rows[i + 4], rows[i + 5])
        if value is None:
            image.invalid(rows[i], quality.NOT_A_NUMBER if kind == F32 else quality.SENTINEL)
        else:
            image.put(rows[i], value + rows[i + 6])


def _value(data: "Data", kind: int, offset: int, multiplier: int, divisor: int) -> "int | None":
    """What a row makes of the data, before its `add`; None when the device says that there is no value."""
    form = kind & _FORM
    if form == BIT:
        return (data[offset >> 3] >> (offset & 7) & 1) * multiplier
    if form >= HIGHEST:
        extreme = _extreme(data, 2 * offset, kind, divisor)
        return None if extreme is None else extreme * multiplier
    raw = _raw(data, 2 * offset, kind)
    if form == _FLOAT:
        return _scaled_float(raw, multiplier, divisor)
    top = 0xFFFFFFFF if kind & WIDE else 0xFFFF
    if kind & SIGNED:
        top >>= 1
    if _is_sentinel(kind, raw, top):
        return None
    if form == MASKED:
        return (raw & multiplier) * divisor
    if form == NONE_OF:
        return 0 if raw & multiplier else 1
    if form == CODE_IN:
        return (multiplier >> raw) & 1 if raw < divisor else None
    if raw > top:
        raw -= 2 * top + 2
    if kind & SUNSPEC:
        return _by_factor(raw * multiplier, data, 2 * divisor)
    return (raw * multiplier + divisor // 2) // divisor


def _is_sentinel(kind: int, raw: int, top: int) -> bool:
    """Whether the unsigned number `raw` says that there is no value; `top`: the greatest of its type."""
    if kind & GENCOMM and top - _SENTINELS < raw <= top:
        return True
    if kind & SUNSPEC and raw == (top + 1 if kind & SIGNED else top):
        return True
    if kind & MINIMUM and raw == (0x80000000 if kind & WIDE else 0x8000):
        return True
    return bool(kind & NOT_ZERO) and raw == 0


def _by_factor(value: int, data: "Data", at: int) -> "int | None":
    """`value` times ten to the power in the register at byte `at`; None for a power that cannot be."""
    power = (data[at] << 8) | data[at + 1]
    if power <= _FACTOR_MAX:
        return int(value * 10**power)
    power = 0x10000 - power
    if power > _FACTOR_MAX:
        return None
    divisor = 10**power
    return int((value + divisor // 2) // divisor)


def _extreme(data: "Data", at: int, kind: int, count: int) -> "int | None":
    """The highest or least of `count` registers from byte `at` on."""
    best = None
    for k in range(at, at + 2 * count, 2):
        raw = (data[k] << 8) | data[k + 1]
        if raw > 0x7FFF and kind & SIGNED:
            raw -= 0x10000
        if raw == 0 and kind & NOT_ZERO:
            continue
        if best is None or (raw > best) == (kind & _FORM == HIGHEST):
            best = raw
    return best


def holds(checks: "Checks", data: "Data") -> bool:
    """Whether the data bytes of a reply satisfy the `checks` of READY, which are of unsigned types."""
    for offset, kind, low, high in checks:
        if not low <= _raw(data, 2 * offset, kind) <= high:
            return False
    return True


def _raw(data: "Data", at: int, kind: int) -> int:
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
