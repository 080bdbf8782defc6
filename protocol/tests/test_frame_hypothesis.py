"""Framing and JSON dialect under generated input."""

from __future__ import annotations

import itertools
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from greenmast_protocol import frame, message, strict_json

INTEGERS = st.integers(-(2**63), 2**63 - 1)
TEXT = st.text(st.characters(blacklist_categories=["Cs"]), max_size=20)
KEYS = st.text(st.characters(blacklist_categories=["Cs", "Cc"], blacklist_characters='"\\'), max_size=8)
VALUES = st.recursive(
    st.none() | st.booleans() | INTEGERS | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


def split(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(c % (len(data) + 1) for c in cuts), len(data)]
    return [data[a:b] for a, b in itertools.pairwise(edges)]


@given(
    bodies=st.lists(st.dictionaries(KEYS, VALUES, max_size=3), max_size=5),
    cuts=st.lists(st.integers(0), max_size=9),
)
def test_frames_come_back_whole_however_they_are_split(bodies: list[dict[str, Any]], cuts: list[int]) -> None:
    raw = [strict_json.dumps(body) for body in bodies]
    decoder = frame.FrameDecoder(100_000)
    events = []
    for piece in split(b"".join(frame.encode(body) for body in raw), cuts):
        events += decoder.feed(piece)
    assert events == [(frame.FRAME, body) for body in raw]


@given(noise=st.binary(max_size=600), cuts=st.lists(st.integers(0), max_size=9))
def test_after_any_noise_and_a_newline_the_next_frame_is_read(noise: bytes, cuts: list[int]) -> None:
    decoder = frame.FrameDecoder()
    for piece in split(noise, cuts):
        decoder.feed(piece)
    assert decoder.feed(b"\n" + frame.encode(b'{"id":1}'))[-1] == (frame.FRAME, b'{"id":1}')


@given(data=st.binary(max_size=300))
def test_parsing_any_bytes_raises_nothing(data: bytes) -> None:
    message.parse(data)


@given(value=VALUES)
def test_what_is_written_is_read_back(value: Any) -> None:
    data = strict_json.dumps({"v": value})
    if depth({"v": value}) <= strict_json.DEPTH_MAX:
        assert strict_json.loads(data) == {"v": value}


@given(text=st.text(st.sampled_from(list('{}[]":,0123456789-+.eE \\nutrufalsé')), max_size=24))
def test_whatever_the_strict_reader_takes_the_standard_one_reads_alike(text: str) -> None:
    try:
        value = strict_json.loads(text.encode())
    except ValueError:
        return
    assert value == json.loads(text)


def depth(value: object) -> int:
    if isinstance(value, dict):
        return 1 + max(map(depth, value.values()), default=0)
    if isinstance(value, list):
        return 1 + max(map(depth, value), default=0)
    return 0
