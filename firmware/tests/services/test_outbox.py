"""The outbox: numbered, kept until the hub has it, sent in order, and what is missing is said."""

import json

from greenmast_fw.core.snapshot import Image
from greenmast_fw.services import log_read, outbox, rings
from greenmast_fw.services.telemetry import Telemetry
from greenmast_fw.storage import sectors
from greenmast_protocol import instances, points, quality, tele

BUS = points.index("dc.bus_mv")
SOC = points.index("battery.soc_permille")
SOLAR = points.index("solar.power_w")
EVENT = (6, 3, 1, 25, -70_000, 1 << 38)


class Chip:
    """NOR flash; `dead`: it takes nothing any more."""

    def __init__(self, count=8, size=1024):
        self.size, self.count = size, count
        self.data = bytearray(b"\xff" * size * count)
        self.dead = False

    def readblocks(self, block, buf, offset=0):
        at = block * self.size + offset
        buf[:] = self.data[at : at + len(buf)]

    def writeblocks(self, block, buf, offset=0):
        if self.dead:
            raise OSError(5)
        at = block * self.size + offset
        for i in range(len(buf)):
            self.data[at + i] &= buf[i]

    def ioctl(self, request, argument):
        if request == 6:
            self.data[argument * self.size : (argument + 1) * self.size] = b"\xff" * self.size
        return {4: self.count, 5: self.size}.get(request, 0)


class Wall:
    trusted = True

    def now_s(self):
        return 1_764_000_000


class Site:
    """A board's rings, and the outbox of its present boot. `sent`: what it has said, parsed."""

    def __init__(self, count=8, devices=None):
        self.chips = Chip(count), Chip(count)
        self.image = Image(instances.Instances(devices or {}))
        self.values = [None] * self.image.count
        self.codes = bytearray([quality.STALE] * self.image.count)
        self.put(BUS, 51_234)
        self.start(1)

    def put(self, i, value):
        self.values[i] = value
        self.codes[i] = quality.GOOD

    def start(self, boot):
        reports = sectors.mount(self.chips[0], 8 + 7 * self.image.count)
        events = sectors.mount(self.chips[1], 60)
        layout = rings.layout(self.image)
        self.box = outbox.Outbox(boot, reports, events, self.image, layout, Wall())
        self.sent = []

    def report(self, full=False, news=(BUS,)):
        self.box.add_report(full, list(news), self.values, self.codes)

    def send(self):
        """Send as much as may be sent now; [(boot, first number, number of records, lost)]."""
        out = []
        while True:
            log = self.box._turn()
            if log < 0:
                return out
            body = self.box._log() if log else b"".join(self.box._report())
            if not log:
                tele.parse(body)
            document = json.loads(body)
            self.sent.append(document)
            records = document.get("records", [document])
            out.append((document["boot"], records[0]["seq"], len(records), document.get("lost", 0)))


def late(box, ms):
    """`ms` pass without an acknowledgement."""
    box._progress_ms = (box._progress_ms - ms) % (1 << 30)


def test_reports_and_events_share_one_sequence_and_go_out_in_its_order():
    site = Site()
    site.report(full=True)
    site.box.add_events([EVENT, EVENT])
    site.report()
    site.box.add_events([EVENT])
    assert site.send() == [(1, 1, 1, 0), (1, 2, 2, 0), (1, 4, 1, 0), (1, 5, 1, 0)]
    assert site.sent[0]["full"]
    assert site.sent[0]["v"] == {"dc.bus_mv": 51_234}
    assert [record["n"] for record in site.sent[1]["records"]] == [1, 2]
    assert site.sent[1]["records"][0]["event"] == list(EVENT)
    assert site.send() == []


def test_every_value_and_quality_comes_back_as_it_was():
    site = Site(devices={"battery": 2})
    several = range(site.image.count)
    for i in several:
        low, high = points.POINTS[site.image.kind(i)][1:3]
        site.put(i, low if i % 2 else high)
    site.codes[SOC], site.values[SOC] = quality.STALE, None
    site.codes[SOLAR], site.values[SOLAR] = quality.NOT_A_NUMBER, None
    site.report(True, several)
    site.send()
    v_and_q = tele.members(several, site.values, site.codes, site.image.name)
    assert site.sent == [json.loads(b"".join(tele.build(1, 1, Wall().now_s(), True, True, v_and_q)))]


def test_points_of_devices_that_the_site_no_longer_has_are_not_taken_for_others():
    site = Site(devices={"battery": 2})
    site.put(points.COUNT, 50_000)
    site.report(True, [BUS, points.COUNT])
    site.image = Image(instances.Instances({"solar": 2}))
    site.start(2)
    site.send()
    assert site.sent[0]["v"] == {"dc.bus_mv": 51_234}


def test_only_what_the_hub_has_is_forgotten_and_the_rest_is_sent_again():
    site = Site()
    for _ in range(6):
        site.report()
    assert len(site.send()) == 6
    site.box.acknowledge(1, 4)
    assert site.send() == []
    late(site.box, 16_000)
    assert site.send() == [(1, 5, 1, 0), (1, 6, 1, 0)]
    site.box.acknowledge(1, 6)
    late(site.box, 400_000)
    assert site.send() == []


