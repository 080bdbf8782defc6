"""Judges messages that prove who sent them. Loaded for one message.

Owns the order of the checks: the proof itself first, so that nobody without a key learns anything; then that
the message is new, then that it is fresh. Its counter is on flash before anything is done. A key gives every
right or none; which rights a key has would be decided here.
"""

import binascii
import json
import os

from greenmast_fw.services.rpc import RefusedError
from greenmast_fw.storage import files
from greenmast_protocol import auth, message, strict_json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    class Wall(Protocol):
        trusted: bool

        def now_s(self) -> int: ...

    class Gate(Protocol):
        """What a link remembers between messages."""

        site: str
        nonce: str  # outstanding since `nonce_ms` of uptime; empty: none
        nonce_ms: int
        code: str  # the beginning of the `mac` that was let in last
        answer: "bytes | None"  # to that; None: not yet; empty: too long to be kept

        @property
        def wall(self) -> Wall: ...


_CODE = 16
_OFFER_MS = 60_000  # as long a nonce is given to whoever asks: asking cannot spoil it for others
_NONCE_MS = 120_000  # as long it is good


def judge(gate: "Gate", now_ms: int, m: message.Message, data: bytes) -> bytes:
    """The answer to `m`, which came as `data`, where there is one already; empty lets it in.

    That is the case of `auth.challenge`, and of the very bytes that were let in last: nothing may be done
    again. `now_ms` of uptime. Raises RefusedError.
    """
    if m.auth is None:
        told = strict_json.dumps(_challenge(gate, now_ms, m.params))
        return b"".join(message.result_pieces(m.id, [told]))
    proof: "Any" = m.auth
    wrong = auth.problem(proof)
    key = "" if wrong else _stored(files.ACCESS).get(proof["key"], "")
    if not key or not auth.proves(data, binascii.unhexlify(key), gate.site):
        raise RefusedError("not_authorised", wrong or "not signed by a key of this board")
    code = proof["mac"][:_CODE]
    if gate.answer and code == gate.code:
        return gate.answer
    counters = _stored(files.COUNTERS)
    last, ctr = counters.get(proof["key"], 0), proof["ctr"]
    if ctr <= last:
        raise RefusedError("replayed", "ctr must exceed %d" % last)
    if ctr > last + auth.CTR_AHEAD_MAX:
        raise RefusedError("invalid_value", "ctr may exceed %d by %d" % (last, auth.CTR_AHEAD_MAX))
    _check_age(gate, now_ms, proof, last)
    counters[proof["key"]] = ctr
    try:
        files.store(files.COUNTERS, (strict_json.dumps(counters),))
    except OSError:
        raise RefusedError("busy", "the flash does not take the counter: nothing is done")
    gate.nonce = ""
    gate.code = code
    gate.answer = None
    return b""


def _challenge(gate: "Gate", now_ms: int, params: "dict[str, Any]") -> "dict[str, object]":
    """What a sender has to know. `now` is None where `exp` could not be judged."""
    key = params.get("key")
    if len(params) != 1 or not isinstance(key, str):
        raise RefusedError("invalid_value", "key must be a name")
    if not _stored(files.ACCESS):
        raise RefusedError("not_authorised", "this board has no keys")
    if not gate.nonce or now_ms - gate.nonce_ms > _OFFER_MS:
        gate.nonce = binascii.hexlify(os.urandom(auth.NONCE_BYTES)).decode()
        gate.nonce_ms = now_ms
    last = _stored(files.COUNTERS).get(key, 0)
    now_s = gate.wall.now_s() if gate.wall.trusted and last else None
    return {"nonce": gate.nonce, "ctr": last, "now": now_s, "trusted": gate.wall.trusted}


def _check_age(gate: "Gate", now_ms: int, proof: "dict[str, Any]", last: int) -> None:
    """Raises RefusedError unless the message was made for now.

    `exp` needs a clock that is right, and a counter: where that is lost (or the key is new), messages that
    have been here before could not be told, and only what answers a challenge is surely new.
    """
    if "nonce" in proof:
        if not gate.nonce or proof["nonce"] != gate.nonce or now_ms - gate.nonce_ms > _NONCE_MS:
            raise RefusedError("expired", "nonce is not the one that auth.challenge gives")
        return
    if not last or not gate.wall.trusted:
        raise RefusedError("expired", "exp cannot be judged: take the nonce of auth.challenge")
    ahead_s = proof["exp"] - gate.wall.now_s()
    if ahead_s <= 0:
        raise RefusedError("expired", "exp was %d s ago" % -ahead_s)
    if ahead_s > auth.EXP_AHEAD_MAX_S:
        raise RefusedError("invalid_value", "exp may be %d s ahead" % auth.EXP_AHEAD_MAX_S)


def _stored(name: str) -> "dict[str, Any]":
    """A document by key names; empty when there is none or it is damaged."""
    try:
        found: "Any" = json.loads(files.read(name) or b"{}")
    except (files.DamagedError, OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
