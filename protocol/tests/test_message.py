"""Messages: builders and parser agree; what is malformed says so."""

from greenmast_protocol import commands, message, reasons, strict_json


def _raises(call, *args):
    try:
        call(*args)
    except ValueError:
        return True
    return False


def test_a_request_survives_the_wire():
    m = message.parse(message.request(7, "get", {"points": ["dc.bus_mv"]}))
    assert (m.kind, m.id, m.method, m.params) == (message.REQUEST, 7, "get", {"points": ["dc.bus_mv"]})


def test_a_request_without_parameters_leaves_them_out():
    assert b"params" not in message.request(1, "hello")


def test_a_result_survives_the_wire():
    m = message.parse(message.result(3, {"v": {"dc.bus_mv": -1, "grid.voltage_mv": None}}))
    assert (m.kind, m.id, m.result) == (message.RESULT, 3, {"v": {"dc.bus_mv": -1, "grid.voltage_mv": None}})


def test_a_result_for_a_person_has_no_id():
    assert message.result(None, 1) == b'{"result":1}'


def test_an_error_survives_the_wire_with_its_data():
    m = message.parse(message.error(3, "fuel_low", "fuel is low", {"limit": 100}))
    assert (m.kind, m.id, m.code, m.text, m.data) == (
        message.ERROR,
        3,
        "fuel_low",
        "fuel is low",
        {"limit": 100},
    )


def test_an_error_without_text_says_its_code():
    assert message.parse(message.error(3, "replayed")).text == "replayed"


def test_a_notice_survives_the_wire():
    m = message.parse(message.notice("tele", {"v": {}}))
    assert (m.kind, m.id, m.method, m.params) == (message.NOTICE, None, "tele", {"v": {}})


def test_text_beyond_ascii_survives_the_wire():
    m = message.parse(message.result(1, "21 °C × 3 €, 東京, 𝄞"))
    assert m.result == "21 °C × 3 €, 東京, 𝄞"


def test_a_problem_names_the_id_when_it_was_readable():
    m = message.parse(b'{"id":9,"method":5}')
    assert (m.kind, m.id, m.code) == (message.PROBLEM, 9, "malformed")


def test_every_error_code_occurs_once():
    assert len(set(message.ERROR_CODES)) == len(message.ERROR_CODES)


def test_every_refusal_is_an_error_code():
    for code in reasons.REFUSALS:
        assert code in message.ERROR_CODES


def test_methods_that_write_are_not_reads():
    for method in message.READS:
        assert method in message.METHODS
    for method in (
        "command",
        "config.stage",
        "config.commit",
        "config.confirm",
        "config.rollback",
        "update.begin",
    ):
        assert method in message.METHODS
        assert method not in message.READS


def test_ten_thousand_brackets_are_refused_without_recursion():
    for opening in (b"[", b'{"a":'):
        assert _raises(strict_json.loads, opening * 10000)


def test_eight_levels_are_read_and_nine_are_not():
    assert strict_json.loads(b"[" * 8 + b"]" * 8) == [[[[[[[[]]]]]]]]
    assert _raises(strict_json.loads, b"[" * 9 + b"]" * 9)


def test_every_truncation_of_a_message_is_a_problem():
    body = message.request(
        12, "command", {"name": commands.NAMES[0], "args": {"for_s": 60, "x": [1, "é", None]}}
    )
    for length in range(len(body)):
        assert message.parse(body[:length]).kind == message.PROBLEM, length


def test_every_single_byte_change_parses_or_is_a_problem_but_never_raises():
    body = message.request(1, "get", {"points": ["é", -12, True]})
    for place in range(len(body)):
        for byte in range(0, 256, 3):
            damaged = bytearray(body)
            damaged[place] = byte
            message.parse(bytes(damaged))
