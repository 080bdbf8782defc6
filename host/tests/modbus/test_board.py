"""Through the board: its verdicts become the errors that every master raises."""

from __future__ import annotations

from typing import Any

import pytest

from greenmast.errors import USAGE, UserError
from greenmast.link.base import RefusedError
from greenmast.modbus.board import BoardBus
from greenmast.modbus.master import DamagedError, NoReplyError, RefusedByDeviceError


class FakeLink:
    """A board with two buses; `result` is its answer to the next read."""

    name = "/dev/ttyACM0"

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any] | None]] = []
        self.result: Any = {"verdict": "ok", "data": "1234abcd"}

    def call(self, method: str, params: dict[str, Any] | None = None, timeout_s: float | None = None) -> Any:
        self.asked.append((method, params))
        if method == "config.get":
            return {"buses": [{"name": "meters"}, {"name": "power"}]}
        return self.result


@pytest.fixture
def link() -> Any:
    return FakeLink()


def test_a_read_goes_to_the_bus_of_that_name(link: Any) -> None:
    assert BoardBus(link, "power").read(7, 3, 0x0102, 2) == bytes.fromhex("1234abcd")
    assert link.asked[1:] == [
        ("bus.read", {"bus": 1, "unit": 7, "function": 3, "address": 0x0102, "count": 2})
    ]


@pytest.mark.parametrize(
    ("verdict", "error"),
    [
        ("timeout", NoReplyError),
        ("exception_2", RefusedByDeviceError),
        ("crc", DamagedError),
        ("line_busy", DamagedError),
        ("a_newer_one", DamagedError),
    ],
)
def test_verdicts_are_errors(link: Any, verdict: str, error: type[Exception]) -> None:
    link.result = {"verdict": verdict, "data": ""}
    with pytest.raises(error):
        BoardBus(link, "meters").read(7, 3, 0, 1)


@pytest.mark.parametrize("result", [None, {}, {"verdict": "ok", "data": "xyz"}, {"verdict": "ok", "data": 1}])
def test_an_answer_that_makes_no_sense_is_refused(link: Any, result: Any) -> None:
    link.result = result
    with pytest.raises(RefusedError, match="makes no sense"):
        BoardBus(link, "meters").read(7, 3, 0, 1)


def test_a_bus_that_is_not_there_is_named_with_those_that_are(link: Any) -> None:
    with pytest.raises(UserError, match="it has: meters, power") as refused:
        BoardBus(link, "solar")
    assert refused.value.exit_code == USAGE


def test_an_address_that_the_board_does_not_ask_is_silent(link: Any) -> None:
    with pytest.raises(NoReplyError):
        BoardBus(link, "meters").read(0, 3, 0, 1)
    assert [method for method, _ in link.asked] == ["config.get"]


def test_nothing_is_written_through_the_board(link: Any) -> None:
    with pytest.raises(UserError, match="reads only"):
        BoardBus(link, "meters").write_register(7, 0, 1)
