"""The gate of the MQTT link: each bad proof, by name, is refused, nothing is done; a good one acts once."""

import binascii
import os

from greenmast_fw.services import rpc, uplink
from greenmast_fw.storage import files
from greenmast_protocol import auth, message, points, quality, strict_json

SITE = "india-rural"
HERE = b"greenmast/1/india-rural/req/cli-1"
OPS, NIGHT = bytes(range(32)), bytes(range(32, 64))
NOW_S = 1_764_000_000


class Board:
    """Counts what it is told to do."""

    def __init__(self):
        self.values = [None] * points.COUNT
        self.codes = bytearray([quality.STALE] * points.COUNT)
        self.did = []
        self.verdict = ("", "", {"for_s": 60})

    def hello(self):
        return {"site": SITE}

    def command(self, params):
        self.did.append(params["name"])
        # What is done is done with the counter on flash already.
        self.counter_at_action = stored().get("ops")
        if self.verdict is None:
            raise MemoryError
        return self.verdict

    def configure(self, method, params, by_hand):
        async def step():
            self.did.append(method)
            return "", "", {"revision": 3}

        return step()


class Scan:
    boot = 3
    alarms = ()
    uptime_ms = 5_000


class Client:
    async def publish(self, topic, payload, retain=False):
        self.said = payload


class Wall:
    trusted = True

    def now_s(self):
        return NOW_S


def stored():
    body = files.read(files.COUNTERS)
    return strict_json.loads(body) if body else {}


def wipe():
    for name in os.listdir("."):
        if name.split(".")[0] in (files.ACCESS, files.COUNTERS):
            os.remove(name)


class Site:
    """A board with two keys, whose last counter of `ops` is 10. `ask` sends as a host would."""

    def __init__(self, counters=None, keys=True):
        wipe()
        if keys:
            named = {"ops": OPS, "night": NIGHT}
            named = {name: binascii.hexlify(named[name]).decode() for name in named}
            files.store(files.ACCESS, (strict_json.dumps(named),))
        if counters is None:
            counters = {"ops": 10}
        if counters:
            files.store(files.COUNTERS, (strict_json.dumps(counters),))
        self.board = Board()
        self.scan = Scan()
        self.wall = Wall()
        self.boot()

    def boot(self):
        """What is in memory is gone."""
        broker = {"host": "x", "port": 1}
        self.rpc = rpc.Rpc(self.board)
        self.uplink = uplink.Uplink(broker, SITE, self.rpc, self.scan, None, self.wall)
        self.uplink.client = self.client = Client()

    def send(self, data, retained=False):
        self.uplink._on_message(HERE, memoryview(data), retained, False)
        run(self.uplink._answer())
        answer = message.parse(b"".join(self.client.said))
        return answer.code or answer.result

    def challenge(self, key="ops"):
        return self.send(message.request(3, "auth.challenge", {"key": key}))

    def code(self, data, retained=False):
        """What `data` is refused with; nothing may have been done and no counter moved."""
        before, did = stored(), list(self.board.did)
        code = self.send(data, retained)
        assert isinstance(code, str), code
        assert stored() == before
        assert self.board.did == did
        return code


def run(coroutine):
    """The result of a coroutine that waits for nothing."""
    try:
        coroutine.send(None)
    except StopIteration as stopped:
        return stopped.value
    raise AssertionError("it waits")


def command(ctr=11, exp=NOW_S + 60, nonce=None, name="ops", key=OPS, site=SITE, method="command"):
    proof = {"key": name, "ctr": ctr}
    if nonce is None:
        proof["exp"] = exp
    else:
        proof["nonce"] = nonce
    params = {"name": "genset.start", "args": {"for_s": 60}} if method == "command" else {"revision": 3}
    return auth.signed(message.request(7, method, params), proof, key, site)


def with_mac(data, mac):
    return data[: data.index(b'"mac":"') + 7] + mac + b'"}}'


def test_what_is_signed_is_done_and_its_counter_is_on_flash_before():
    site = Site()
    assert site.send(command()) == {"applied": {"for_s": 60}}
    assert site.board.did == ["genset.start"]
    assert site.board.counter_at_action == 11
    assert site.send(command(12, method="config.confirm")) == {"revision": 3}
    assert site.board.did == ["genset.start", "config.confirm"]
    assert stored() == {"ops": 12}
    wipe()


def test_without_a_proof_only_reads_are_answered():
    site = Site()
    assert site.send(message.request(7, "hello"))["site"] == SITE
    for method in ("command", "config.stage", "config.confirm", "update.begin", "auth.login"):
        assert site.code(message.request(7, method, {"name": "genset.stop"})) == "not_authorised", method
    wipe()


def test_a_proof_gives_no_right_to_watch_or_to_ask_a_bus():
    site = Site()
    assert site.send(command(11, method="watch")) == "unknown"
    assert site.send(command(12, method="bus.read")) == "unknown"
    wipe()


def test_a_board_without_keys_takes_no_writes():
    site = Site(keys=False)
    assert site.code(command()) == "not_authorised"
    assert site.challenge() == "not_authorised"
    wipe()


