"""Requests on the board: reads are answered, writes are refused, nothing ends the link."""

from greenmast_fw.services import rpc, words
from greenmast_protocol import labels, message, points, quality, reasons


class FakeBoard:
    def __init__(self):
        self.values = [None] * points.COUNT
        self.codes = bytearray([quality.STALE] * points.COUNT)
        self.broken = None
        self.put("dc.bus_mv", 51234)
        self.put("battery.soc_permille", 823)
        self.put("source.ac", 1)
        self.put("reason.ac", reasons.code("grid_available"))

    def put(self, name, value):
        self.values[points.index(name)] = value
        self.codes[points.index(name)] = quality.GOOD

    def name(self, i):
        return points.name(i)

    def hello(self):
        return {"site": "test", "boot": 7}

    def age_ms(self, i):
        return 1500 if points.name(i).startswith("battery") else -1

    def explain(self):
        return [("genset", "off", reasons.code("no_demand"), (), (), ())]

    def alarms(self):
        return [{"id": 12, "name": "fuel_low", "ts": 0, "trusted": False}]

    def config(self):
        if self.broken:
            raise self.broken
        return [b'{"revision":3}']

    def transactions(self):
        return {"revision": 3, "next": 4}

    def statistics(self):
        return {"scans": 61}

    def command(self, params):
        if params["name"] == "genset.stop":
            return "min_run", "min_run", {}
        return "", "", params["args"]

    def log(self, params):
        return [b'{"records":[],', b'"more":false}'] if not params else "unknown parameter"

    def report(self):
        return {"boot": 7, "seq": 12, "acked": [7, 9]}

    def bus(self, params):
        if params["unit"] > 247:
            return "unit must be an integer in 1 .. 247"

        async def reading():
            return {"verdict": "ok", "data": "0102"}

        return reading()

    def configure(self, method, params, by_hand):
        async def step():
            if params.get("revision") != 3:
                return "revision_conflict", "it is 3", {"revision": 3}
            return "", "", {"revision": 3, "did": method}

        return step()


def run(coroutine):
    """The result of a coroutine that waits for nothing."""
    try:
        coroutine.send(None)
    except StopIteration as stopped:
        return stopped.value
    raise AssertionError("it waits")


def ask(method, params=None, board=None, framed=True, session=None):
    served = rpc.Rpc(board or FakeBoard())
    answer = run(served.handle(message.request(5, method, params), framed, session))
    m = message.parse(b"".join(answer))
    assert m.id == 5, answer
    return m


def code_of(method, params=None, **more):
    m = ask(method, params, **more)
    assert m.kind == message.ERROR, m.result
    assert m.text
    return m.code


def test_hello_names_the_board_and_its_table():
    m = ask("hello")
    assert (m.result["product"], m.result["site"], m.result["boot"]) == ("greenmast", "test", 7)
    assert m.result["table"] == labels.TABLE_HASH


def test_hello_gives_statistics_when_asked_for():
    assert "statistics" not in ask("hello").result
    assert ask("hello", {"statistics": True}).result["statistics"] == {"scans": 61}
    assert code_of("hello", {"statistics": 1}) == "invalid_value"


def test_a_full_report_is_made_for_whoever_asks():
    assert ask("tele.full").result == {"boot": 7, "seq": 12, "acked": [7, 9]}
    assert code_of("tele.full", {"points": ["dc.bus_mv"]}) == "invalid_value"


def test_get_without_names_gives_every_point_and_the_quality_of_those_without_value():
    result = ask("get").result
    assert len(result["v"]) == points.COUNT
    assert result["v"]["dc.bus_mv"] == 51234
    assert result["v"]["grid.voltage_mv"] is None
    assert result["q"]["grid.voltage_mv"] == "stale"
    assert "dc.bus_mv" not in result["q"]
    assert "age_ms" not in result


