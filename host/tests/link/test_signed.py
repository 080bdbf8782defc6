"""Signed requests: what goes into the proof, what is sent again byte for byte, and what is signed anew."""

from __future__ import annotations

from typing import Any

import pytest

from greenmast.access import Key
from greenmast.link.base import Link, NoContactError, RefusedError
from greenmast.link.signer import LIFE_S, Signer
from greenmast_protocol import auth, message

SITE = "mast-7"
KEY = Key("ops", bytes(range(32)))
NOW_S = 1_764_000_000
STOP = {"name": "genset.stop", "args": {}}


class Scripted(Link):
    """A board that answers signed requests by `script`: a result, an error code, or None for nothing."""

    def __init__(self, *script: object, now: int | None = None) -> None:
        super().__init__("the board", Signer(KEY, SITE))
        self.script = list(script)
        self.now = now
        self.ctr = 41
        self.sent: list[bytes] = []
        self.asked = 0
        self.answers: list[bytes] = []

    def _send(self, body: bytes) -> None:
        m = message.parse(body)
        if m.method == "auth.challenge":
            assert m.params == {"key": "ops"}
            self.asked += 1
            told = {"nonce": f"{self.asked:032x}", "ctr": self.ctr, "now": self.now, "trusted": False}
            self.answers.append(message.result(m.id, told))
            self.ctr += 1
            return
        self.sent.append(body)
        step: Any = self.script.pop(0)
        if isinstance(step, str):
            self.answers.append(message.error(m.id, step))
        elif step is not None:
            self.answers.append(message.result(m.id, step))

    def _receive(self, timeout_s: float) -> bytes | None:
        return self.answers.pop(0) if self.answers else None

    def close(self) -> None:
        pass


def proofs(link: Scripted) -> list[dict[str, Any]]:
    """Of everything that was sent, in order; each is good for the site and no other."""
    found = []
    for body in link.sent:
        assert auth.proves(body, KEY.secret, SITE)
        assert not auth.proves(body, KEY.secret, "mast-8")
        proof = message.parse(body).auth
        assert proof is not None
        found.append({name: value for name, value in proof.items() if name != "mac"})
    return found


def test_the_counter_follows_the_boards_and_without_its_time_its_nonce_is_taken() -> None:
    link = Scripted({"applied": {}})
    assert link.call("command", STOP) == {"applied": {}}
    assert proofs(link) == [{"key": "ops", "ctr": 42, "nonce": f"{1:032x}"}]
    assert message.parse(link.sent[0]).params == STOP


def test_with_the_boards_time_a_request_lives_for_a_minute() -> None:
    link = Scripted({"applied": {}}, now=NOW_S)
    link.call("command", STOP)
    assert proofs(link) == [{"key": "ops", "ctr": 42, "exp": NOW_S + LIFE_S}]


def test_reads_are_not_signed() -> None:
    link = Scripted({"v": {}})
    assert link.call("get") == {"v": {}}
    assert message.parse(link.sent[0]).auth is None
    assert not link.asked


def test_when_no_answer_comes_the_same_bytes_are_sent_again() -> None:
    link = Scripted(None, None, {"applied": {}})
    assert link.call("command", STOP, timeout_s=0.01) == {"applied": {}}
    assert len(link.sent) == 3
    assert len(set(link.sent)) == link.asked == 1


def test_when_none_comes_at_all_it_is_not_known_whether_it_was_done() -> None:
    link = Scripted(None, None, None)
    with pytest.raises(NoContactError, match="whether it was done is not known"):
        link.call("command", STOP, timeout_s=0.01)
    assert link.asked == 1


@pytest.mark.parametrize("code", ["replayed", "expired"])
def test_when_another_host_was_faster_it_is_signed_anew(code: str) -> None:
    link = Scripted(code, code, {"applied": {}})
    assert link.call("command", STOP) == {"applied": {}}
    assert [proof["ctr"] for proof in proofs(link)] == [42, 43, 44]
    link = Scripted(code, code, code)
    with pytest.raises(RefusedError) as refused:
        link.call("command", STOP)
    assert refused.value.code == code


def test_a_command_that_the_board_may_have_done_is_not_signed_anew() -> None:
    link = Scripted(None, "replayed")
    with pytest.raises(RefusedError, match="whether it was done is not known"):
        link.call("command", STOP, timeout_s=0.01)
    assert link.asked == 1


def test_one_that_it_cannot_have_done_is() -> None:
    link = Scripted(None, "expired", {"applied": {}})
    assert link.call("command", STOP, timeout_s=0.01) == {"applied": {}}
    assert [proof["ctr"] for proof in proofs(link)] == [42, 42, 43]


def test_a_step_of_a_transaction_is_as_it_is_once_however_often_it_is_done() -> None:
    link = Scripted(None, "replayed", {"revision": 3})
    assert link.call("config.confirm", {"revision": 3}, timeout_s=0.01) == {"revision": 3}
    assert [proof["ctr"] for proof in proofs(link)] == [42, 42, 43]


@pytest.mark.parametrize("code", ["not_authorised", "busy", "min_run", "invalid_value"])
def test_any_other_refusal_is_final(code: str) -> None:
    link = Scripted(code)
    with pytest.raises(RefusedError) as refused:
        link.call("command", STOP)
    assert refused.value.code == code
