"""Modbus RTU frames: building requests, knowing the length of a reply, refusing every reply that is not ours.

Owns bytes and nothing else: no line, no clock, no retry. Sources: "MODBUS Application Protocol V1.1b3"
(functions 1-6, 15, 16 and exceptions), "MODBUS over Serial Line V1.02" 2.5.1 (RTU framing, CRC-16 with
polynomial 0xA001, low byte first). Buffers belong to the caller: `request` is what the builders filled,
`reply` holds the first `n` bytes that came back.
"""

import array

READ_COILS = 1
READ_DISCRETE = 2
READ_HOLDING = 3
READ_INPUT = 4
WRITE_COIL = 5
WRITE_REGISTER = 6
WRITE_COILS = 15
WRITE_REGISTERS = 16

FRAME_MAX = 256
EXCEPTION_LENGTH = 5
WRITE_REPLY_LENGTH = 8

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
LINE_FAULT = 10
LINE_BUSY = 11
EXCEPTION = 0x100

_NAMES = (
    "ok",
    "timeout",
    "truncated",
    "crc",
    "wrong_unit",
    "wrong_function",
    "byte_count",
    "echo_mismatch",
    "trailing",
    "own_echo",
    "line_fault",
    "line_busy",
)


def verdict_name(code: int) -> str:
    """The word for a verdict: "crc", "exception_2" ..."""
    return _NAMES[code] if code < EXCEPTION else "exception_%d" % (code - EXCEPTION)


def _crc_of_byte(value: int) -> int:
    for _ in range(8):
        value = (value >> 1) ^ 0xA001 if value & 1 else value >> 1
    return value


_CRC_TABLE = array.array("H", [_crc_of_byte(byte) for byte in range(256)])


def crc16(buffer: "bytes | bytearray | memoryview", n: int) -> int:
    """CRC of the first `n` bytes. Over a frame including its CRC field it is 0."""
    table = _CRC_TABLE
    crc = 0xFFFF
    for i in range(n):
        crc = (crc >> 8) ^ table[(crc ^ buffer[i]) & 0xFF]
    return crc


def _head(request: bytearray, unit: int, function: int, address: int, word: int) -> None:
    if not (0 <= unit <= 255 and 0 <= address <= 0xFFFF and 0 <= word <= 0xFFFF):
        raise ValueError("unit, address or value does not fit its field")
    request[0] = unit
    request[1] = function
    _put_word(request, 2, address)
    _put_word(request, 4, word)


def _put_word(request: bytearray, at: int, word: int) -> None:
    request[at] = word >> 8
    request[at + 1] = word & 0xFF


def _close(request: bytearray, n: int) -> int:
    crc = crc16(request, n)
    request[n] = crc & 0xFF
    request[n + 1] = crc >> 8
    return n + 2


def build_read(request: bytearray, unit: int, function: int, address: int, count: int) -> int:
    """Functions 1-4: read `count` bits or registers from `address`. Returns the request's length.

    Raises ValueError for another function or a count that one reply cannot carry (2000 bits, 125 registers).
    """
    limit = 2000 if function < READ_HOLDING else 125
    if not (READ_COILS <= function <= READ_INPUT and 1 <= count <= limit):
        raise ValueError("not a read that fits one reply")
    _head(request, unit, function, address, count)
    return _close(request, 6)


def build_write_one(request: bytearray, unit: int, function: int, address: int, word: int) -> int:
    """Functions 5 (`word` 0xFF00 or 0) and 6. Returns the request's length.

    Raises ValueError on unit 0 (broadcasts are not used) and on a word that the function does not take.
    """
    if unit == 0 or function not in (WRITE_COIL, WRITE_REGISTER):
        raise ValueError("not a write to one slave")
    if function == WRITE_COIL and word not in (0, 0xFF00):
        raise ValueError("a coil is written as 0 or 0xFF00")
    _head(request, unit, function, address, word)
    return _close(request, 6)


