"""Outputs that hang on the bus: relays of a relay module, and a genset that its controller starts.

Each is a pin for `pins.Outputs`: it passes on what shall be, and the pollers see to it. Knows no register.
"""

from greenmast_protocol import points

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Protocol

    class Poller(Protocol):
        """See `poll.BusPoller`."""

        def hold(self, point: str, value: int) -> None: ...
        def switch(self, role: str, channel: int, on: int) -> None: ...


class Held:
    """What the device that has the output `point` shall do."""

    def __init__(self, pollers: "Sequence[Poller]", point: str) -> None:
        self._pollers = pollers
        self._point = point

    def value(self, x: int = 0) -> None:
        """1: on."""
        for poller in self._pollers:
            poller.hold(self._point, x)


class Relay:
    """Relay `channel`, from 0, of the relay module."""

    def __init__(self, pollers: "Sequence[Poller]", channel: int) -> None:
        self._pollers = pollers
        self._channel = channel

    def value(self, x: int = 0) -> None:
        """1: energised."""
        for poller in self._pollers:
            poller.switch("io", self._channel, x)


def rows(
    wires: "list[tuple[int, int, int]]", pollers: "Sequence[Any]"
) -> "list[tuple[int, Held | Relay, int]]":
    """Rows of `pins.Outputs`; `wires`: (number, channel or -1 where a device switches, level for open)."""
    out: "list[tuple[int, Held | Relay, int]]" = []
    for number, channel, level in wires:
        if channel < 0:
            out.append((number, Held(pollers, "output." + points.OUTPUTS[number]), level))
        else:
            out.append((number, Relay(pollers, channel), level))
    return out
