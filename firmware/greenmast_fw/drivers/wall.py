"""Wall time: seconds since 1970, local minutes, and whether to believe them. For stamps and schedules only.

Runs on ticks, so nothing that happens to a real-time clock moves it; only `set` does. Knows no server.
"""

import time

from greenmast_fw.drivers import clock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Rtc(Protocol):
        def datetime(self, value: "tuple[int, ...]") -> object: ...


_EPOCH_S = 946_684_800  # 2000-01-01, the epoch here: small integers for long
_PORT_EPOCH_S = 0 if time.gmtime(0)[0] == 2000 else _EPOCH_S


class Wall:
    """`trusted` stays false until somebody who knows the time has set it.

    `zone`: minutes that local time is ahead of UTC, then (minute since 2000 UTC, minutes ahead from it on) in
    rising order. `rtc`: set along, as TLS judges certificates by it. The other attributes are the notes of
    `services.time_round`.
    """

    def __init__(self, zone: "list[int]", rtc: "Rtc") -> None:
        self.trusted = False
        self.floor_s = 0  # no server is believed below it
        self.agreed = 0  # answers in a row that were what was expected
        self.strange = 0  # answers in a row that were not, and agree with each other
        self.strange_s = 0  # by how much they differ from this clock
        self.failures = 0  # rounds in a row without an answer
        self._zone = zone
        self._rtc = rtc
        self._s = int(time.time()) - _PORT_EPOCH_S
        self._ms = 0
        self._ticks = clock.ticks_ms()

    def seconds(self) -> int:
        """Seconds since 2000-01-01 UTC. Wants to be asked every few days, as ticks wrap."""
        now = clock.ticks_ms()
        ms = self._ms + clock.diff(now, self._ticks)
        self._ticks = now
        self._s += ms // 1000
        self._ms = ms % 1000
        return self._s

    def now_s(self) -> int:
        """Seconds since 1970-01-01 UTC."""
        return self.seconds() + _EPOCH_S

    def set(self, seconds: int) -> None:
        """It is now `seconds` since 2000-01-01 UTC."""
        self._s = seconds
        self._ms = 0
        self._ticks = clock.ticks_ms()
        year, month, day, hour, minute, second, weekday = time.gmtime(seconds + _PORT_EPOCH_S)[:7]
        self._rtc.datetime((year, month, day, weekday, hour, minute, second, 0))

    def minute(self) -> "int | None":
        """Local time as `Snapshot` has it: minutes since 2000-01-01 00:00; None when not trusted."""
        minute = self.seconds() // 60
        zone = self._zone
        i = len(zone) - 1
        while i > 1 and zone[i - 1] > minute:
            i -= 2
        return minute + zone[i] if self.trusted else None
