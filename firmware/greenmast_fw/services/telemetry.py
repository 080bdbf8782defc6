"""Telemetry: what has changed, numbered, kept until the hub says that it is safe.

Owns the sequence numbers of this boot and the outbox. A report is by exception: the points that left their
dead band, at most once a period; a full one comes after boot and every `full_s`. When nothing changes an
empty one says so, as silence means that nobody knows. A broker's acknowledgement is not delivery: a report
stays here until the hub's `ack`, and is published again when that does not come. When the outbox is full the
oldest report goes, and its missing number tells.
"""

from greenmast_fw.drivers import clock
from greenmast_protocol import points, quality, tele

TYPE_CHECKING = False
if TYPE_CHECKING:
    from greenmast_fw.drivers.wall import Wall
    from greenmast_fw.mqtt.client import MqttClient
    from greenmast_fw.services.scan import Scan

OUTBOX_MAX_BYTES = 5_000
_RESEND_MS = 15_000
_TICK_MS = 200
_BEAT_S = 30
# Words change at once; counters of the controller itself are not worth a message.
_SILENT = (
    points.index("controller.uptime_s"),
    points.index("controller.heap_free_b"),
    points.index("controller.scan_ms"),
)


class Telemetry:
    """`dropped` counts reports that the outbox had no room for."""

    def __init__(self, scan: "Scan", wall: "Wall", period_s: int, full_s: int) -> None:
        self.scan = scan
        self._wall = wall
        self._period_s = period_s
        self._full_s = full_s
        self._told: "list[int | None]" = [None] * scan.image.count
        self._told_codes = bytearray(scan.image.count)
        self._full_at_s = 0
        self._beat_at_s = 0
        self._outbox: "list[tuple[int, bytes]]" = []
        self._bytes = 0
        self._sent = 0  # highest number given to the client
        self._progress_ms = clock.ticks_ms()
        self.seq = 0
        self.acked = 0
        self.dropped = 0

    def collect(self) -> None:
        """Put a report into the outbox if there is something to tell."""
        scan = self.scan
        values, codes = scan.values, scan.codes
        uptime_s = scan.uptime_ms // 1000
        full = self.seq == 0 or uptime_s >= self._full_at_s
        news = [i for i in range(scan.image.count) if full or self._is_news(i, values[i], codes[i])]
        if not news and uptime_s < self._beat_at_s:
            return
        self._beat_at_s = uptime_s + _BEAT_S
        if full:
            self._full_at_s = uptime_s + self._full_s
        for i in news:
            self._told[i] = values[i]
            self._told_codes[i] = codes[i]
        self.seq += 1
        wall = self._wall
        members = tele.members(news, values, codes, scan.image.name)
        body = tele.build(self.scan.boot, self.seq, wall.now_s(), wall.trusted, full, members)
        self._outbox.append((self.seq, body))
        self._bytes += len(body)
        while self._bytes > OUTBOX_MAX_BYTES and len(self._outbox) > 1:
            self._bytes -= len(self._outbox.pop(0)[1])
            self.dropped += 1

    def acknowledge(self, boot: int, seq: int) -> None:
        """The hub has everything of `boot` up to `seq`. An acknowledgement of another boot is not ours."""
        if boot != self.scan.boot or seq > self.seq:
            return
        while self._outbox and self._outbox[0][0] <= seq:
            self._bytes -= len(self._outbox.pop(0)[1])
        if seq > self.acked:
            self.acked = seq
            self._progress_ms = clock.ticks_ms()

    async def run_collect(self) -> None:
        """Collect once a period, for ever."""
        while not self.scan.scans:
            await clock.sleep_ms(_TICK_MS)
        while True:
            self.collect()
            await clock.sleep_ms(self._period_s * 1000)

    async def run_send(self, client: "MqttClient", topic: str) -> None:
        """Publish what is in the outbox, for ever."""
        while True:
            entry = self._next()
            if entry is None:
                await clock.sleep_ms(_TICK_MS)
                continue
            await client.publish(topic, entry[1])
            self._sent = entry[0]

    def _next(self) -> "tuple[int, bytes] | None":
        """The oldest report not sent yet; all again when the hub has made no progress for a while."""
        if not self._outbox:
            self._progress_ms = clock.ticks_ms()
            return None
        if clock.diff(clock.ticks_ms(), self._progress_ms) > _RESEND_MS:
            self._progress_ms = clock.ticks_ms()
            self._sent = self._outbox[0][0] - 1
        for entry in self._outbox:
            if entry[0] > self._sent:
                return entry
        return None

    def _is_news(self, i: int, value: "int | None", code: int) -> bool:
        if (code == quality.GOOD) != (self._told_codes[i] == quality.GOOD):
            return True
        told = self._told[i]
        if code != quality.GOOD or i in _SILENT or value == told:
            return False
        if value is None or told is None:
            return True
        band = points.dead_band(self.scan.image.kind(i))
        return value - told >= band or told - value >= band
