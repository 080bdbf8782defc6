"""The serial master: what is no answer is refused, a late one is never taken for the next, ports say why."""

from __future__ import annotations

import os
import time
from typing import Any

import pytest
from slaves import Answer, PtySlave, registers, sealed

from greenmast.errors import NO_CONTACT
from greenmast.modbus import rtu
from greenmast.modbus.master import DamagedError, LineError, NoReplyError, RefusedByDeviceError
from greenmast.modbus.rtu import RtuMaster
from greenmast_fw.devices import binding
from greenmast_protocol import modbus_frame

TIMEOUT_S = 0.2


@pytest.fixture(autouse=True)
def _short_turnaround(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rtu, "TURNAROUND_S", 0.05)


def test_a_read_gives_the_data_of_the_reply() -> None:
    with (
        PtySlave(lambda _: [(0.0, registers(7, 3, 0x1234, 0xABCD))]) as slave,
        RtuMaster(slave.path, 9600) as m,
    ):
        assert m.read(7, 3, 0x0102, 2) == bytes.fromhex("1234abcd")
        assert slave.requests == [sealed(bytes.fromhex("070301020002"))]


def test_a_reply_in_pieces_is_one_reply() -> None:
    whole = registers(7, 4, *range(30))
    pieces = [(0.01, whole[i : i + 9]) for i in range(0, len(whole), 9)]
    with PtySlave(lambda _: pieces) as slave, RtuMaster(slave.path, 9600) as m:
        assert m.read(7, 4, 0, 30) == whole[3:-2]


def test_an_exception_carries_its_code_and_reads_as_a_sentence() -> None:
    with PtySlave(lambda _: [(0.0, sealed(bytes((7, 0x83, 2))))]) as slave, RtuMaster(slave.path, 9600) as m:
        begin = time.monotonic()
        with pytest.raises(RefusedByDeviceError, match="no such register") as refused:
            m.read(7, 3, 0, 60, 2.0)
        assert refused.value.code == 2
        assert time.monotonic() - begin < 2.0  # it is known to be short