def test_get_gives_the_named_points_only():
    result = ask("get", {"points": ["dc.bus_mv", "grid.voltage_mv"]}).result
    assert result == {"v": {"dc.bus_mv": 51234, "grid.voltage_mv": None}, "q": {"grid.voltage_mv": "stale"}}


def test_get_takes_patterns_and_names_a_point_once():
    result = ask("get", {"points": ["battery.*", "battery.soc_permille", "battery.s*"]}).result
    assert "battery.soc_permille" in result["v"]
    assert "dc.bus_mv" not in result["v"]
    assert len(result["v"]) == len([n for n in points.NAMES if n.startswith("battery.")])


def test_get_gives_ages_when_asked_for():
    result = ask("get", {"points": ["battery.soc_permille"], "ages": True}).result
    assert result["age_ms"] == {"battery.soc_permille": 1500}
    assert ask("get", {"points": ["dc.bus_mv"], "ages": True}).result["age_ms"] == {}
    assert len(ask("get", {"ages": True}).result["age_ms"]) > 5


def test_a_long_answer_needs_no_long_piece_of_memory():
    served = rpc.Rpc(FakeBoard())
    answer = run(served.handle(message.request(5, "get", {"ages": True}), True))
    assert sum([len(piece) for piece in answer]) > 4000
    assert max([len(piece) for piece in answer]) < 512


def test_get_refuses_what_it_does_not_know():
    for params in (
        {"points": ["no.such_point"]},
        {"points": ["no.*"]},
        {"points": []},
        {"points": "dc.bus_mv"},
        {"points": [1]},
        {"points": None, "ages": 1},
        {"point": ["dc.bus_mv"]},
    ):
        assert code_of("get", params) == "invalid_value", params


def test_explain_alarms_and_config_are_answered():
    assert ask("explain").result["rows"][0][:2] == ["genset", "off"]
    assert ask("alarms").result["alarms"][0]["name"] == "fuel_low"
    assert ask("config.get").result == {"revision": 3}
    assert ask("log.read").result == {"records": [], "more": False}
    assert ask("log.read", {"from": 1}).code == "invalid_value"


def test_methods_that_are_not_there_are_unknown():
    assert code_of("fly") == "unknown"
    assert code_of("watch") == "unknown"  # on a link that cannot push


def test_a_command_at_the_console_is_done_or_refused_with_its_reason():
    session = rpc.Session()
    start = {"name": "genset.start", "args": {"for_s": 60}}
    assert ask("command", start, session=session).result == {"applied": {"for_s": 60}}
    assert code_of("command", {"name": "genset.stop", "args": {}}, session=session) == "min_run"
    assert code_of("command", {"name": "genset.stop", "arg": {}}, session=session) == "invalid_value"


def test_a_bus_is_read_for_the_console_only():
    read = {"bus": 0, "unit": 3, "function": 4, "address": 0, "count": 1}
    session = rpc.Session()
    assert ask("bus.read", read, session=session).result == {"verdict": "ok", "data": "0102"}
    read["unit"] = 248
    assert code_of("bus.read", read, session=session) == "invalid_value"
    assert code_of("bus.read", read) == "unknown"


def test_where_transactions_stand_is_told_to_anybody():
    assert ask("config.get", {"status": True}).result == {"revision": 3, "next": 4}
    assert ask("config.get", {"status": False}).result == {"revision": 3}
    assert code_of("config.get", {"status": 1}) == "invalid_value"


def test_steps_of_a_transaction_are_the_consoles_and_a_refusal_says_all_there_is_to_say():
    session = rpc.Session()
    done = ask("config.confirm", {"revision": 3}, session=session)
    assert done.result == {"revision": 3, "did": "config.confirm"}
    refused = ask("config.commit", {"revision": 2}, session=session)
    assert (refused.code, refused.text, refused.data) == ("revision_conflict", "it is 3", {"revision": 3})


