"""The console on a scripted stream: frames framed, people in plain, log lines whole, nothing ends it."""

import asyncio

from greenmast_fw.services import console, rpc
from greenmast_protocol import frame, message, points


class FakeBoard:
    def __init__(self):
        self.values = [51234] * points.COUNT
        self.codes = bytearray(points.COUNT)

    def name(self, i):
        return points.name(i)

    def hello(self):
        return {"site": "x" * 1000}


class Script:
    """Reader, writer and time: gives the pieces one by one; a sleep is one turn of the loop."""

    def __init__(self, pieces):
        self.pieces = list(pieces)
        self.written = b""
        self.largest = 0
        self.fail_writes = 0

    async def read(self, n):
        await asyncio.sleep(0)
        if not self.pieces:
            return b""
        piece = self.pieces.pop(0)
        if isinstance(piece, Exception):
            raise piece
        if len(piece) > n:
            self.pieces.insert(0, piece[n:])
        return piece[:n]

    def write(self, data):
        if self.fail_writes:
            self.fail_writes -= 1
            raise OSError(5)
        self.largest = max(self.largest, len(data))
        self.written += data

    async def drain(self):
        await asyncio.sleep(0)

    async def sleep_ms(self, ms):
        await asyncio.sleep(0)

    def lines(self):
        return frame.FrameDecoder(10000).feed(self.written)


def serve(pieces, turns=2000, log=(), fail_writes=0):
    script = Script(pieces)
    script.fail_writes = fail_writes

    async def main():
        served = console.Console(rpc.Rpc(FakeBoard()), script, script, script.sleep_ms)
        for line in log:
            served.log(line)
        task = asyncio.create_task(served.run())
        for _ in range(turns):
            await asyncio.sleep(0)
        assert not task.done()
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            pass
        return served

    return script, asyncio.run(main())


def request(id_, method="hello", params=None):
    return frame.encode(message.request(id_, method, params))


def test_a_framed_request_is_answered_in_a_frame():
    script, _ = serve([request(3)])
    (event,) = script.lines()
    assert event[0] == frame.FRAME
    assert message.parse(event[1]).id == 3


def test_requests_split_anywhere_are_answered():
    line = request(3)
    script, _ = serve([line[i : i + 1] for i in range(len(line))])
    assert [kind for kind, _ in script.lines()] == [frame.FRAME]


def test_a_persons_json_is_answered_in_plain():
    script, _ = serve([b'{"method":"hello"}\r'])
    assert [kind for kind, _ in script.lines()] == [frame.PLAIN]


def test_a_persons_word_is_answered_in_text():
    script, _ = serve([b"get dc.bus_mv\r\n"])
    assert script.lines() == [(frame.TEXT, b"dc.bus_mv                    51.23 V ")]


def test_a_person_cannot_start_a_watch_and_flood_the_screen():
    script, _ = serve([b'{"method":"watch","params":{"period_ms":200}}\n'])
    (event,) = script.lines()
    assert b"unknown" in event[1]


def test_long_answers_go_out_in_small_pieces():
    script, _ = serve([request(3)])
    assert len(script.written) > 1000
    assert script.largest <= console.CHUNK


def test_a_watch_is_told_until_it_is_ended():
    script, _ = serve([request(1, "watch", {"period_ms": 200})])
    told = [message.parse(body).method for _, body in script.lines()[1:]]
    assert len(told) > 3
    assert set(told) == {"tele"}
    script, _ = serve([request(1, "watch", {"period_ms": 200}), request(2, "watch", {"period_ms": 0})])
    assert message.parse(script.lines()[-1][1]).id == 2


def test_log_lines_never_look_like_messages():
    script, _ = serve([], log=['{"id":1} oops', "two\nlines", "x" * 500, "°"])
    lines = script.lines()
    assert [kind for kind, _ in lines] == [frame.TEXT] * 4
    assert lines[0][1] == b' {"id":1} oops'
    assert lines[1][1] == b"two lines"
    assert len(lines[2][1]) == console.LOG_LENGTH_MAX


def test_log_lines_beyond_the_queue_are_counted():
    _, served = serve([], log=["x"] * 20)
    assert served.lines_lost == 20 - console.LOG_LINES_MAX


def test_noise_and_errors_do_not_end_the_console():
    noise = [b"\xff\x00\x80" * 80, b"\n", OSError(5), b"{" * 240, b"{" * 240, b"}\n", b'{"id":1} 00000000#\n']
    script, served = serve(noise + [b"\n" + request(9)])
    (event,) = script.lines()
    assert message.parse(event[1]).id == 9
    assert (served.decoder.overlong, served.decoder.broken, served.decoder.bad_crc) == (1, 1, 1)


def test_a_stream_that_refuses_writes_costs_only_those():
    script, _ = serve([request(1), request(2)], fail_writes=1)
    assert [message.parse(body).id for _, body in script.lines()] == [2]


def test_answers_and_log_lines_never_mix():
    script, _ = serve([request(i) for i in range(5)], log=["log line %d" % i for i in range(10)])
    kinds = [kind for kind, _ in script.lines()]
    assert kinds.count(frame.FRAME) == 5
    assert kinds.count(frame.TEXT) == 10