@pytest.mark.parametrize(
    ("reply", "verdict"),
    [
        (registers(7, 3, 1, 2)[:-1], "truncated"),
        (registers(7, 3, 1, 2)[:-1] + b"\x00", "crc"),
        (registers(8, 3, 1, 2), "wrong_unit"),
        (registers(7, 4, 1, 2), "wrong_function"),
        (registers(7, 3, 1, 2, 3), "byte_count"),
        (registers(7, 3, 1, 2) + b"\x00", "trailing"),
        (b"\x00\xff\x13", "wrong_unit"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_no_answer_is_refused_with_its_verdict(reply: bytes, verdict: str) -> None:
    with PtySlave(lambda _: [(0.0, reply)]) as slave, RtuMaster(slave.path, 9600) as m:
        with pytest.raises(DamagedError) as damaged:
            m.read(7, 3, 0, 2, TIMEOUT_S)
        assert modbus_frame.verdict_name(damaged.value.verdict) == verdict


def test_an_adapter_that_echoes_is_named() -> None:
    with (
        PtySlave(lambda request: [(0.0, request)]) as slave,
        RtuMaster(slave.path, 9600) as m,
        pytest.raises(DamagedError, match="local echo"),
    ):
        m.read(7, 3, 0x0102, 2, TIMEOUT_S)


def test_a_late_reply_is_not_given_to_the_next_request_of_the_same_unit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rtu, "TURNAROUND_S", 0.5)
    answers: list[Answer] = [[(0.25, registers(7, 3, 111))], [(0.0, registers(7, 3, 222))]]
    with PtySlave(lambda _: answers.pop(0)) as slave, RtuMaster(slave.path, 9600) as m:
        with pytest.raises(NoReplyError):
            m.read(7, 3, 0, 1, TIMEOUT_S)
        assert m.read(7, 3, 0, 1, TIMEOUT_S) == (222).to_bytes(2, "big")


def test_a_late_reply_is_not_given_to_another_unit() -> None:
    def answer(request: bytes) -> Answer:
        return [(0.25, registers(7, 3, 111))] if request[0] == 7 else []

    with PtySlave(answer) as slave, RtuMaster(slave.path, 9600) as m:
        with pytest.raises(NoReplyError):
            m.read(7, 3, 0, 1, TIMEOUT_S)
        with pytest.raises(DamagedError, match="another address"):
            m.read(8, 3, 0, 1, TIMEOUT_S)


def test_a_silent_unit_does_not_hold_up_the_next_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(request: bytes) -> Answer:
        return [(0.0, registers(8, 3, 5))] if request[0] == 8 else []

    with PtySlave(answer) as slave, RtuMaster(slave.path, 9600) as m:
        monkeypatch.setattr(rtu, "TURNAROUND_S", 5.0)
        with pytest.raises(NoReplyError):
            m.read(7, 3, 0, 1, 0.01)
        begin = time.monotonic()
        assert m.read(8, 3, 0, 1, TIMEOUT_S) == b"\x00\x05"
        assert time.monotonic() - begin < rtu.TURNAROUND_S


def test_what_came_unasked_is_dropped() -> None:
    with PtySlave(lambda _: [(0.0, registers(7, 3, 5))]) as slave, RtuMaster(slave.path, 9600) as m:
        slave.write(registers(7, 3, 4))
        assert m.read(7, 3, 0, 1) == b"\x00\x05"


def test_a_line_that_is_never_silent_is_given_up_without_a_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rtu, "_BUSY_ROUNDS", 3)
    with PtySlave(lambda _: []) as slave, RtuMaster(slave.path, 9600) as m:
        monkeypatch.setattr(m._port, "read", lambda n: b"\x55")
        with pytest.raises(DamagedError, match="never silent"):
            m.read(7, 3, 0, 1)
        assert slave.requests == []


def test_writes_are_confirmed() -> None:
    with PtySlave(lambda request: [(0.0, request)]) as slave, RtuMaster(slave.path, 9600) as m:
        m.write_register(7, 0x20, 5111)
        assert slave.requests == [sealed(bytes.fromhex("0706002013f7"))]


def test_no_product_wants_more_silence_than_the_master_keeps() -> None:
    assert max(binding.load(name).GAP_MS for name in binding.PROFILES) <= rtu.PAUSE_S * 1000


def test_a_device_is_left_alone_for_a_while_after_its_reply() -> None:
    with PtySlave(lambda _: [(0.0, registers(7, 3, 5))]) as slave, RtuMaster(slave.path, 9600) as m:
        m.read(7, 3, 0, 1)
        begin = time.monotonic()
        m.read(7, 3, 0, 1)
        assert time.monotonic() - begin >= rtu.PAUSE_S


def test_a_port_that_is_not_there_or_not_ours_says_what_helps(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    def refused(*_: Any, **__: Any) -> int:
        raise PermissionError(13, "Permission denied")

    with pytest.raises(LineError, match="cable") as missing:
        RtuMaster(str(tmp_path / "ttyUSB9"), 9600)
    assert missing.value.exit_code == NO_CONTACT
    monkeypatch.setattr(os, "open", refused)
    with pytest.raises(LineError, match="dialout"):
        RtuMaster("/dev/ttyUSB0", 9600)


def test_a_port_in_use_is_named() -> None:
    with (
        PtySlave(lambda _: []) as slave,
        RtuMaster(slave.path, 9600),
        pytest.raises(LineError, match="in use by another program"),
    ):
        RtuMaster(slave.path, 9600)


def test_what_is_no_terminal_is_no_port(tmp_path: Any) -> None:
    plain = tmp_path / "file"
    plain.write_text("")
    with pytest.raises(LineError, match="cannot open"):
        RtuMaster(str(plain), 9600)


def test_settings_that_a_port_does_not_know_are_named() -> None:
    with PtySlave(lambda _: []) as slave:
        RtuMaster(slave.path, 9600).close()
        with pytest.raises(LineError, match="cannot be set to 9600 8E1"):
            RtuMaster(slave.path, 9600, "E")  # a pseudo-terminal carries no parity


def test_an_adapter_pulled_out_ends_with_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    with PtySlave(lambda _: []) as slave, RtuMaster(slave.path, 9600) as m:

        def gone(data: bytes) -> int:
            raise OSError(5, "Input/output error")

        monkeypatch.setattr(m._port, "write", gone)
        with pytest.raises(LineError, match="is gone"):
            m.read(7, 3, 0, 1)


def test_the_rate_can_be_changed_on_the_way() -> None:
    with PtySlave(lambda _: [(0.0, registers(7, 3, 5))]) as slave, RtuMaster(slave.path, 9600) as m:
        m.retune(19_200)
        assert (m.baud, m.read(7, 3, 0, 1)) == (19_200, b"\x00\x05")
        with pytest.raises(LineError, match="-5 baud"):
            m.retune(-5)
