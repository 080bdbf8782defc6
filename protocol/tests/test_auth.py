"""Messages that prove who sent them: the published vectors, and everything that must prove nothing."""

import json

from greenmast_protocol import auth, message

_FILE = __file__.rsplit("/tests/", 1)[0] + "/golden/auth.json"
KEY = bytes(range(auth.KEY_BYTES))
SITE = "india-rural"


def _golden(name):
    with open(_FILE, "rb") as file:
        return json.loads(file.read().decode())[name]


def _signed(proof=None, key=KEY, site=SITE):
    body = message.request(7, "command", {"name": "genset.stop", "args": {}})
    return auth.signed(body, proof or {"key": "ops", "ctr": 12, "exp": 1764000000}, key, site)


def test_the_code_is_that_of_rfc_4231():
    rows = _golden("rfc4231")
    assert len(rows) == 6
    for row in rows:
        data = bytes.fromhex(row["data"])
        for cut in (0, 1, len(data)):
            pieces = (data[:cut], memoryview(data)[cut:])
            assert auth.mac(bytes.fromhex(row["key"]), pieces) == bytes.fromhex(row["mac"]), (row, cut)


def test_golden_messages_prove_their_sender_at_their_site_only():
    rows = _golden("signed")
    assert rows
    for row in rows:
        data = row["text"].encode()
        assert auth.proves(data, KEY, row["site"])
        assert not auth.proves(data, KEY, row["site"] + "0")
        m = message.parse(data)
        assert m.kind == message.REQUEST
        assert not auth.problem(m.auth)


def test_what_is_signed_proves_its_sender_and_parses_to_what_it_was():
    data = _signed()
    assert auth.proves(data, KEY, SITE)
    m = message.parse(data)
    assert (m.id, m.method, m.params) == (7, "command", {"name": "genset.stop", "args": {}})
    assert (m.auth["key"], m.auth["ctr"], m.auth["exp"], len(m.auth["mac"])) == ("ops", 12, 1764000000, 64)


def test_any_bit_that_differs_proves_nothing():
    data = _signed()
    for i in range(len(data)):
        for bit in (1, 128):
            other = bytearray(data)
            other[i] ^= bit
            assert not auth.proves(bytes(other), KEY, SITE), i


def test_a_truncated_or_empty_code_proves_nothing():
    data = _signed()
    for length in range(len(data)):
        assert not auth.proves(data[:length], KEY, SITE), length
    start = data.index(b'"mac":"') + 7
    for kept in range(64):
        assert not auth.proves(data[: start + kept] + b'"}}', KEY, SITE), kept
    assert not auth.proves(data.replace(b'"mac":"', b'"mac":"0'), KEY, SITE)
    assert not auth.proves(b"", KEY, SITE)


def test_another_key_another_site_and_a_shifted_boundary_prove_nothing():
    data = _signed()
    assert not auth.proves(data, KEY[:-1] + b"\0", SITE)
    assert not auth.proves(data, KEY, "india-rura")
    assert not auth.proves(b"l" + data, KEY, "india-rura")


def test_the_code_in_other_letters_or_with_space_around_it_proves_nothing():
    data = _signed()
    start = data.index(b'"mac":"') + 7
    assert not auth.proves(data[:start] + data[start:-3].upper() + data[-3:], KEY, SITE)
    assert not auth.proves(data + b" ", KEY, SITE)
    assert not auth.proves(data[:-1] + b" }", KEY, SITE)


def test_the_proof_has_four_members_of_their_types():
    good = {"key": "ops", "ctr": 1, "exp": 2, "mac": "00"}
    assert not auth.problem(good)
    assert not auth.problem({"key": "ops", "ctr": 1, "nonce": "00", "mac": "00"})
    bad = [dict(good, nonce="00"), dict(good, role="admin"), {}, {"key": "ops", "ctr": 1, "mac": "00"}]
    for name, values in (
        ("key", (1, None)),
        ("mac", (0, [])),
        ("ctr", (True, "1", None)),
        ("exp", (False, "2")),
    ):
        bad += [dict(good, **{name: value}) for value in values]
    for proof in bad:
        assert auth.problem(proof), proof
    assert auth.problem({"key": "ops", "ctr": 1, "nonce": 5, "mac": "00"})


def test_names_of_keys_are_short_and_plain():
    for name in ("ops", "night-shift", "a", "k_2", "a" * 16):
        assert not auth.name_problem(name), name
    for name in ("", "a" * 17, "Ops", "o.p", "a/b", "é"):
        assert auth.name_problem(name), name
