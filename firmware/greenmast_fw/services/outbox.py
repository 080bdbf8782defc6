"""Store and forward: records of this boot and earlier ones, kept on flash until the hub says they are safe.

Owns the numbering: reports and events share one sequence for each boot. They lie in two rings and are
published in order, oldest first. A broker's acknowledgement is not delivery: what the hub has not
acknowledged is published again, less often and less at a time while there is no progress. The next boot's
records wait until all of the one before are acknowledged, so one mark says what is. Where numbers are
missing, as a ring was full or the flash did not take them, the record behind them says how many will never
come.
"""

from greenmast_fw.drivers import clock
from greenmast_fw.services import compact, overlay
from greenmast_fw.storage.ring import Reader
from greenmast_protocol import tele, topics

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from greenmast_fw.core.decision import Event
    from greenmast_fw.core.snapshot import Image
    from greenmast_fw.drivers.wall import Wall
    from greenmast_fw.mqtt.client import MqttClient
    from greenmast_fw.storage.ring import Ring

_KIND = 1
_TICK_MS = 200
_RESEND_MS = 15_000
_RESEND_MAX_MS = 300_000
_WINDOW = 32  # messages on their way
_WINDOW_MIN = 4
_LOG_MAX = 8  # events in a message
_MARK_EACH = 100  # records; fewer marks, more that the hub gets twice after a reset


