"""The gate between MQTT and the store."""

from __future__ import annotations

import json

import pytest

from greenmast.hub.messages import GOOD, INVALID, STALE, MalformedError, Notice, Record, parse

TELE = {
    "boot": 3,
    "seq": 7,
    "ts": 1_800_000_000,
    "trusted": True,
    "full": False,
    "v": {"dc.bus_mv": 51_200, "grid.voltage_mv": None},
    "q": {"grid.voltage_mv": "invalid"},
}
TOPIC = "greenmast/1/india-rural/tele"


def _parse(topic: str, payload: bytes | str | object, *, retained: bool = False) -> list[Record] | Notice:
    if not isinstance(payload, bytes):
        payload = (payload if isinstance(payload, str) else json.dumps(payload)).encode()
    return parse(topic, payload, retained=retained, received_ms=1_800_000_005_500)


def _tele(**changes: object) -> Record:
    parsed = _parse(TOPIC, TELE | changes)
    assert isinstance(parsed, list)
    return parsed[0]


def test_a_tele_message_becomes_a_record_with_values_and_qualities() -> None:
    record = _tele()
    assert (record.site, record.boot, record.seq, record.problem) == ("india-rural", 3, 7, "")
    assert record.values == {"dc.bus_mv": (51_200, GOOD), "grid.voltage_mv": (None, INVALID)}


def test_null_without_a_word_about_it_is_stale_not_good() -> None:
    assert _tele(v={"dc.bus_mv": None}, q={}).values == {"dc.bus_mv": (None, STALE)}


def test_the_time_axis_is_the_boards_clock_only_while_it_can_be_believed() -> None:
    assert _tele().said_s == 1_800_000_000
    assert _tele(trusted=False, ts=12).said_s == 1_800_000_005
    assert _tele(ts=1_900_000_000).said_s == 1_800_000_005


UNUSABLE = [
    ("bad_topic", "greenmast/1/a b/tele", TELE),
    ("bad_topic", "greenmast/1//tele", TELE),
    ("bad_topic", "greenmast/2/x/tele", TELE),
    ("bad_topic", "greenmast/1/x/req/me", TELE),
    ("bad_topic", "greenmast/1/x/ack", TELE),
    ("bad_topic", "greenmast/1/x/tele/y", TELE),
    ("bad_topic", "greenmast/1/<b>/tele", TELE),
    ("too_long", TOPIC, b" " * (64 * 1024 + 1)),
    ("not_json", TOPIC, b""),
    ("not_json", TOPIC, b"\xff\xfe{}"),
    ("not_json", TOPIC, b"{"),
    ("not_json", TOPIC, b"[1,]"),
    ("not_json", TOPIC, '{"boot":NaN}'),
    ("not_json", TOPIC, '{"boot":1,"seq":1e999}'),
    ("not_json", TOPIC, '{"boot":1,"seq":18446744073709551616}'),
    ("not_json", TOPIC, '{"boot":1,"boot":2}'),
    ("not_json", TOPIC, "[" * 60_000),
    ("not_json", "greenmast/1/x/state", b"\x00"),
    ("bad_tele", TOPIC, [1]),
    ("bad_tele", TOPIC, 7),
    ("bad_tele", TOPIC, "null"),
    ("bad_tele", TOPIC, {k: v for k, v in TELE.items() if k != "boot"}),
    ("bad_tele", TOPIC, TELE | {"boot": True}),
    ("bad_tele", TOPIC, TELE | {"boot": "3"}),
    ("bad_tele", TOPIC, TELE | {"boot": 2**31}),
    ("bad_tele", TOPIC, TELE | {"seq": -1}),
    ("bad_state", "greenmast/1/x/state", {"boot": 1}),
    ("bad_state", "greenmast/1/x/state", {"online": 1}),
    ("bad_state", "greenmast/1/x/state", []),
    ("bad_alarms", "greenmast/1/x/alarms", {"name": "smoke"}),
    ("bad_alarms", "greenmast/1/x/alarms", ["smoke"]),
    ("bad_info", "greenmast/1/x/info", []),
    ("bad_log", "greenmast/1/x/log", []),
    ("bad_log", "greenmast/1/x/log", {"boot": 1}),
    ("bad_log", "greenmast/1/x/log", {"boot": True, "records": []}),
    ("bad_log", "greenmast/1/x/log", {"boot": 1, "records": [1]}),
    ("bad_log", "greenmast/1/x/log", {"boot": 1, "records": [{}]}),
]


@pytest.mark.parametrize(("kind", "topic", "payload"), UNUSABLE, ids=range(len(UNUSABLE)))
def test_a_message_that_is_not_well_formed_is_refused_with_its_kind(
    kind: str, topic: str, payload: object
) -> None:
    with pytest.raises(MalformedError) as caught:
        _parse(topic, payload)
    assert caught.value.kind == kind


NUMBERED = [
    {"ts": None},
    {"ts": True},
    {"trusted": 1},
    {"full": "yes"},
    {"v": [1]},
    {"q": "stale"},
    {"v": {"x." + "a" * 80: 1}},
    {"v": {"dc.bus_mv": True}},
    {"v": {"dc.bus_mv": "51"}},
    {"q": {"dc.bus_mv": "stale"}},
    {"q": {"grid.voltage_mv": "good"}},
    {"extra": 1},
]


@pytest.mark.parametrize("changes", NUMBERED, ids=range(len(NUMBERED)))
def test_a_numbered_record_that_cannot_be_read_is_kept_without_samples(changes: dict[str, object]) -> None:
    record = _tele(**changes)
    assert (record.problem, record.boot, record.seq, record.values) == ("bad_tele", 3, 7, {})
    assert record.body


def test_points_that_the_hub_does_not_know_are_kept_all_the_same() -> None:
    assert "battery.2.soc_permille" in _tele(v={"battery.2.soc_permille": 1}, q={}).values


def test_each_entry_of_a_log_message_is_a_record() -> None:
    entries = [{"seq": 8, "ts": 5, "trusted": True, "what": "switch"}, {"seq": 9}]
    records = _parse("greenmast/1/x/log", {"boot": 2, "records": entries})
    assert isinstance(records, list)
    assert [(r.kind, r.boot, r.seq, r.trusted) for r in records] == [
        ("log", 2, 8, True),
        ("log", 2, 9, False),
    ]


def test_retained_copies_and_wills_are_not_contact_with_the_board() -> None:
    def contact(online: bool, retained: bool) -> bool:
        notice = _parse("greenmast/1/x/state", {"online": online}, retained=retained)
        assert isinstance(notice, Notice)
        return notice.is_contact

    assert contact(online=True, retained=False)
    assert not contact(online=True, retained=True)
    assert not contact(online=False, retained=False)


def test_what_will_never_come_is_read_from_either_kind_of_message() -> None:
    assert _tele(seq=7, lost=3).lost == 3
    entries = [{"seq": 9, "ts": 1}, {"seq": 10, "ts": 1}]
    records = _parse("greenmast/1/x/log", {"boot": 1, "lost": 2, "records": entries})
    assert isinstance(records, list)
    assert [record.lost for record in records] == [2, 0]
    assert _tele(lost=8).problem == "bad_tele", "more than there were"
    with pytest.raises(MalformedError):
        _parse("greenmast/1/x/log", {"boot": 1, "lost": -2, "records": entries})
