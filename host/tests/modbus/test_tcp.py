"""The TCP master: transaction numbers, gateways, what is not Modbus, connections that break."""

from __future__ import annotations

import socket
import struct

import pytest
from slaves import Answer, TcpSlave, mbap

from greenmast.errors import NO_CONTACT
from greenmast.modbus.master import DamagedError, LineError, NoReplyError, RefusedByDeviceError
from greenmast.modbus.tcp import TcpMaster
from greenmast.testing import free_port
from greenmast_protocol import modbus_frame

TIMEOUT_S = 0.3


def answering(body: bytes) -> TcpSlave:
    return TcpSlave(lambda request: [(0.0, mbap(request, body))])


def test_a_read_gives_the_data_of_the_reply() -> None:
    with answering(b"\x07\x03\x04\x12\x34\xab\xcd") as slave, TcpMaster(slave.host, slave.port) as m:
        assert m.read(7, 3, 0x0102, 2) == bytes.fromhex("1234abcd")
        assert slave.requests[0][2:] == bytes.fromhex("00000006070301020002")


def test_a_reply_in_pieces_is_one_reply() -> None:
    def answer(request: bytes) -> Answer:
        whole = mbap(request, b"\x07\x03\x02\x00\x05")
        return [(0.01, whole[i : i + 2]) for i in range(0, len(whole), 2)]

    with TcpSlave(answer) as slave, TcpMaster(slave.host, slave.port) as m:
        assert m.read(7, 3, 0, 1) == b"\x00\x05"


def test_a_late_reply_is_told_by_its_transaction_and_dropped() -> None:
    def answer(request: bytes) -> Answer:
        number = struct.unpack(">H", request[:2])[0]
        late = mbap(request, b"\x07\x03\x02\x00\x04", transaction=(number - 1) & 0xFFFF)
        return [(0.0, late), (0.0, mbap(request, b"\x07\x03\x02\x00\x05"))]

    with TcpSlave(answer) as slave, TcpMaster(slave.host, slave.port) as m:
        assert m.read(7, 3, 0, 1) == b"\x00\x05"


@pytest.mark.parametrize("code", [10, 11])
def test_a_gateway_that_hears_nothing_is_silence(code: int) -> None:
    with (
        answering(bytes((7, 0x83, code))) as slave,
        TcpMaster(slave.host, slave.port) as m,
        pytest.raises(NoReplyError),
    ):
        m.read(7, 3, 0, 1)


def test_an_exception_carries_its_code() -> None:
    with answering(bytes((7, 0x83, 4))) as slave, TcpMaster(slave.host, slave.port) as m:
        with pytest.raises(RefusedByDeviceError) as refused:
            m.read(7, 3, 0, 1)
        assert refused.value.code == 4


@pytest.mark.parametrize(
    ("body", "verdict"),
    [
        (b"\x08\x03\x02\x00\x05", "wrong_unit"),
        (b"\x07\x04\x02\x00\x05", "wrong_function"),
        (b"\x07\x03\x04\x00\x05\x00\x06", "byte_count"),
        (b"\x07\x03\x02\x00\x05\x00", "trailing"),
        (b"\x07\x03\x02\x00", "truncated"),
    ],
)
def test_what_is_no_answer_is_refused_with_its_verdict(body: bytes, verdict: str) -> None:
    with answering(body) as slave, TcpMaster(slave.host, slave.port) as m:
        with pytest.raises(DamagedError) as damaged:
            m.read(7, 3, 0, 1, TIMEOUT_S)
        assert modbus_frame.verdict_name(damaged.value.verdict) == verdict


def test_silence_is_no_reply_and_the_next_request_goes_through() -> None:
    answers: list[bytes] = [b"\x07\x03\x02\x00\x05"]

    def answer(request: bytes) -> Answer:
        return [(0.0, mbap(request, answers[0]))] if request[6] == 7 else []

    with TcpSlave(answer) as slave, TcpMaster(slave.host, slave.port) as m:
        with pytest.raises(NoReplyError):
            m.read(8, 3, 0, 1, TIMEOUT_S)
        assert m.read(7, 3, 0, 1) == b"\x00\x05"
        assert slave.connections == 1


def test_half_a_message_is_damage_and_the_next_request_connects_anew() -> None:
    answers: list[bytes] = []

    def answer(request: bytes) -> Answer:
        whole = mbap(request, b"\x07\x03\x02\x00\x05")
        answers.append(whole)
        return [(0.0, whole[:9] if len(answers) == 1 else whole)]

    with TcpSlave(answer) as slave, TcpMaster(slave.host, slave.port) as m:
        with pytest.raises(DamagedError, match="too early"):
            m.read(7, 3, 0, 1, TIMEOUT_S)
        assert m.read(7, 3, 0, 1) == b"\x00\x05"
        assert slave.connections == 2


@pytest.mark.parametrize("reply", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x00\x01\x00\x00\x00\x01\x07"])
def test_what_does_not_speak_modbus_is_named(reply: bytes) -> None:
    with (
        TcpSlave(lambda _: [(0.0, reply)]) as slave,
        TcpMaster(slave.host, slave.port) as m,
        pytest.raises(LineError, match="does not speak Modbus TCP"),
    ):
        m.read(7, 3, 0, 1)


def test_a_connection_that_breaks_says_so() -> None:
    with TcpSlave(lambda _: [(0.0, b"")]) as slave, TcpMaster(slave.host, slave.port) as m:
        with pytest.raises(LineError, match="broke the connection") as broken:
            m.read(7, 3, 0, 1)
        assert broken.value.exit_code == NO_CONTACT


def test_a_host_that_is_not_there_says_what_to_look_at(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(LineError, match="nothing listens"):
        TcpMaster("127.0.0.1", free_port())

    def failing(error: OSError) -> None:
        def connect(*_: object) -> None:
            raise error

        monkeypatch.setattr(socket, "create_connection", connect)

    for error, words in (
        (socket.gaierror(-2, "Name or service not known"), "no host"),
        (TimeoutError("timed out"), "is it on"),
        (OSError(101, "Network is unreachable"), "cannot reach"),
    ):
        failing(error)
        with pytest.raises(LineError, match=words):
            TcpMaster("somewhere", 502)
