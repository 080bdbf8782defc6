"""Key files: what is taken, what is refused with its remedy, and what a board gets of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from greenmast import access
from greenmast import site as sites
from greenmast.cli import options
from greenmast.errors import BAD_INPUT_FILE, UserError
from greenmast.link.mqtt import MqttLink
from greenmast_protocol import slot

HEX = bytes(range(32)).hex()
SHIPPED = Path(sites.__file__).parent / "sites" / "india-rural.toml"


def site_file(folder: Path, keys: str) -> str:
    file = folder / "mast.toml"
    file.write_text(SHIPPED.read_text().replace("[access]", f"[access]\nkeys = {keys}"))
    return str(file)


def test_a_key_is_64_digits_and_called_like_its_file(tmp_path: Path) -> None:
    for text in (HEX, HEX.upper() + "\n", f"  {HEX[:32]} {HEX[32:]}\n\n"):
        (tmp_path / "night-shift.key").write_text(text)
        assert access.read(tmp_path / "night-shift.key") == access.Key("night-shift", bytes(range(32)))


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "64 hexadecimal digits"),
        (HEX[:-2].encode(), "openssl rand -hex 32"),
        (HEX.encode() * 2, "64 hexadecimal digits"),
        (b"x" * 64, "64 hexadecimal digits"),
        (b"\xff" * 32, "64 hexadecimal digits"),
    ],
)
def test_what_is_no_key_is_refused_with_the_remedy(tmp_path: Path, content: bytes, says: str) -> None:
    file = tmp_path / "ops.key"
    file.write_bytes(content)
    with pytest.raises(UserError, match=says) as bad:
        access.read(file)
    assert bad.value.exit_code == BAD_INPUT_FILE
    assert HEX[:16] not in bad.value.message


def test_a_file_that_is_not_there_or_cannot_name_a_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        access.read(tmp_path / "ops.key")
    with pytest.raises(UserError, match="other characters"):
        access.read(tmp_path / "Ops key.key")


def test_a_board_gets_its_keys_twice_and_its_configuration_has_none(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "ops.key").write_text(HEX)
    (tmp_path / "hub.key").write_text("ff" * 32)
    site = sites.load(site_file(tmp_path, '["keys/ops.key", "hub.key"]'))
    files = access.board_files(site.key_files)
    assert sorted(files) == ["access.a", "access.b"]
    for number, name in enumerate(sorted(files), 1):
        stored = slot.unpack(files[name])
        assert stored is not None
        assert (stored[0], json.loads(stored[1])) == (number, {"ops": HEX, "hub": "ff" * 32})
    assert HEX not in json.dumps(site.board_config())
    assert "access" not in site.board_config()


def test_who_has_not_every_key_may_check_a_site_file_and_not_flash_it(tmp_path: Path) -> None:
    site = sites.load(site_file(tmp_path, '["ops.key"]'))
    with pytest.raises(UserError, match=r"ops\.key cannot be read"):
        access.board_files(site.key_files)
    assert access.board_files(()) == {}


@pytest.mark.parametrize(
    ("keys", "says"),
    [
        ('"ops.key"', "must be a list"),
        ("[1]", "must be a list"),
        ('["Ops.key"]', "Ops: a key's name, which is that of its file, has other characters"),
        ('["ops.key", "more/ops.key"]', "2 are called ops"),
        (json.dumps(["ops.key"] * 9), "at most 8"),
    ],
)
def test_wrong_keys_in_a_site_file_are_reasons_against_it(tmp_path: Path, keys: str, says: str) -> None:
    with pytest.raises(UserError, match=says) as bad:
        sites.load(site_file(tmp_path, keys))
    assert bad.value.exit_code == BAD_INPUT_FILE


def test_the_key_comes_from_the_option_else_from_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ops.key").write_text(HEX)
    (tmp_path / "hub.key").write_text("ff" * 32)
    given: list[access.Key | None] = []
    monkeypatch.setattr(MqttLink, "__init__", lambda _, url, site, key: given.append(key))
    monkeypatch.delenv(access.VARIABLE, raising=False)
    options.connect(None, "mqtt://h", "mast-7")
    monkeypatch.setenv(access.VARIABLE, str(tmp_path / "hub.key"))
    options.connect(None, "mqtt://h", "mast-7")
    options.connect(None, "mqtt://h", "mast-7", str(tmp_path / "ops.key"))
    assert [key and key.name for key in given] == [None, "hub", "ops"]
