"""What boards publish, as records and notices: the gate between MQTT and the store.

The shapes are the protocol's; this module says what the hub makes of them. Knows no MQTT client, no database.

A numbered record (a `tele` message, or an entry of a `log` message `{"boot","records":[{"seq","ts",..}]}`) is
one row of the store, known by (site, boot, seq); `tele` and `log` of one boot share one numbering from 1 on.
Both kinds of message may say "lost": how many numbers before their first record will never come.
A `tele` message whose number can be read but whose content cannot is kept as raw text without samples: its
number would otherwise hold back all acknowledgements after it. What else is malformed raises MalformedError.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from greenmast_protocol import message, strict_json, tele, topics

SUBSCRIBED = (topics.STATE, topics.INFO, topics.ALARMS, topics.TELE, topics.LOG)
FILTERS = tuple(f"{topics.ROOT}/+/{kind}" for kind in SUBSCRIBED)

MAX_PAYLOAD = 64 * 1024
MAX_RAW = 4096
MAX_NUMBER = 0x7FFFFFFF
FUTURE_S = 300  # a "trusted" board clock further ahead of the hub than this is not believed

GOOD, STALE, INVALID = 0, 1, 2
QUALITIES = ("good", "stale", "invalid")


class MalformedError(ValueError):
    """A message that cannot be used; `kind` is one of few words, fit for a counter's label."""

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(f"{kind}: {detail}")
        self.kind = kind


@dataclass(frozen=True, slots=True)
class Record:
    """A numbered record. `values`: point -> (value or None, quality); `ts`: the board's clock in s.

    `lost`: so many of the numbers just before it will never come, as the board has dropped them.
    """

    site: str
    kind: str
    boot: int
    seq: int
    ts: int
    trusted: bool
    full: bool
    received_ms: int
    values: dict[str, tuple[int | None, int]] = field(default_factory=dict)
    body: str | None = None
    problem: str = ""
    lost: int = 0

    @property
    def said_s(self) -> int:
        """When the board said it, in Unix s: by its own clock where that can be believed, else by receipt."""
        received_s = self.received_ms // 1000
        return self.ts if self.trusted and self.ts <= received_s + FUTURE_S else received_s


@dataclass(frozen=True, slots=True)
class Freed:
    """What a board says when it is asked for a full report: records of `boot` up to `seq` are not kept there.

    Somebody has acknowledged them. A store that does not have them will never get them.
    """

    site: str
    boot: int
    seq: int


@dataclass(frozen=True, slots=True)
class Notice:
    """One of the documents a board keeps current: topic `state`, `info` or `alarms`."""

    site: str
    topic: str
    body: Any
    retained: bool
    received_ms: int

    @property
    def is_contact(self) -> bool:
        """Whether the board itself has just spoken: retained copies and its will come from the broker."""
        return not self.retained and not (self.topic == topics.STATE and self.body["online"] is False)


def parse(topic: str, payload: bytes, *, retained: bool, received_ms: int) -> list[Record | Freed] | Notice:
    """The content of one MQTT message. Raises MalformedError."""
    parts = topics.parse(topic)
    if parts is None or parts[1] not in (*SUBSCRIBED, topics.RSP):
        raise MalformedError("bad_topic", repr(topic[:100]))
    site, kind, _ = parts
    if len(payload) > MAX_PAYLOAD:
        raise MalformedError("too_long", f"{len(payload)} bytes")
    if kind == topics.TELE:
        return [_tele(site, payload, received_ms)]
    if kind == topics.RSP:
        return _freed(site, payload)
    document = _load(payload)
    if kind == topics.LOG:
        return _log(site, document, received_ms)
    _check_notice(kind, document)
    return Notice(site, kind, document, retained, received_ms)


def _load(payload: bytes) -> Any:
    try:
        return strict_json.loads(payload)
    except ValueError as error:
        raise MalformedError("not_json", str(error)) from error


def _check_notice(kind: str, document: Any) -> None:
    if kind == topics.ALARMS:
        well = isinstance(document, list) and all(isinstance(row, dict) for row in document)
    elif kind == topics.STATE:
        well = isinstance(document, dict) and isinstance(document.get("online"), bool)
    else:
        well = isinstance(document, dict)
    if not well:
        raise MalformedError(f"bad_{kind}", repr(document)[:80])


def _freed(site: str, payload: bytes) -> list[Record | Freed]:
    """An answer to `tele.full`; one of a board that does not know that says nothing."""
    answer = message.parse(payload)
    if answer.kind == message.ERROR:
        return []
    result = answer.result
    acked = result.get("acked") if isinstance(result, dict) else None
    if not (
        isinstance(acked, list)
        and len(acked) == 2
        and all(type(number) is int and 0 <= number <= MAX_NUMBER for number in acked)
    ):
        raise MalformedError("bad_answer", repr(payload[:80]))
    return [Freed(site, acked[0], acked[1])]


def _tele(site: str, payload: bytes, received_ms: int) -> Record:
    try:
        report = tele.parse(payload)
    except ValueError as error:
        document = _load(payload)
        if not isinstance(document, dict) or not (
            _is_number(document, "boot") and _is_number(document, "seq")
        ):
            raise MalformedError("bad_tele", str(error)) from error
        boot, seq = document["boot"], document["seq"]
        raw = payload.decode()[:MAX_RAW]
        return Record(
            site, topics.TELE, boot, seq, 0, False, False, received_ms, body=raw, problem="bad_tele"
        )
    values = {
        # Null without a word about it is not good either.
        name: (value, GOOD if value is not None else QUALITIES.index(report.q.get(name, "stale")))
        for name, value in report.v.items()
    }
    return Record(
        site,
        topics.TELE,
        report.boot,
        report.seq,
        report.ts,
        report.trusted,
        report.full,
        received_ms,
        values,
        lost=report.lost,
    )


def _log(site: str, document: Any, received_ms: int) -> list[Record | Freed]:
    entries = document.get("records") if isinstance(document, dict) else None
    if not isinstance(entries, list) or not _is_number(document, "boot"):
        raise MalformedError("bad_log", "needs a boot and a list of records")
    lost = document.get("lost", 0)
    if type(lost) is not int or not 0 <= lost <= MAX_NUMBER:
        raise MalformedError("bad_log", "lost counts records")
    records: list[Record | Freed] = []
    for entry in entries:
        if not isinstance(entry, dict) or not _is_number(entry, "seq"):
            raise MalformedError("bad_log", repr(entry)[:80])
        ts = entry["ts"] if _is_number(entry, "ts") else 0
        trusted = ts > 0 and entry.get("trusted") is True
        records.append(
            Record(
                site,
                topics.LOG,
                document["boot"],
                entry["seq"],
                ts,
                trusted,
                False,
                received_ms,
                body=json.dumps(entry),
                lost=0 if records else lost,
            )
        )
    return records


def _is_number(document: dict[str, Any], key: str) -> bool:
    value = document.get(key)
    return type(value) is int and 0 <= value <= MAX_NUMBER  # a bool is no number
