"""What a broker may bring to the board: each bad request, by name, is refused or counted and none applied."""

import asyncio

from greenmast_fw.services import rpc, uplink
from greenmast_protocol import message, points, quality

HERE = b"greenmast/1/india-rural/"
COMMAND = '"method":"command","params":{"name":"genset.start","args":{}}'

# Each is answered with an error; the second word is the code.
REFUSED = {
    "bad UTF-8": (b'{"id":1,"method":"g\xff"}', "malformed"),
    "deep JSON": (b'{"id":1,"method":"get","params":' + b'{"a":' * 40 + b"1" + b"}" * 41, "malformed"),
    "duplicate keys": (b'{"id":1,"method":"hello","method":"command"}', "malformed"),
    "NaN": (b'{"id":1,"method":"get","params":{"points":NaN}}', "malformed"),
    "1e999": (b'{"id":1,"method":"get","params":{"points":1e999}}', "malformed"),
    "2^63": (b'{"id":9223372036854775808,"method":"hello"}', "malformed"),
    "bool for int": (b'{"id":true,"method":"hello"}', "malformed"),
    "extra fields": (b'{"id":1,"method":"hello","more":1}', "malformed"),
    "empty": (b"", "malformed"),
    "cut off": (b'{"id":1,"method":"hel', "malformed"),
    "unknown parameter": (b'{"id":1,"method":"get","params":{"x":1}}', "invalid_value"),
    "unknown method": (b'{"id":1,"method":"open"}', "unknown"),
}
# What a command may carry to prove itself. None is taken over a broker yet, so each is refused alike.
PROOFS = {
    "none": "",
    "counter old": '"auth":{"counter":1,"mac":"00"}',
    "counter equal": '"auth":{"counter":2,"mac":"00"}',
    "counter far ahead": '"auth":{"counter":2147483647,"mac":"00"}',
    "expired": '"auth":{"counter":3,"until":1,"mac":"00"}',
    "from the future": '"auth":{"counter":3,"from":4102444800,"mac":"00"}',
    "MAC truncated": '"auth":{"counter":3,"mac":"0"}',
    "MAC empty": '"auth":{"counter":3,"mac":""}',
    "MAC one bit off": '"auth":{"counter":3,"mac":"01"}',
}


class Board:
    """Counts what it is told to do."""

    def __init__(self):
        self.values = [None] * points.COUNT
        self.codes = bytearray([quality.STALE] * points.COUNT)
        self.commands = 0

    def hello(self):
        return {"site": "india-rural"}

    def alarms(self):
        return []

    def command(self, params):
        self.commands += 1
        return "", "", {}


class Controller:
    def report_alarm(self, i, so):
        self.reported = so


class Scan:
    boot = 3
    alarms = ()
    controller = Controller()


class Outbox:
    def __init__(self):
        self.acknowledged = []

    def acknowledge(self, boot, seq):
        self.acknowledged.append((boot, seq))


class Client:
    connected = True
    is_refused = False

    def __init__(self):
        self.said = []

    async def publish(self, topic, payload, retain=False):
        self.said.append((topic, b"".join(payload) if isinstance(payload, list) else payload))


class Link:
    """An uplink whose client goes nowhere."""

    def __init__(self):
        self.board = Board()
        self.outbox = Outbox()
        self.uplink = uplink.Uplink(
            {"host": "x", "port": 1}, "india-rural", rpc.Rpc(self.board), Scan(), self.outbox
        )
        self.uplink.client = self.client = Client()

    def bring(self, payload, kind=b"req/cli-1", retained=False, dup=False, base=HERE):
        self.uplink._on_message(base + kind, memoryview(payload), retained, dup)

    def answers(self, for_ms=60):
        """What was answered meanwhile, as messages."""

        async def serve():
            self.uplink._wake = asyncio.Event()  # CPython's belong to one run
            self.uplink._wake.set()
            task = asyncio.create_task(self.uplink.run())
            await asyncio.sleep_ms(for_ms)
            task.cancel()
            try:
                await task
            except asyncio.CancelledError:
                pass

        asyncio.run(serve())
        said = [message.parse(body) for topic, body in self.client.said if "/rsp/cli-1" in topic]
        self.client.said = []
        return said


def test_each_bad_request_is_answered_with_its_error_and_the_next_good_one_is_served():
    link = Link()
    for name, (payload, code) in REFUSED.items():
        link.bring(payload)
        answers = link.answers(20)
        assert [answer.code for answer in answers] == [code], name
    link.bring(b'{"id":2,"method":"hello"}')
    assert link.answers()[0].result["site"] == "india-rural"


def test_no_command_is_carried_out_whatever_it_proves_itself_with():
    link = Link()
    for name, proof in PROOFS.items():
        for dup in (False, True):
            text = '{"id":4,%s%s}' % (COMMAND, "," + proof if proof else "")
            link.bring(text.encode(), dup=dup)
            assert [answer.code for answer in link.answers(20)] == ["not_authorised"], name
    assert link.board.commands == 0


def test_retained_copies_and_other_sites_requests_are_dropped_and_counted():
    link = Link()
    link.bring(b'{"id":2,"method":"hello"}', retained=True)
    link.bring(b'{"id":2,"method":"hello"}', base=b"greenmast/1/india-urban/")
    link.bring(b'{"id":2,"method":"hello"}', kind=b"rep/cli-1")
    assert link.uplink.refused == 3
    assert link.answers() == []


def test_a_notice_wants_no_answer():
    link = Link()
    link.bring(b'{"method":"hello"}')
    assert link.answers() == []


def test_a_thousand_commands_at_once_are_dropped_but_for_a_few_which_are_answered_slowly():
    link = Link()
    for number in range(1000):
        link.bring(b'{"id":%d,"method":"hello"}' % number)
    assert link.uplink.refused == 1000 - 8
    assert 1 <= len(link.answers(350)) <= 4


def test_an_acknowledgement_that_makes_no_sense_is_counted_and_frees_nothing():
    link = Link()
    for bad in (
        b"",
        b"7",
        b"[]",
        b'{"boot":3}',
        b'{"boot":true,"seq":1}',
        b'{"boot":3,"seq":"1"}',
        b"\xff",
        b"NaN",
    ):
        link.bring(bad, kind=b"ack")
    assert link.uplink.refused == 8
    assert link.outbox.acknowledged == []
    link.bring(b'{"boot":3,"seq":1}', kind=b"ack")
    assert link.outbox.acknowledged == [(3, 1)]


def test_a_refused_certificate_is_reported_to_the_controller():
    link = Link()
    link.client.is_refused = True
    link.answers(1100)
    assert Scan.controller.reported is True