def test_a_key_that_the_board_has_not_proves_nothing():
    site = Site()
    assert site.code(command(name="boss")) == "not_authorised"
    assert site.code(command(name="night")) == "not_authorised"  # the right name, another's key
    assert site.code(command(key=NIGHT)) == "not_authorised"
    assert site.code(command(name="")) == "not_authorised"
    wipe()


def test_a_message_for_another_device_id_proves_nothing():
    assert Site().code(command(site="india-rura")) == "not_authorised"
    wipe()


def test_a_code_that_is_truncated_empty_or_one_bit_off_proves_nothing():
    site = Site()
    good = command()
    mac = good[-67:-3]
    for bad in (b"", mac[:-1], mac[:32], mac + b"0", mac.upper(), b"0" * 64):
        assert site.code(with_mac(good, bad)) == "not_authorised", bad
    for digit in (0, 1, 31, 62, 63):
        off = bytearray(mac)
        off[digit] = ord("%x" % (int(chr(off[digit]), 16) ^ 1))
        assert site.code(with_mac(good, bytes(off))) == "not_authorised", digit
    wipe()


def test_signed_bytes_that_were_changed_prove_nothing():
    site = Site()
    for old, new in (
        (b"60", b"61"),
        (b"start", b"reset"),
        (b'"ctr":11', b'"ctr":12'),
        (b'"id":7', b'"id":8'),
    ):
        assert site.code(command().replace(old, new)) == "not_authorised", old
    wipe()


def test_a_proof_of_another_shape_proves_nothing():
    site = Site()
    body = message.request(7, "command", {"name": "genset.stop", "args": {}})
    for proof in (
        {"key": "ops", "ctr": True, "exp": NOW_S + 60},
        {"key": "ops", "ctr": "11", "exp": NOW_S + 60},
        {"key": "ops", "ctr": 11},
        {"key": "ops", "ctr": 11, "exp": NOW_S + 60, "role": "admin"},
        {"key": "ops", "ctr": 11, "exp": NOW_S + 60, "nonce": ""},
        {"key": 1, "ctr": 11, "exp": NOW_S + 60},
        {"exp": NOW_S + 60},
        {"key": ["ops"], "ctr": 11, "exp": NOW_S + 60},
    ):
        assert site.code(auth.signed(body, proof, OPS, SITE)) == "not_authorised", proof
    wipe()


def test_a_counter_that_is_old_or_equal_is_replayed():
    site = Site()
    for ctr in (10, 9, 1, 0, -1):
        assert site.code(command(ctr)) == "replayed", ctr
    wipe()


def test_a_counter_far_ahead_is_refused_and_one_at_the_end_of_the_window_is_not():
    site = Site()
    for ctr in (10 + auth.CTR_AHEAD_MAX + 1, 1 << 31, (1 << 63) - 1):
        assert site.code(command(ctr)) == "invalid_value", ctr
    assert site.send(command(10 + auth.CTR_AHEAD_MAX)) == {"applied": {"for_s": 60}}
    wipe()


def test_a_retained_copy_is_refused_however_well_it_is_signed():
    site = Site()
    assert site.code(command(), retained=True) == "retained"
    assert site.code(message.request(7, "hello"), retained=True) == "retained"
    wipe()


def test_keys_count_for_themselves():
    site = Site({"ops": 10, "night": 3})
    assert site.send(command(4, name="night", key=NIGHT)) == {"applied": {"for_s": 60}}
    assert site.send(command(11)) == {"applied": {"for_s": 60}}
    assert stored() == {"ops": 11, "night": 4}
    wipe()


def test_what_has_expired_is_refused():
    site = Site()
    for exp in (NOW_S, NOW_S - 1, 0, -1):
        assert site.code(command(exp=exp)) == "expired", exp
    wipe()


def test_what_is_from_the_future_is_refused():
    site = Site()
    for exp in (NOW_S + auth.EXP_AHEAD_MAX_S + 1, 4_102_444_800, (1 << 63) - 1):
        assert site.code(command(exp=exp)) == "invalid_value", exp
    assert site.send(command(exp=NOW_S + auth.EXP_AHEAD_MAX_S)) == {"applied": {"for_s": 60}}
    wipe()


def test_a_duplicate_is_answered_alike_and_does_nothing():
    site = Site()
    for verdict in (("", "", {"for_s": 60}), ("min_run", "min_run", {})):
        site.board.verdict = verdict
        ctr = stored()["ops"] + 1
        first = site.send(command(ctr))
        for _ in range(3):
            assert site.send(command(ctr)) == first
        assert len(site.board.did) == ctr - 10
        assert stored() == {"ops": ctr}
    wipe()


def test_a_duplicate_after_another_message_is_replayed():
    site = Site()
    site.send(command(11))
    site.send(command(12))
    assert site.code(command(11)) == "replayed"
    wipe()


def test_a_duplicate_after_a_reset_is_replayed():
    site = Site()
    site.send(command(11))
    site.boot()
    assert site.code(command(11)) == "replayed"
    wipe()


