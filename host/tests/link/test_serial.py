"""The serial link against the firmware's own console on a pseudo-terminal."""

from __future__ import annotations

import fcntl
import os
import struct
import termios
from typing import Any

import pytest
import serial

from greenmast import errors
from greenmast.link import reading
from greenmast.link.base import NoContactError, RefusedError
from greenmast.link.serial import SerialLink
from greenmast_protocol import frame, message


@pytest.fixture
def link(pty_board: Any) -> Any:
    with SerialLink(pty_board.port) as opened:
        opened.answer_s = 0.5
        yield opened


def test_hello_names_the_board(link: SerialLink) -> None:
    assert link.hello()["site"] == "india-rural"


def test_an_answer_longer_than_3_kb_arrives_whole(link: SerialLink) -> None:
    now = reading.get(link)
    assert len(str(now.document())) > 3000
    assert now.values["dc.bus_mv"] == 51_234
    assert now.quality_of("genset.rpm") == "stale"
    assert now.age_ms["dc.bus_mv"] == 1_240


def test_a_refusal_carries_code_and_exit_code(link: SerialLink) -> None:
    with pytest.raises(RefusedError, match=r"no point no\.such") as refused:
        reading.get(link, ["no.such"])
    assert (refused.value.code, refused.value.exit_code) == ("invalid_value", errors.REFUSED)


def test_a_command_is_not_authorised_and_never_repeated(link: SerialLink, pty_board: Any) -> None:
    with pytest.raises(RefusedError) as refused:
        link.call("command", {"name": "genset.start", "args": {"for_s": 60}})
    assert refused.value.exit_code == errors.NOT_AUTHORISED
    pty_board.stream.deaf = 99
    pty_board.stream.received = b""
    with pytest.raises(NoContactError, match="whether it was done is not known"):
        link.call("command", {"name": "genset.start", "args": {"for_s": 60}}, timeout_s=0.2)
    assert pty_board.stream.received.count(b"#") == 1


def test_a_read_is_repeated_when_the_request_is_lost(link: SerialLink, pty_board: Any) -> None:
    pty_board.stream.deaf = 2
    assert link.hello()["boot"] == 7


def test_a_read_is_repeated_when_the_answer_is_damaged(link: SerialLink, pty_board: Any) -> None:
    pty_board.stream.garble = 1
    assert link.hello()["boot"] == 7
    assert link.decoder.broken == 1


def test_a_silent_board_is_no_contact_after_three_tries(link: SerialLink, pty_board: Any) -> None:
    pty_board.stream.deaf = 99
    with pytest.raises(NoContactError) as silent:
        link.call("hello", timeout_s=0.1)
    assert silent.value.exit_code == errors.NO_CONTACT
    assert pty_board.stream.received.count(b"#") == 3


def test_a_late_answer_is_not_taken_for_the_next_one(link: SerialLink, pty_board: Any) -> None:
    pty_board.stream.write(frame.encode(message.result(link._id, {"boot": 99})))
    assert link.hello()["boot"] == 7


def test_log_lines_between_messages_disturb_nothing(
    link: SerialLink, pty_board: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    pty_board.console.log("a line of log")
    assert link.notice(0.5) is None
    assert link.hello()["boot"] == 7
    assert "a line of log" in caplog.text


def test_readings_stream_until_closed(link: SerialLink, pty_board: Any) -> None:
    readings = reading.stream(link, ["dc.bus_mv"], 0.2)
    first = next(readings)
    assert first is not None
    assert first.values == {"dc.bus_mv": 51_234}
    pty_board.board.v["dc.bus_mv"] = 50_000
    for _ in range(10):
        now = next(readings)
        if now is not None and now.values["dc.bus_mv"] == 50_000:
            break
    else:
        pytest.fail("the change was not told")
    readings.close()
    assert pty_board.console._session.period_ms == 0


def test_a_stream_says_when_the_board_falls_silent_and_comes_back_by_itself(
    link: SerialLink, pty_board: Any
) -> None:
    readings = reading.stream(link, ["dc.bus_mv"], 0.2)
    assert next(readings) is not None
    pty_board.console._session.period_ms = 0  # as after a reset of the board
    told_before = next(n for n in range(20) if next(readings) is None)
    assert told_before < 3
    assert next(readings) is not None
    readings.close()


def test_a_board_with_another_table_is_read_but_not_commanded(
    link: SerialLink, pty_board: Any, caplog: pytest.LogCaptureFixture
) -> None:
    pty_board.board.table = "00000000"
    link.hello()
    assert "point table 00000000" in caplog.text
    assert reading.get(link, ["dc.bus_mv"]).values == {"dc.bus_mv": 51_234}
    pty_board.stream.received = b""
    with pytest.raises(RefusedError, match="another point table"):
        link.call("command", {"name": "genset.stop", "args": {}})
    assert pty_board.stream.received == b""


def test_a_request_beyond_the_boards_line_is_a_usage_error(link: SerialLink) -> None:
    with pytest.raises(errors.UserError) as long:
        reading.get(link, ["battery.soc_permille"] * 20)
    assert long.value.exit_code == errors.USAGE


def test_closing_the_port_will_not_hang_up(link: SerialLink, pty_board: Any) -> None:
    assert not termios.tcgetattr(pty_board._near)[2] & termios.HUPCL


def test_dtr_and_rts_go_down_together_before_the_port_is_opened(
    pty_board: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Lowering one after the other passes through the state that resets an ESP32."""
    seen: list[str] = []

    def ioctl(fd: int, request: int, *args: Any) -> bytes:
        if request == termios.TIOCMBIC:
            seen.append(f"down {struct.unpack('I', args[0])[0]:#x}")
        return b"\0" * 4

    monkeypatch.setattr(fcntl, "ioctl", ioctl)
    monkeypatch.setattr(serial.Serial, "open", lambda self: seen.append(f"open {self.dtr} {self.rts}"))
    SerialLink(pty_board.port)
    assert seen == ["down 0x6", "open False False"]


def test_one_port_serves_one_program(link: SerialLink, pty_board: Any) -> None:
    with pytest.raises(NoContactError, match="in use"):
        SerialLink(pty_board.port)


@pytest.mark.parametrize("port", ["/dev/no-such-port", "/dev/null", "/tmp"])
def test_a_port_that_is_none_is_no_contact(port: str) -> None:
    with pytest.raises(NoContactError, match=port):
        SerialLink(port)


def test_an_unplugged_board_is_no_contact() -> None:
    far, near = os.openpty()
    with SerialLink(os.ttyname(near)) as link:
        os.close(near)
        os.close(far)
        with pytest.raises(NoContactError):
            link.call("hello", timeout_s=0.3)