def test_nothing_that_writes_is_done_over_another_link():
    for method in message.METHODS:
        if method not in message.READS:
            for framed in (True, False):
                assert (
                    code_of(method, {"name": "genset.start", "args": {"for_s": 60}}, framed=framed)
                    == "not_authorised"
                )


def test_a_failing_method_is_an_error_and_is_counted():
    board = FakeBoard()
    served = rpc.Rpc(board)
    for broken in (ValueError("x"), MemoryError(), KeyError("y"), OSError(5)):
        board.broken = broken
        answer = run(served.handle(message.request(1, "config.get"), True))
        assert message.parse(b"".join(answer)).code == "internal"
    assert served.faults == 4
    board.broken = None
    answer = run(served.handle(message.request(1, "config.get"), True))
    assert message.parse(b"".join(answer)).kind == message.RESULT


def test_malformed_messages_are_answered_as_such():
    m = message.parse(b"".join(run(rpc.Rpc(FakeBoard()).handle(b'{"id":5,"method":[]}', True))))
    assert (m.kind, m.id, m.code) == (message.ERROR, 5, "malformed")
    m = message.parse(b"".join(run(rpc.Rpc(FakeBoard()).handle(b"[1,", True))))
    assert (m.kind, m.id, m.code) == (message.ERROR, None, "malformed")


def test_answers_and_notices_of_others_are_not_answered():
    served = rpc.Rpc(FakeBoard())
    for data in (message.result(1, 2), message.error(1, "busy"), message.notice("get", {})):
        assert run(served.handle(data, True)) == []


def test_a_person_needs_no_id():
    answer = run(rpc.Rpc(FakeBoard()).handle(b'{"method":"config.get"}', False))
    assert b"".join(answer) == b'{"result":{"revision":3}}'


def test_a_watch_is_due_once_per_period_until_it_is_ended():
    session = rpc.Session()
    served = rpc.Rpc(FakeBoard())
    assert not session.due(10000)
    run(
        served.handle(message.request(1, "watch", {"period_ms": 500, "points": ["dc.bus_mv"]}), True, session)
    )
    assert [session.due(100) for _ in range(10)].count(True) == 2
    m = message.parse(b"".join(served.tell(session)))
    assert (m.kind, m.method, m.params) == (message.NOTICE, "tele", {"v": {"dc.bus_mv": 51234}, "q": {}})
    run(served.handle(message.request(2, "watch", {"period_ms": 0}), True, session))
    assert not session.due(10000)


def test_a_watch_of_nonsense_is_refused_and_leaves_the_old_one():
    session = rpc.Session()
    assert ask("watch", {"period_ms": 500}, session=session).kind == message.RESULT
    for params in (
        {"period_ms": 1},
        {"period_ms": True},
        {"period_ms": 10**6},
        {"points": ["no.such"]},
        {"x": 1},
    ):
        assert code_of("watch", params, session=session) == "invalid_value", params
    assert session.period_ms == 500


def test_a_failing_watch_tells_nothing_and_is_counted():
    board = FakeBoard()
    served = rpc.Rpc(board)
    board.values = None
    assert served.tell(rpc.Session()) == []
    assert served.faults == 1


def test_words_for_a_person():
    board = FakeBoard()
    assert words.answer(board, "") == []
    assert words.answer(board, "help") == list(words.HELP)
    assert words.answer(board, "explain") == ["genset off: no demand"]
    assert "site test" in words.answer(board, "status")[0]
    assert "bus        51.23 V" in words.answer(board, "status")
    assert words.answer(board, "get dc.bus_mv grid.voltage_mv") == [
        "grid.voltage_mv              ? stale",
        "dc.bus_mv                    51.23 V ",
    ]
    assert words.answer(board, "get no.such") == ["no point no.such"]
    assert words.answer(board, "reboot") == ["no such word; try help"]
    board.values = None
    assert "failed" in words.answer(board, "get")[0]
