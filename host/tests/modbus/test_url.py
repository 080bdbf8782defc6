"""URLs of lines: two forms, and for everything else what is wrong with it."""

from __future__ import annotations

import pytest

from greenmast.errors import USAGE, UserError
from greenmast.modbus.url import SerialUrl, TcpUrl, parse


@pytest.mark.parametrize(
    ("url", "line"),
    [
        ("serial:///dev/ttyUSB0", SerialUrl("/dev/ttyUSB0", None, None)),
        ("serial:///dev/ttyUSB0?baud=9600&parity=N", SerialUrl("/dev/ttyUSB0", 9600, "N")),
        ("serial:///dev/ttyS1?parity=e", SerialUrl("/dev/ttyS1", None, "E")),
        (
            "serial:///dev/serial/by-id/usb-FTDI?baud=115200",
            SerialUrl("/dev/serial/by-id/usb-FTDI", 115200, None),
        ),
        ("tcp://gateway.local:5020", TcpUrl("gateway.local", 5020)),
        ("tcp://192.168.1.20", TcpUrl("192.168.1.20", 502)),
        ("tcp://[::1]:502/", TcpUrl("::1", 502)),
    ],
)
def test_what_a_person_may_write(url: str, line: SerialUrl | TcpUrl) -> None:
    assert parse(url) == line


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("", "neither with serial:// nor with tcp://"),
        ("/dev/ttyUSB0", "serial:// before it"),
        ("COM3", "neither"),
        ("http://x:502", "neither"),
        ("serial://", "whole path"),
        ("serial://ttyUSB0", "whole path"),
        ("serial:///dev/x?baud=fast", "baud must be a number"),
        ("serial:///dev/x?baud=0", "baud must be a number"),
        ("serial:///dev/x?baud=", "baud must be a number"),
        ("serial:///dev/x?parity=X", "parity must be N, E or O"),
        ("serial:///dev/x?parity=", "parity must be N, E or O"),
        ("serial:///dev/x?speed=9600", "baud and parity, not 'speed'"),
        ("tcp://", "no host"),
        ("tcp://:502", "no host"),
        ("tcp://x:port", "port must be a number"),
        ("tcp://x:99999", "port must be a number"),
        ("tcp://x:502/unit/1", "nothing more to say"),
        ("tcp://x:502?unit=1", "nothing more to say"),
        ("tcp://user@x:502", "nothing more to say"),
        ("tcp://[::1", "port must be a number|host"),
    ],
)
def test_what_is_wrong_is_said_with_the_forms_that_are_right(url: str, why: str) -> None:
    with pytest.raises(UserError, match=why) as refused:
        parse(url)
    assert refused.value.exit_code == USAGE
    assert "tcp://host:port" in refused.value.message
    assert "\n" not in refused.value.message