def test_a_hub_that_is_away_is_asked_less_often_and_less_at_a_time():
    site = Site()
    for _ in range(50):
        site.report()
    assert len(site.send()) == 32
    for wait_ms in (15_000, 30_000, 60_000, 120_000, 240_000, 300_000, 300_000):
        late(site.box, wait_ms - 1_000)
        assert site.send() == []
        late(site.box, 2_000)
        assert [one[1] for one in site.send()] == [1, 2, 3, 4]
    site.box.acknowledge(1, 4)
    assert len(site.send()) == 32


def test_records_of_earlier_boots_are_sent_first_with_their_own_numbers():
    site = Site()
    for _ in range(3):
        site.report()
    site.start(2)
    site.report()
    site.box.add_events([EVENT])
    assert site.send() == [(1, 1, 1, 0), (1, 2, 1, 0), (1, 3, 1, 0)]
    site.box.acknowledge(2, 1)  # nobody can have had that
    assert site.send() == []
    site.box.acknowledge(1, 3)
    assert site.send() == [(2, 1, 1, 0), (2, 2, 1, 0)]


def test_a_mark_spares_the_hub_what_it_had_before_the_reset():
    site = Site()
    for _ in range(130):
        site.report()
        site.send()
        site.box.acknowledge(1, site.box.seq)
        site.box.mark()
    site.report()
    site.start(2)
    again = site.send()
    assert again[0][1] > 100
    assert again[-1] == (1, 131, 1, 0)
    site.box.acknowledge(1, 131)
    assert site.box.acked == (1, 131)


def test_an_acknowledgement_beyond_what_was_sent_again_skips_the_rest():
    site = Site()
    for _ in range(60):
        site.report()
    site.start(2)
    assert len(site.send()) == 32
    site.box.acknowledge(1, 59)
    assert site.send() == [(1, 60, 1, 0)]


def test_numbers_that_will_never_come_are_said_by_the_record_behind_them():
    site = Site(count=4)
    for _ in range(150):
        site.report()
    told = site.send()
    assert told[0] == (1, site.box.dropped + 1, 1, site.box.dropped)
    assert site.box.dropped > 30
    site.chips[0].dead = True
    site.report()
    assert site.box.failing
    site.chips[0].dead = False
    site.report()
    site.box.acknowledge(1, 150)
    assert site.send() == [(1, 152, 1, 1)]
    assert not site.box.failing


def test_a_boot_that_could_not_be_counted_takes_no_number_twice():
    site = Site()
    site.start(9)
    site.report()
    for boot in (0, 1, 9):
        site.start(boot)
        assert site.box.boot == 10
    site.start(12)
    assert site.box.boot == 12


def test_the_log_is_read_in_batches_from_any_record_on():
    site = Site()
    for boot in (1, 2):
        site.start(boot)
        for _ in range(12):
            site.box.add_events([EVENT])
            site.report()
    seen = []
    params = {}
    while True:
        told = json.loads(b"".join(log_read.answer(site.box.events, 2, params)))
        seen += [(record["boot"], record["seq"]) for record in told["records"]]
        params = {"boot": seen[-1][0], "since": seen[-1][1]}
        if not told["more"]:
            break
    assert seen == [(boot, seq) for boot in (1, 2) for seq in range(1, 25, 2)]
    told = json.loads(b"".join(log_read.answer(site.box.events, 2, {"since": 20})))
    assert [record["seq"] for record in told["records"]] == [21, 23]
    for params in ({"since": -1}, {"since": "1"}, {"boot": True}, {"from": 1}):
        assert isinstance(log_read.answer(site.box.events, 2, params), str)


class Scan:
    def __init__(self, site):
        self.image, self.values, self.codes = site.image, site.values, site.codes
        self.uptime_ms = 0


def test_reports_by_exception():
    site = Site()
    scan = Scan(site)
    told = Telemetry(scan, site.box, 60, 900)

    def news(after_s):
        scan.uptime_ms += after_s * 1000
        told.collect()
        before = len(site.sent)
        site.send()
        site.box.acknowledge(1, site.box.seq)
        return [document["v"] for document in site.sent[before:] if "v" in document]

    assert news(1) == [{"dc.bus_mv": 51_234}], "what nobody ever supplied is not told"
    site.put(BUS, 51_234 + points.dead_band(BUS) - 1)
    assert news(60) == []
    site.put(BUS, 51_234 + points.dead_band(BUS))
    assert news(59) == [], "not before the period is over"
    assert news(1) == [{"dc.bus_mv": 51_234 + points.dead_band(BUS)}]
    assert news(180) == [{}], "silence would mean that nobody knows"
    site.put(SOC, 500)
    site.box.add_events([EVENT])
    assert news(2) == [{"battery.soc_permille": 500}], "an event brings a report soon"
    site.values[SOC], site.codes[SOC] = None, quality.STALE
    assert news(60) == [{"battery.soc_permille": None}]
    assert site.sent[-1]["q"] == {"battery.soc_permille": "stale"}
    full = news(900)[-1]
    assert sorted(full) == ["battery.soc_permille", "dc.bus_mv"]
