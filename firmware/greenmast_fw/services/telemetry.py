"""Telemetry: what has changed, in reports by exception.

Owns what has been told and when. Once a period a report tells the points that have left their dead bands; a
full one comes after boot, every `full_s` and on request. An event is worth a report soon, so that a screen
shows what happened with the values that go with it. When nothing changes an empty report says so, as silence
means that nobody knows. A point that nobody has supplied since boot is not told; that a device fell silent
is.
"""

from greenmast_fw.drivers import clock
from greenmast_protocol import points, quality

TYPE_CHECKING = False
if TYPE_CHECKING:
    from greenmast_fw.services.outbox import Outbox
    from greenmast_fw.services.scan import Scan

_TICK_MS = 500
_AGAIN_S = 10  # at least, between full reports that somebody asks for
_HURRY_S = 2  # at least, between reports for events
_BEAT_S = 180
_NEVER = 255  # quality code of what has not been told
# Counters of the controller itself are not worth a message.
_SILENT = (
    points.index("controller.uptime_s"),
    points.index("controller.heap_free_b"),
    points.index("controller.scan_ms"),
)


class Telemetry:
    """Reads the scan's values, fills the outbox."""

    def __init__(self, scan: "Scan", outbox: "Outbox", period_s: int, full_s: int) -> None:
        self._scan = scan
        self._outbox = outbox
        self._period_s = period_s
        self._full_s = full_s
        count = scan.image.count
        self._told: "list[int | None]" = [None] * count
        self._told_codes = bytearray([_NEVER] * count)
        self._looked_s = 0
        self._full_at_s = 0
        self._full_seq = 0  # the number of the last full report
        self._beat_at_s = 0
        self._events = 0  # how many have happened

    def collect(self) -> None:
        """Store a report if it is time for one and there is something to tell."""
        scan = self._scan
        uptime_s = scan.uptime_ms // 1000
        full = uptime_s >= self._full_at_s
        events = self._outbox.event_count
        wait_s = self._period_s if events == self._events else min(_HURRY_S, self._period_s)
        if not full and uptime_s - self._looked_s < wait_s:
            return
        self._looked_s = uptime_s
        self._events = events
        values, codes = scan.values, scan.codes
        news = [i for i in range(scan.image.count) if self._is_news(i, values[i], codes[i], full)]
        if not news and uptime_s < self._beat_at_s:
            return
        self._beat_at_s = uptime_s + _BEAT_S
        if full:
            self._full_at_s = uptime_s + self._full_s
        for i in news:
            self._told[i] = values[i]
            self._told_codes[i] = codes[i]
        self._outbox.add_report(full, news, values, codes)
        if full:
            self._full_seq = self._outbox.seq

    def tell_all(self) -> "dict[str, object]":
        """Store a full report now, unless there was one in the last seconds.

        {"boot", "seq": its number, or 0 before the first scan, "acked": [boot, number] of the last record
        that was acknowledged; what came before it is not kept here}.
        """
        if self._scan.scans and self._scan.uptime_ms // 1000 >= self._full_at_s - self._full_s + _AGAIN_S:
            self._full_at_s = 0
            self.collect()
        outbox = self._outbox
        return {"boot": outbox.boot, "seq": self._full_seq, "acked": list(outbox.acked)}

    async def run(self) -> None:
        """Collect for ever."""
        while not self._scan.scans:
            await clock.sleep_ms(_TICK_MS)
        while True:
            await self._outbox.make_room()
            self.collect()
            self._outbox.mark()
            await clock.sleep_ms(_TICK_MS)

    def _is_news(self, i: int, value: "int | None", code: int, full: bool) -> bool:
        told_code = self._told_codes[i]
        if told_code == _NEVER:
            return code != quality.STALE
        if full or (code == quality.GOOD) != (told_code == quality.GOOD):
            return True
        told = self._told[i]
        if code != quality.GOOD or i in _SILENT or value == told:
            return False
        if value is None or told is None:
            return True
        band = points.dead_band(self._scan.image.kind(i))
        return value - told >= band or told - value >= band