def test_a_duplicate_of_what_had_a_long_answer_is_replayed():
    site = Site()
    site.board.verdict = ("interlock", "x" * 256, {})
    assert site.send(command(11)) == "interlock"
    assert site.code(command(11)) == "replayed"
    wipe()


def test_a_duplicate_of_what_failed_inside_is_not_tried_again():
    site = Site()
    site.board.verdict = None
    assert site.send(command(11)) == "internal"
    assert site.send(command(11)) == "internal"
    assert len(site.board.did) == 1
    wipe()


def test_the_challenge_tells_what_a_sender_has_to_know():
    site = Site()
    told = site.challenge()
    assert len(told["nonce"]) == 2 * auth.NONCE_BYTES
    assert (told["ctr"], told["now"], told["trusted"]) == (10, NOW_S, True)
    assert site.challenge("night") == {"nonce": told["nonce"], "ctr": 0, "now": None, "trusted": True}
    site.wall.trusted = False
    assert (site.challenge()["now"], site.challenge()["trusted"]) == (None, False)
    for params in (None, {}, {"key": 1}, {"key": "ops", "more": 1}, {"name": "ops"}):
        assert site.code(message.request(3, "auth.challenge", params)) == "invalid_value", params
    wipe()


def test_without_trusted_time_the_answer_to_a_challenge_is_wanted():
    site = Site()
    site.wall.trusted = False
    assert site.code(command()) == "expired"
    assert site.send(command(nonce=site.challenge()["nonce"])) == {"applied": {"for_s": 60}}
    wipe()


def test_a_nonce_is_good_once():
    site = Site()
    nonce = site.challenge()["nonce"]
    site.send(command(11, nonce=nonce))
    assert site.code(command(12, nonce=nonce)) == "expired"
    assert site.challenge()["nonce"] != nonce
    assert site.code(command(12, nonce=nonce)) == "expired"
    wipe()


def test_a_nonce_that_was_not_given_is_refused():
    site = Site()
    assert site.code(command(nonce="")) == "expired"
    assert site.code(command(nonce="00" * auth.NONCE_BYTES)) == "expired"
    nonce = site.challenge()["nonce"]
    assert site.code(command(nonce=nonce.upper() + "0")) == "expired"
    assert site.code(command(nonce="")) == "expired"
    wipe()


def test_a_nonce_is_new_after_a_reset_and_not_good_for_long():
    site = Site()
    nonce = site.challenge()["nonce"]
    site.boot()
    assert site.code(command(nonce=nonce)) == "expired"
    nonce = site.challenge()["nonce"]
    site.scan.uptime_ms += 120_001
    assert site.code(command(nonce=nonce)) == "expired"
    assert site.challenge()["nonce"] != nonce
    wipe()


def test_whoever_asks_in_the_meantime_does_not_spoil_anothers_nonce():
    site = Site()
    nonce = site.challenge()["nonce"]
    for _ in range(5):
        site.challenge("night")
    site.scan.uptime_ms += 59_000
    site.challenge("night")
    assert site.send(command(nonce=nonce)) == {"applied": {"for_s": 60}}
    wipe()


def test_where_the_counters_are_lost_only_the_answer_to_a_challenge_is_taken():
    site = Site()
    for suffix in (".a", ".b"):
        with open(files.COUNTERS + suffix, "wb") as file:
            file.write(b"rotten")
    assert site.send(command(11)) == "expired"
    told = site.challenge()
    assert (told["ctr"], told["now"]) == (0, None)
    assert site.send(command(1, nonce=told["nonce"])) == {"applied": {"for_s": 60}}
    assert stored() == {"ops": 1}
    assert site.send(command(2)) == {"applied": {"for_s": 60}}
    wipe()


def test_where_the_flash_takes_no_counter_nothing_is_done():
    site = Site()

    def refuse(name, body):
        raise OSError(28)

    store, files.store = files.store, refuse
    try:
        assert site.code(command()) == "busy"
    finally:
        files.store = store
    assert site.send(command()) == {"applied": {"for_s": 60}}
    wipe()


def test_damaged_keys_open_nothing():
    site = Site()
    for suffix in (".a", ".b"):
        with open(files.ACCESS + suffix, "wb") as file:
            file.write(b"rotten")
    assert site.code(command()) == "not_authorised"
    assert site.challenge() == "not_authorised"
    wipe()


def test_nobody_without_a_key_learns_the_counter_or_moves_it():
    site = Site()
    for data in (command(ctr=5, key=NIGHT), command(ctr=1 << 40, key=NIGHT), command(exp=0, key=NIGHT)):
        assert site.code(data) == "not_authorised"
    wipe()


def test_at_the_console_a_proof_is_neither_needed_nor_judged():
    site = Site()
    bad = with_mac(command(), b"")
    answer = message.parse(b"".join(run(site.rpc.handle(bad, True, rpc.Session()))))
    assert answer.result == {"applied": {"for_s": 60}}
    wipe()
