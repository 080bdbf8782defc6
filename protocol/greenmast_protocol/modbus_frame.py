"""Modbus frames: building requests, knowing the length of a reply, refusing every reply that is not ours.

Owns bytes and nothing else: no line, no clock, no retry. Sources: "MODBUS Application Protocol V1.1b3"
(functions 1-6, 15, 16 and exceptions), "MODBUS over Serial Line V1.02" 2.5.1 (RTU framing, CRC-16 with
polynomial 0xA001, low byte first). Buffers belong to the caller: `request` is what `put` or `build` filled,
`reply` holds the first `n` bytes that came back. Both begin with the unit; an RTU frame ends with its CRC
(`build`, `missing`, `check`), what Modbus TCP carries behind its header has none (`put`, `verdict`).
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    Buffer = bytearray | memoryview

READ_COILS = 1
READ_HOLDING = 3
READ_INPUT = 4
WRITE_COIL = 5
WRITE_REGISTER = 6
WRITE_COILS = 15
WRITE_REGISTERS = 16
COIL_ON = 0xFF00  # what function 5 carries for on; 0 for off

FRAME_MAX = 256
_EXCEPTION_LENGTH = 5
_WRITE_REPLY_LENGTH = 8
_CRC_LENGTH = 2
_ECHO_LENGTH = 8  # tells an echo from a damaged reply

# Verdicts on an exchange. EXCEPTION + n: the slave refused with exception code n (any n, known or not).
OK = 0
TIMEOUT = 1
TRUNCATED = 2
CRC = 3
WRONG_UNIT = 4
WRONG_FUNCTION = 5
BYTE_COUNT = 6
ECHO_MISMATCH = 7
TRAILING = 8
OWN_ECHO = 9
LINE_FAULT = 10  # no UART, or no connection
LINE_BUSY = 11
HEADER = 12  # of Modbus TCP: another protocol, or an impossible length
UNREACHABLE = 13  # a gateway says so of the device behind it
EXCEPTION = 0x100

_WORDS = (
    "ok timeout truncated crc wrong_unit wrong_function byte_count echo_mismatch trailing own_echo "
    "line_fault line_busy header unreachable"
)

# CRC of each half byte.
_CRC_TABLE = (
    0x0000, 0xCC01, 0xD801, 0x1400, 0xF001, 0x3C00, 0x2800, 0xE401,
    0xA001, 0x6C00, 0x7800, 0xB401, 0x5000, 0x9C01, 0x8801, 0x4400,
)  # fmt: skip


def verdict_name(code: int) -> str:
    """The word for a verdict: "crc", "exception_2" ..."""
    return _WORDS.split()[code] if code < EXCEPTION else "exception_%d" % (code - EXCEPTION)


def crc16(buffer: "bytes | bytearray | memoryview", n: int) -> int:
    """CRC of the first `n` bytes. Over a frame including its CRC field it is 0."""
    table = _CRC_TABLE
    crc = 0xFFFF
    for i in range(n):
        crc ^= buffer[i]
        crc = (crc >> 4) ^ table[crc & 15]
        crc = (crc >> 4) ^ table[crc & 15]
    return crc


def build(
    request: "Buffer",
    unit: int,
    function: int,
    address: int,
    word: int,
    values: "list[int] | tuple[int, ...]" = (),
) -> int:
    """As `put`, with the CRC behind."""
    return seal(request, put(request, unit, function, address, word, values))


def seal(request: "Buffer", n: int) -> int:
    """Put the CRC of the first `n` bytes behind them; returns the length with it."""
    crc = crc16(request, n)
    request[n] = crc & 0xFF
    request[n + 1] = crc >> 8
    return n + _CRC_LENGTH


def put(
    request: "Buffer",
    unit: int,
    function: int,
    address: int,
    word: int,
    values: "list[int] | tuple[int, ...]" = (),
) -> int:
    """Fill in a request; returns its length. `word`: count of bits or registers, or the value for 5 and 6.

    `values`: the `word` coils (0 or 1) of function 15, the `word` registers of function 16. Raises ValueError
    for another function, for what does not fit its field or one frame, and for a write to unit 0 (broadcasts
    are not used).
    """
    fits = unit > 0
    if READ_COILS <= function <= READ_INPUT:
        fits = unit >= 0 and 1 <= word <= (2000 if function < READ_HOLDING else 125)
    elif function == WRITE_COILS or function == WRITE_REGISTERS:
        fits = fits and 1 <= word <= (1968 if function == WRITE_COILS else 123) and word == len(values)
    elif function == WRITE_COIL:
        fits = fits and (word == 0 or word == COIL_ON)
    elif function != WRITE_REGISTER:
        fits = False
    if not fits or unit > 255:
        raise ValueError(function)
    request[0] = unit
    request[1] = function
    n = _put(request, 2, (address, word))
    if function == WRITE_REGISTERS:
        request[n] = 2 * word
        n = _put(request, n + 1, values)
    elif function == WRITE_COILS:
        request[n] = (word + 7) // 8
        for i in range(word):
            if i % 8 == 0:
                n += 1
                request[n] = 0
            if values[i]:
                request[n] |= 1 << i % 8
        n += 1
    return n


def _put(request: "Buffer", at: int, words: "list[int] | tuple[int, ...]") -> int:
    for word in words:
        if not 0 <= word <= 0xFFFF:
            raise ValueError(word)
        request[at] = word >> 8
        request[at + 1] = word & 0xFF
        at += 2
    return at


def reply_length(request: "Buffer") -> int:
    """Length of the reply that is not an exception, CRC included."""
    function = request[1]
    if function > READ_INPUT:
        return _WRITE_REPLY_LENGTH
    count = (request[4] << 8) | request[5]
    return 5 + ((count + 7) // 8 if function < READ_HOLDING else 2 * count)


def _head_verdict(request: "Buffer", reply: "Buffer", n: int) -> int:
    """What the first bytes already tell, as far as they have arrived."""
    function = request[1]
    if n > 0 and reply[0] != request[0]:
        return WRONG_UNIT
    if n > 1 and reply[1] & 0x7F != function:
        return WRONG_FUNCTION
    if n > 2 and reply[1] == function:
        if function > READ_INPUT:
            return OK if _repeats(request, reply, n if n < 6 else 6) else ECHO_MISMATCH
        if reply[2] != reply_length(request) - 5:
            return BYTE_COUNT
    return OK


def _repeats(request: "Buffer", reply: "Buffer", n: int) -> bool:
    """The reply begins with the first `n` bytes of our own request."""
    for i in range(n):
        if reply[i] != request[i]:
            return False
    return True


def missing(request: "Buffer", reply: "Buffer", n: int) -> int:
    """How many bytes the reply still lacks. 0: complete, or so wrong that waiting for more is pointless."""
    length = _ECHO_LENGTH
    if _head_verdict(request, reply, n) == OK:
        length = _length(request, reply, n)
    elif not _repeats(request, reply, n if n < length else length):
        return 0
    return length - n if n < length else 0


def check(request: "Buffer", reply: "Buffer", n: int) -> int:
    """Verdict on the `n` bytes that came back: OK, EXCEPTION + code, or why they are refused."""
    if n == 0:
        return TIMEOUT
    code = _verdict(request, reply, n, 0)
    if (code == OK or code >= EXCEPTION or code == TRAILING) and crc16(reply, _length(request, reply, n)):
        code = CRC
    # A repeated write of one value *is* the good reply; any other repetition is our own transmission.
    if 0 < code < EXCEPTION and n >= _ECHO_LENGTH and _repeats(request, reply, _ECHO_LENGTH):
        return OWN_ECHO
    return code


def verdict(request: "Buffer", reply: "Buffer", n: int) -> int:
    """As `check`, for a whole reply without CRC."""
    return _verdict(request, reply, n, _CRC_LENGTH)


def _verdict(request: "Buffer", reply: "Buffer", n: int, without: int) -> int:
    """All but the CRC; the reply is `without` bytes shorter than an RTU frame."""
    code = _head_verdict(request, reply, n)
    if code != OK:
        return code
    length = _length(request, reply, n) - without
    if n != length:
        return TRUNCATED if n < length else TRAILING
    return EXCEPTION + reply[2] if reply[1] & 0x80 else OK


def _length(request: "Buffer", reply: "Buffer", n: int) -> int:
    """Length of the RTU frame that begins with these `n` bytes."""
    return _EXCEPTION_LENGTH if n > 1 and reply[1] & 0x80 else reply_length(request)