class Outbox:
    """One for each boot. `layout`: see `compact`.

    `seq`: number of this boot's newest record, `failed`: records that the flash did not take.
    """

    def __init__(
        self, boot: int, reports: "Ring", events: "Ring", image: "Image", layout: int, wall: "Wall"
    ) -> None:
        self.boot = max(boot, reports.newest[0] + 1, events.newest[0] + 1)  # numbers must never come again
        self.reports = reports
        self.events = events
        self.wall = wall
        self.seq = self.failed = 0
        self.uptime_s = 0  # the scan keeps it
        self.event_count = 0
        self.failing = False  # the flash did not take the last record
        self._thinned_for = -1
        self._image = image
        self._layout = layout
        self._of_reports = Reader(reports)
        self._of_events = Reader(events)
        self.acked = (0, 0)
        self._sending = 0  # the boot whose records are being sent
        self._sent = 0  # number of the last one sent
        self._window = _WINDOW
        self._on_way = 0
        self._wait_ms = _RESEND_MS
        self._progress_ms = clock.ticks_ms()
        self._free_up(max(reports.acked, events.acked))
        self._rewind()

    @property
    def dropped(self) -> int:
        """Records of which the hub will never hear, since boot."""
        return self.reports.dropped + self.events.dropped + self.failed

    def add_report(self, full: bool, news: "list[int]", values: "list[int | None]", codes: bytearray) -> None:
        """Store a report of the points `news`."""
        stamp_s = self.wall.now_s()
        length = compact.put_report(self.reports.payload, stamp_s, self._layout, news, values, codes)
        self._append(self.reports, compact.FULL if full else 0, length)

    def add_events(self, events: "list[Event]") -> None:
        """Store what the core has told."""
        for event in events:
            self.event_count += 1
            stamp_s = self.wall.now_s()
            length = compact.put_event(self.events.payload, stamp_s, self.uptime_s, self.event_count, event)
            self._append(self.events, 0, length)

    async def make_room(self) -> None:
        """Thin old reports when the ring runs full, a little at a time."""
        ring = self.reports
        if ring.room() < 2 and ring.here != self._thinned_for:
            self._thinned_for = ring.here  # once a sector, whether it helps or not
            for _ in overlay.run(_thinning, ring):
                await clock.sleep_ms(0)

    def mark(self) -> None:
        """Let the next boot know what is acknowledged, when it is worth a write."""
        marked = self.reports.marked
        if self.acked[0] != marked[0] or self.acked[1] - marked[1] >= _MARK_EACH:
            self.reports.mark()

    def acknowledge(self, boot: int, seq: int) -> None:
        """The hub has everything of `boot` up to `seq`. Only the boot that is being sent can be meant."""
        if boot != self._sending or (boot == self.boot and seq > self.seq) or (boot, seq) <= self.acked:
            return
        self._free_up((boot, seq))
        if seq > self._sent:  # known to the hub from before a reset
            self._rewind()
        self.on_contact()

    def on_contact(self) -> None:
        """There is progress, or hope: send at full pace."""
        self._window = _WINDOW
        self._on_way = 0
        self._wait_ms = _RESEND_MS
        self._progress_ms = clock.ticks_ms()

    async def run(self, client: "MqttClient", base: str) -> None:
        """Publish what the hub has not acknowledged, for ever. `base`: the site's topic with a slash."""
        while True:
            log = self._turn()
            if log < 0:
                await clock.sleep_ms(_TICK_MS)
            elif log:
                await client.publish(base + topics.LOG, self._log())
            else:
                await client.publish(base + topics.TELE, self._report())

    # ---- inside -------------------------------------------------------------------------------------

    def _append(self, ring: "Ring", flags: int, length: int) -> None:
        self.seq += 1
        self.failing = False
        if self.wall.trusted:
            flags |= compact.TRUSTED
        if ring.append(_KIND, flags, self.boot, self.seq, length):
            return
        try:
            overlay.run(_insist, ring, _KIND, flags, self.boot, self.seq, length)
        except OSError:
            self.failed += 1
            self.failing = True

    def _free_up(self, acked: "tuple[int, int]") -> None:
        self.acked = acked
        self.reports.acknowledge(acked[0], acked[1])
        self.events.acknowledge(acked[0], acked[1])

    def _rewind(self) -> None:
        """Begin behind what is acknowledged."""
        boot, seq = self.acked
        self._of_reports.seek(boot, seq)
        self._of_events.seek(boot, seq)
        self._sending, self._sent = boot, seq
        self._on_way = 0

    def _turn(self) -> int:
        """What to send next: 1 events, 0 a report, -1 nothing now."""
        if (self._sending, self._sent) <= self.acked:
            self._progress_ms = clock.ticks_ms()
        elif clock.diff(clock.ticks_ms(), self._progress_ms) > self._wait_ms:
            self._progress_ms = clock.ticks_ms()
            self._wait_ms = min(2 * self._wait_ms, _RESEND_MAX_MS)
            self._window = _WINDOW_MIN
            self._rewind()
        if self._on_way >= self._window:
            return -1
        log = self._first()
        if log < 0:
            return -1
        boot = (self._of_events if log else self._of_reports).boot
        if boot != self._sending:
            if (self._sending, self._sent) > self.acked:
                return -1
            self._sending, self._sent = boot, 0
        return log

    def _first(self) -> int:
        """Which ring has the older next record: 1 events, 0 reports; -1 none."""
        one, other = self._of_reports, self._of_events
        has_one, has_other = one.find(), other.find()
        if has_one and has_other:
            return 1 if (other.boot, other.seq) < (one.boot, one.seq) else 0
        return 0 if has_one else 1 if has_other else -1

    def _report(self) -> "list[bytes | bytearray]":
        ring = self.reports
        self._of_reports.take()
        lost = ring.seq - self._sent - 1
        self._sent = ring.seq
        self._on_way += 1
        return compact.report(ring, self._image, self._layout, lost)

    def _log(self) -> bytes:
        """Events whose numbers follow each other, in one message."""
        ring, reader = self.events, self._of_events
        out = '{"boot":%d,%s"records":[' % (reader.boot, tele.lost_member(reader.seq - self._sent - 1))
        for k in range(_LOG_MAX):
            reader.take()
            out += ("," if k else "") + compact.event(ring)
            self._sent = ring.seq
            if self._first() != 1 or (reader.boot, reader.seq) != (self._sending, self._sent + 1):
                break
        self._on_way += 1
        return (out + "]}").encode()


def _insist(*args: "Any") -> None:
    from greenmast_fw.storage import sectors

    sectors.insist(*args)


def _thinning(ring: "Ring") -> "Iterator[int]":
    from greenmast_fw.storage import thin

    return thin.steps(ring)
