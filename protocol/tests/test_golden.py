"""The golden vectors: what both runtimes, and any other implementation, must make of the same bytes."""

import json

from greenmast_protocol import frame, labels, message, points, quality, tele, topics

_FOLDER = __file__.rsplit("/tests/", 1)[0] + "/golden/"
_KINDS = {
    "frame": frame.FRAME,
    "text": frame.TEXT,
    "plain": frame.PLAIN,
    "request": message.REQUEST,
    "result": message.RESULT,
    "error": message.ERROR,
    "notice": message.NOTICE,
}


def _golden(name):
    with open(_FOLDER + name, "rb") as file:
        return json.loads(file.read().decode())


def _check_decoding(row, pieces):
    decoder = frame.FrameDecoder(row["limit"])
    events = []
    for piece in pieces:
        events += decoder.feed(piece)
    expected = [(_KINDS[kind], bytes.fromhex(data)) for kind, data in row["events"]]
    assert events == expected, (row["name"], events)
    counters = (decoder.bad_crc, decoder.overlong, decoder.broken)
    assert counters == (row["bad_crc"], row["overlong"], row["broken"]), (row["name"], counters)


def test_frames_encode_to_the_golden_lines():
    rows = _golden("frames.json")["encode"]
    assert rows
    for row in rows:
        assert frame.encode(row["json"].encode()) == row["line"].encode(), row


def test_golden_lines_decode_in_one_piece():
    rows = _golden("frames.json")["decode"]
    assert rows
    for row in rows:
        _check_decoding(row, [bytes.fromhex(row["hex"])])


def test_golden_lines_decode_one_byte_at_a_time():
    for row in _golden("frames.json")["decode"]:
        data = bytes.fromhex(row["hex"])
        _check_decoding(row, [data[i : i + 1] for i in range(len(data))])


def test_golden_messages_parse_to_their_members():
    rows = _golden("messages.json")["good"]
    assert rows
    for row in rows:
        m = message.parse(row["text"].encode())
        assert m.kind == _KINDS[row["message"]["kind"]], (row, m.text)
        for member in row["message"]:
            if member != "kind":
                assert getattr(m, member) == row["message"][member], (row, member)


def test_golden_bad_messages_are_problems_with_a_text():
    rows = _golden("messages.json")["bad"]
    assert rows
    for row in rows:
        m = message.parse(bytes.fromhex(row["hex"]))
        assert (m.kind, m.code) == (message.PROBLEM, "malformed"), row["name"]
        assert m.text, row["name"]


def test_golden_topics_parse_and_build():
    golden = _golden("topics.json")
    assert golden["good"]
    assert golden["bad"]
    assert golden["bad_sites"]
    for text, site, kind, client in golden["good"]:
        assert topics.parse(text) == (site, kind, client), text
        assert topics.build(site, kind, client) == text
    for text in golden["bad"]:
        assert topics.parse(text) is None, text
    for site in golden["bad_sites"]:
        assert topics.site_problem(site), site


def test_golden_reports_parse_to_their_members():
    rows = _golden("tele.json")["good"]
    assert rows
    for text in rows:
        report = tele.parse(text.encode())
        for member in ("boot", "seq", "ts", "trusted", "full", "v", "q"):
            assert getattr(report, member) == json.loads(text)[member], (text, member)


def test_a_report_is_built_to_the_golden_bytes():
    values = [None] * points.COUNT
    codes = bytearray(points.COUNT)
    i = points.index("dc.bus_mv")
    k = points.index("grid.voltage_mv")
    values[i] = 51234
    values[k] = 0  # not good, so its last value is not told
    codes[k] = quality.STALE
    built = b"".join(tele.build(7, 12, 1732406400, True, False, tele.members([i, k], values, codes)))
    assert built == _golden("tele.json")["good"][0].encode()


def test_golden_bad_reports_are_refused():
    rows = _golden("tele.json")["bad"]
    assert rows
    for row in rows:
        try:
            tele.parse(row["text"].encode())
        except ValueError:
            continue
        raise AssertionError(row["name"])


def test_the_point_table_is_the_one_that_hosts_know():
    """A changed table is a changed protocol: when it is meant, put the new hash into tables.json."""
    assert labels.TABLE_HASH == _golden("tables.json")["table_hash"], labels.TABLE_HASH
