"""Configuration files: what is wrong with them is told with place, line and remedy."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from greenmast import site as sites
from greenmast.config import difference, problems, run, schema, source
from greenmast.errors import UserError
from greenmast_protocol import config, params

GOOD = (Path(sites.__file__).parent / "sites" / "india-rural.toml").read_text(encoding="utf-8")
DOCUMENT = source.read("india-rural").document(4)
COMPACT = source.compact(DOCUMENT)


def line(text: str, part: str) -> int:
    return next(i for i, line in enumerate(text.splitlines(), 1) if part in line)


def changed(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new)


def told(tmp_path: Path, text: str | bytes, name: str = "site.toml") -> list[problems.Problem]:
    file = tmp_path / name
    file.write_bytes(text.encode() if isinstance(text, str) else text)
    return problems.of(str(file))


@pytest.mark.parametrize("name", sites.names())
def test_the_reference_sites_are_accepted_and_fit_the_schema(name: str) -> None:
    assert problems.of(name) == []
    text = (Path(sites.__file__).parent / "sites" / f"{name}.toml").read_text(encoding="utf-8")
    jsonschema.validate(tomllib.loads(text), schema.build())


@pytest.mark.parametrize(
    ("text", "place", "part", "at"),
    [
        ("", "[site] id", "missing", ""),
        (GOOD.split("[battery]")[0], "[battery] chemistry", "missing", ""),
        (GOOD + "\n[limits]\n", "file", "not valid TOML", ""),
        (changed("cells = 15", "cells = 15\ncells = 16"), "file", "line", ""),
        (changed("cells = 15", 'cells = "15"'), "battery.cells", "integer", "cells ="),
        (changed("[solar]", "[solr]"), "[solr]", "did you mean: solar", "[solr]"),
        (changed("kwp", "kpw"), "[solar] kpw", "did you mean: kwp", "kpw"),
        (
            changed("address = 10\n", "address = 1\n"),
            "device.genset",
            "address 1 is taken",
            "[[device.genset]]",
        ),
        (changed("pin = 2\n", "pin = 1\n"), "output.genset", "GPIO 1 is already", "[output.genset]"),
        (
            changed('"grid.return_delay_s" = 120', '"source.dead_time_ms" = 0'),
            "source.dead_time_ms",
            "0 must be an integer in 100 .. 60000",
            "dead_time",
        ),
        (
            changed('"grid.return_delay_s" = 120', '"lvd.reconnect_mv" = 47_600'),
            "lvd.reconnect_mv",
            "must exceed lvd.tier3_mv",
            "lvd.reconnect_mv",
        ),
        (
            changed('"grid.return_delay_s" = 120', '"genset.soc_start_permille" = 900'),
            "genset.soc_stop_permille",
            "must exceed genset.soc_start_permille = 900",
            "soc_start",
        ),
        (
            changed('"grid.return_delay_s" = 120', "[limits.grid]\nreturn_dely_s = 1"),
            "grid.return_dely_s",
            "did you mean: grid.return_delay_s",
            "return_dely_s",
        ),
        (changed("latitude = 25.6", 'latitude = "N"'), "[site] latitude", "must be a number", "latitude"),
        ("schema = 2\n" + GOOD, "[schema]", "no such", ""),
    ],
)
def test_what_is_wrong_is_told_with_its_place_and_line(
    tmp_path: Path, text: str, place: str, part: str, at: str
) -> None:
    found = [problem for problem in told(tmp_path, text) if problem.place == place]
    assert found, told(tmp_path, text)
    assert part in found[0].text
    assert found[0].remedy
    if at:
        near = {line(text, at), *(i for i in range(line(text, at), line(text, at) + 4))}
        assert found[0].line in near, (found[0], line(text, at))


def test_every_reason_is_listed_at_once(tmp_path: Path) -> None:
    text = changed("address = 10\n", "address = 1\n").replace("pin = 2\n", "pin = 1\n")
    text = text.replace('"grid.return_delay_s" = 120', '"no.such_thing_s" = 1\n"source.dead_time_ms" = 0')
    places = [problem.place for problem in told(tmp_path, text)]
    assert sorted(places) == ["device.genset", "no.such_thing_s", "output.genset", "source.dead_time_ms"]


def test_a_byte_order_mark_is_no_obstacle_in_a_site_file(tmp_path: Path) -> None:
    assert told(tmp_path, b"\xef\xbb\xbf" + GOOD.encode()) == []


@pytest.mark.parametrize("name", ["site.toml", "board.json"])
def test_ten_megabytes_and_bytes_that_are_no_text_are_refused(tmp_path: Path, name: str) -> None:
    assert "bytes" in told(tmp_path, b"# \n" * 3_500_000, name)[0].text
    file = tmp_path / name
    file.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError):
        source.read(str(file))


@pytest.mark.parametrize(
    ("data", "place", "part"),
    [
        (b"", "file", "empty"),
        (b"\xef\xbb\xbf" + COMPACT, "file", "byte order mark"),
        (COMPACT[:-20], "file", "JSON"),
        (COMPACT.replace(b'"mqtt":', b'"mqtt":{},"mqtt":'), "file", "different things"),
        (COMPACT.replace(b'"schema":1', b'"schema":2'), "schema", "unknown schema 2: this version knows 1"),
        (COMPACT.replace(b'"schema":1', b'"schema":true'), "schema", "unknown schema"),
        (COMPACT.replace(b'"cells":15', b'"cells":15.5'), "file", "JSON"),
        (COMPACT.replace(b'"cells":15', b'"cells":true'), "battery.cells", "integer"),
        (COMPACT.replace(b'"revision":4', b'"revision":"4"'), "revision", "number"),
        (COMPACT.replace(b'"revision":4', b'"revision":0'), "revision", "number"),
        (COMPACT.replace(b'"outputs":{', b'"outputs":{"grid":5,"ungrid":'), "file", "JSON"),
        (b"[" * 10_000, "file", "JSON"),
        (b"7", "config", "object"),
    ],
)
def test_a_document_that_is_none_is_refused(tmp_path: Path, data: bytes, place: str, part: str) -> None:
    assert data != COMPACT
    found = [problem for problem in told(tmp_path, data, "board.json") if problem.place == place]
    assert found, told(tmp_path, data, "board.json")
    assert part in found[0].text


def test_what_show_prints_can_be_applied_again(tmp_path: Path) -> None:
    file = tmp_path / "board.json"
    file.write_bytes(COMPACT)
    read = source.read(str(file))
    assert (read.made_from, read.document(5)["revision"]) == (4, 5)
    assert source.compact(read.document(5)).startswith(b'{"schema":1,"revision":5,')
    assert difference.between(DOCUMENT, read.document(5)) == []


def test_a_difference_names_parameters_with_their_units_and_parts_with_their_places() -> None:
    new: dict[str, Any] = json.loads(COMPACT)
    new["params"] |= {"genset.data_lost": 2, "lvd.tier1_mv": 45_500, "policy.cheap_end_min": 425}
    new["outputs"]["pv"]["pin"] = 40
    new["devices"] = new["devices"][1:]
    changes = {change.name: (change.was, change.becomes) for change in difference.between(DOCUMENT, new)}
    assert changes["genset.data_lost"] == ("start", "stop")
    assert changes["lvd.tier1_mv"] == ("45.00 V", "45.50 V")
    assert changes["policy.cheap_end_min"] == ("07:00", "07:05")
    assert changes["output.pv.pin"] == ("41", "40")
    assert changes["device.grid.1.profile"] == ("eastron-sdm230", "none")
    assert all(change.effect for change in difference.between(DOCUMENT, new) if params.row(change.name))


def test_the_schema_refuses_what_the_rules_of_single_values_refuse() -> None:
    good = tomllib.loads(GOOD)
    for section, key, value in (
        ("limits", "source.dead_time_ms", 0),
        ("limits", "no.such", 1),
        ("site", "policy", "sunny"),
        ("battery", "cells", 0),
        ("solr", "kwp", 1),
    ):
        with pytest.raises(jsonschema.ValidationError):
            jsonschema.validate(good | {section: good.get(section, {}) | {key: value}}, schema.build())


def test_check_says_line_and_remedy_and_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "site.toml"
    text = changed('"grid.return_delay_s" = 120', '"source.dead_time_ms" = 0')
    file.write_text(text)
    assert run.check(str(file), json_output=False) == 5
    assert f"{file}:{line(text, 'dead_time')}: source.dead_time_ms: 0 must" in capsys.readouterr().out
    assert run.check(str(file), json_output=True) == 5
    document = json.loads(capsys.readouterr().out)
    assert (document["accepted"], document["problems"][0]["place"]) == (False, "source.dead_time_ms")
    assert run.check("india-rural", json_output=True) == 0
    assert json.loads(capsys.readouterr().out)["accepted"] is True


LEAVES = st.none() | st.booleans() | st.integers(-(2**40), 2**40) | st.text(max_size=8)
VALUES = st.recursive(
    LEAVES, lambda v: st.lists(v, max_size=3) | st.dictionaries(st.text(max_size=6), v, max_size=3)
)


@settings(max_examples=300, deadline=None)
@given(data=st.data())
def test_no_document_whatever_is_in_it_makes_the_rules_fail(data: st.DataObject) -> None:
    document: Any = json.loads(COMPACT)
    for _ in range(data.draw(st.integers(1, 3))):
        at = document
        while True:
            keys = list(at) if isinstance(at, dict) else list(range(len(at)))
            if not keys:
                break
            key = data.draw(st.sampled_from(keys))
            if not isinstance(at[key], dict | list) or data.draw(st.booleans()):
                at[key] = data.draw(VALUES)
                break
            at = at[key]
    for place, text in config.problems(document):
        assert isinstance(place, str)
        assert text