def build_write_registers(
    request: bytearray, unit: int, address: int, values: "list[int] | tuple[int, ...]"
) -> int:
    """Function 16. Returns the request's length.

    Raises ValueError on unit 0, on more than 123 values and on one outside 0..65535.
    """
    count = len(values)
    if unit == 0 or not 1 <= count <= 123:
        raise ValueError("not a write that fits one request to one slave")
    _head(request, unit, WRITE_REGISTERS, address, count)
    request[6] = 2 * count
    at = 7
    for value in values:
        if not 0 <= value <= 0xFFFF:
            raise ValueError("a register holds 0..65535")
        _put_word(request, at, value)
        at += 2
    return _close(request, at)


def build_write_coils(
    request: bytearray, unit: int, address: int, bits: "list[int] | tuple[int, ...]"
) -> int:
    """Function 15; `bits` are 0 or 1. Returns the request's length.

    Raises ValueError on unit 0 and on more than 1968 bits.
    """
    count = len(bits)
    if unit == 0 or not 1 <= count <= 1968:
        raise ValueError("not a write that fits one request to one slave")
    _head(request, unit, WRITE_COILS, address, count)
    size = (count + 7) // 8
    request[6] = size
    for i in range(size):
        request[7 + i] = 0
    for i in range(count):
        if bits[i]:
            request[7 + i // 8] |= 1 << (i % 8)
    return _close(request, 7 + size)


def data_length(request: bytearray) -> int:
    """Bytes of data in a good reply to a read; 0 for a write."""
    function = request[1]
    if function > READ_INPUT:
        return 0
    count = (request[4] << 8) | request[5]
    return (count + 7) // 8 if function < READ_HOLDING else 2 * count


def reply_length(request: bytearray) -> int:
    """Length of the reply that is not an exception."""
    size = data_length(request)
    return 5 + size if size else WRITE_REPLY_LENGTH


def _head_verdict(request: bytearray, reply: bytearray, n: int) -> int:
    """What the first bytes already tell, as far as they have arrived."""
    if n > 0 and reply[0] != request[0]:
        return WRONG_UNIT
    if n > 1:
        function = request[1]
        if reply[1] == function | 0x80:
            return OK
        if reply[1] != function:
            return WRONG_FUNCTION
        if function <= READ_INPUT:
            if n > 2 and reply[2] != data_length(request):
                return BYTE_COUNT
        else:
            for i in range(2, n if n < 6 else 6):
                if reply[i] != request[i]:
                    return ECHO_MISMATCH
    return OK


def _is_echo(request: bytearray, reply: bytearray, n: int) -> bool:
    """The reply repeats the first 8 bytes of our own request, as far as they have arrived."""
    for i in range(n if n < 8 else 8):
        if reply[i] != request[i]:
            return False
    return True


def missing(request: bytearray, reply: bytearray, n: int) -> int:
    """How many bytes the reply still lacks. 0: complete, or so wrong that waiting for more is pointless."""
    if _head_verdict(request, reply, n) != OK:
        # An echo is told apart from a damaged reply by its eighth byte.
        return 8 - n if n < 8 and _is_echo(request, reply, n) else 0
    length = EXCEPTION_LENGTH if n > 1 and reply[1] & 0x80 else reply_length(request)
    return length - n if n < length else 0


def check(request: bytearray, reply: bytearray, n: int) -> int:
    """Verdict on the `n` bytes that came back: OK, EXCEPTION + code, or why they are refused."""
    if n == 0:
        return TIMEOUT
    code = _verdict(request, reply, n)
    # A repeated write of one register or coil *is* the good reply; any other repetition is our own
    # transmission.
    if code != OK and n >= 8 and _is_echo(request, reply, n):
        return OWN_ECHO
    return code


def _verdict(request: bytearray, reply: bytearray, n: int) -> int:
    code = _head_verdict(request, reply, n)
    if code != OK:
        return code
    refused = n > 1 and reply[1] & 0x80
    length = EXCEPTION_LENGTH if refused else reply_length(request)
    if n < length:
        return TRUNCATED
    if crc16(reply, length):
        return CRC
    if n > length:
        return TRAILING
    return EXCEPTION + reply[2] if refused else OK
