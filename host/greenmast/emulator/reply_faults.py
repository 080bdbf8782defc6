"""What may be wrong with the reply of a slave: the table of these faults, each with what it does.

Owns faults of what is said, of the frame and of its timing. Must not know devices, registers or ports. A
slave with several faults has them all, in the order of the table. Over TCP, where a frame has no checksum,
what spoils that spoils the transaction number.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

READS = range(1, 5)
EXCEPTION = 0x80
BABBLE_BYTES = 300
DRIP_S = 0.02  # from one byte to the next
GAP_S = 0.15
_UNKNOWN_EXCEPTION = 99

Pieces = list[tuple[float, bytes]]  # seconds after the moment of a right reply, and what is sent then


@dataclass
class Reply:
    """What a slave is about to say; `pdu` is function and data. `late_s`: more than its master waits for."""

    unit: int
    pdu: bytes
    serial: bool
    late_s: float
    random: Random


class ReplyFault:
    """One fault; each of its methods leaves things as they are unless it says otherwise."""

    def said(self, reply: Reply) -> None:
        """What the slave says."""

    def framed(self, frame: bytes, reply: Reply) -> bytes:
        """The frame, which is sealed by now."""
        return frame

    def timed(self, pieces: Pieces, reply: Reply) -> Pieces:
        """When which part of it is sent."""
        return pieces


class WrongAddress(ReplyFault):
    """It answers under the next address."""

    def said(self, reply: Reply) -> None:
        reply.unit = reply.unit % 247 + 1


class WrongFunction(ReplyFault):
    """It answers with another function: 3 for 4, else 4 for 3."""

    def said(self, reply: Reply) -> None:
        function = 3 if reply.pdu[0] & 0x7F != 3 else 4
        reply.pdu = bytes((function | reply.pdu[0] & EXCEPTION,)) + reply.pdu[1:]


class _Data(ReplyFault):
    """Of replies to reads only: `count` and `data` in place of byte count and data."""

    def said(self, reply: Reply) -> None:
        if reply.pdu[0] in READS:
            count, data = self.told(reply.pdu[1], reply.pdu[2:])
            reply.pdu = bytes((reply.pdu[0], count)) + data

    def told(self, count: int, data: bytes) -> tuple[int, bytes]:
        raise NotImplementedError


class LyingCount(_Data):
    """The byte count of a read says one register more than there is."""

    def told(self, count: int, data: bytes) -> tuple[int, bytes]:
        return count + 2 & 0xFF, data


class ZeroCount(_Data):
    """A read is answered with no data and says so."""

    def told(self, count: int, data: bytes) -> tuple[int, bytes]:
        return 0, b""


class OddCount(_Data):
    """A read is answered with half a register less and says so."""

    def told(self, count: int, data: bytes) -> tuple[int, bytes]:
        return count - 1, data[:-1]


class Fewer(_Data):
    """A read is answered with one register less than asked for."""

    def told(self, count: int, data: bytes) -> tuple[int, bytes]:
        return count - 2 if count > 2 else 0, data[:-2]


class More(_Data):
    """A read is answered with one register more than asked for."""

    def told(self, count: int, data: bytes) -> tuple[int, bytes]:
        return count + 2 & 0xFF, data + b"\x12\x34"


class OtherException(ReplyFault):
    """It refuses a function that was not asked for."""

    def said(self, reply: Reply) -> None:
        reply.pdu = bytes(((3 if reply.pdu[0] & 0x7F != 3 else 4) | EXCEPTION, 2))


class UnknownException(ReplyFault):
    """It refuses with a code that the standard does not know."""

    def said(self, reply: Reply) -> None:
        reply.pdu = bytes((reply.pdu[0] | EXCEPTION, _UNKNOWN_EXCEPTION))


class WrongCrc(ReplyFault):
    """The checksum is wrong."""

    def framed(self, frame: bytes, reply: Reply) -> bytes:
        if reply.serial:
            return frame[:-2] + bytes(byte ^ 0x5A for byte in frame[-2:])
        return bytes(byte ^ 0x5A for byte in frame[:2]) + frame[2:]


class SwappedCrc(ReplyFault):
    """The bytes of the checksum come in the wrong order."""

    def framed(self, frame: bytes, reply: Reply) -> bytes:
        return frame[:-2] + frame[:-3:-1] if reply.serial else frame[1::-1] + frame[2:]


class Truncated(ReplyFault):
    """The second half of the frame is missing."""

    def framed(self, frame: bytes, reply: Reply) -> bytes:
        return frame[: len(frame) // 2]


class Twice(ReplyFault):
    """The frame comes twice, back to back."""

    def framed(self, frame: bytes, reply: Reply) -> bytes:
        return frame + frame


class NoiseBefore(ReplyFault):
    """A stray byte comes right before the frame."""

    def framed(self, frame: bytes, reply: Reply) -> bytes:
        return reply.random.randbytes(1) + frame


class NoiseAfter(ReplyFault):
    """A stray byte comes right behind the frame."""

    def framed(self, frame: bytes, reply: Reply) -> bytes:
        return frame + reply.random.randbytes(1)


class Babble(ReplyFault):
    """Garbage, longer than any frame, comes in place of the reply."""

    def framed(self, frame: bytes, reply: Reply) -> bytes:
        return reply.random.randbytes(BABBLE_BYTES)


class Drip(ReplyFault):
    """The frame comes byte by byte, with pauses that end a frame."""

    def timed(self, pieces: Pieces, reply: Reply) -> Pieces:
        frame = b"".join(data for _, data in pieces)
        return [(pieces[0][0] + DRIP_S * i, frame[i : i + 1]) for i in range(len(frame))]


class Gap(ReplyFault):
    """The second half of the frame comes after a pause."""

    def timed(self, pieces: Pieces, reply: Reply) -> Pieces:
        frame = b"".join(data for _, data in pieces)
        half = len(frame) // 2
        start_s = pieces[0][0]
        return [(start_s, frame[:half]), (start_s + GAP_S, frame[half:])]


class Late(ReplyFault):
    """The reply comes when its master has given it up and may be asking the next slave."""

    def timed(self, pieces: Pieces, reply: Reply) -> Pieces:
        return [(at_s + reply.late_s, data) for at_s, data in pieces]


FAULTS: dict[str, ReplyFault] = {
    "wrong_address": WrongAddress(),
    "wrong_function": WrongFunction(),
    "lying_count": LyingCount(),
    "zero_count": ZeroCount(),
    "odd_count": OddCount(),
    "fewer": Fewer(),
    "more": More(),
    "other_exception": OtherException(),
    "unknown_exception": UnknownException(),
    "wrong_crc": WrongCrc(),
    "swapped_crc": SwappedCrc(),
    "truncated": Truncated(),
    "twice": Twice(),
    "noise_before": NoiseBefore(),
    "noise_after": NoiseAfter(),
    "babble": Babble(),
    "drip": Drip(),
    "gap": Gap(),
    "late": Late(),
}
