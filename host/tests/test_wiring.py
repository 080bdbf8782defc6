"""Site files name terminals; what a board cannot do is refused with the reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from greenmast import site as sites
from greenmast.errors import BAD_INPUT_FILE, UserError

SITE = """
[site]
id = "here"
board = "{board}"
[battery]
chemistry = "lfp"
capacity_ah = 300
[[bus]]
name = "meters"
[[device.genset]]
profile = "dse-7320"
bus = "meters"
address = 10
{rest}
"""
MODULE = '[[device.io]]\nprofile = "waveshare-relay-8ch"\nbus = "meters"\naddress = 1\n'
RELAY_6CH, ETH_8DI, A16 = (
    "waveshare-esp32-s3-relay-6ch",
    "waveshare-esp32-s3-eth-8di-8ro",
    "kincony-kc868-a16",
)


def load(folder: Path, board: str, rest: str) -> sites.Site:
    path = folder / "site.toml"
    path.write_text(SITE.format(board=board, rest=rest), encoding="utf-8")
    return sites.load(str(path))


def refused(folder: Path, board: str, rest: str) -> str:
    with pytest.raises(UserError) as caught:
        load(folder, board, rest)
    assert caught.value.exit_code == BAD_INPUT_FILE
    return str(caught.value)


def output(name: str, **rows: object) -> str:
    lines = [f"[output.{name}]", 'idle = "open"']
    lines += [f'{key} = "{row}"' if isinstance(row, str) else f"{key} = {row}" for key, row in rows.items()]
    return "\n".join(lines) + "\n"


def test_terminals_become_the_numbers_of_pins(tmp_path: Path) -> None:
    rest = output("grid", pin="CH3", feedback="DI3") + output("genset", pin="ch4", feedback=40)
    rest += '[input.smoke]\npin = "DI8"\nactive = "open"\n'
    site = load(tmp_path, ETH_8DI, rest)
    assert [(o.pin, o.feedback) for o in site.outputs] == [(102, 6), (103, 40)]
    assert [(i.name, i.pin, i.active) for i in site.inputs] == [("smoke", 11, "open")]
    inputs = load(tmp_path, A16, output("grid", pin="OUT16", feedback="IN9")).board_config()["outputs"]
    assert inputs["grid"] == {"pin": 115, "feedback": 108, "idle": "open", "device": None}


def test_channels_of_a_relay_module_count_from_one(tmp_path: Path) -> None:
    rest = MODULE + output("load3", pin="io.1", feedback="io.1") + output("alarm_minor", pin="io.8")
    site = load(tmp_path, "virtual", rest)
    assert [(o.pin, o.feedback) for o in site.outputs] == [(200, 200), (207, None)]
    assert "there is no [[device.io]]" in refused(tmp_path, "virtual", output("load3", pin="io.1"))


@pytest.mark.parametrize("name", ["grid", "genset", "battery", "load1"])
def test_what_must_fall_back_with_the_controller_may_not_hang_on_a_module(tmp_path: Path, name: str) -> None:
    said = refused(tmp_path, "virtual", MODULE + output(name, pin="io.1"))
    assert f"output.{name}: must not hang on a relay module" in said


def test_an_unknown_terminal_is_told_with_those_that_there_are(tmp_path: Path) -> None:
    said = refused(tmp_path, ETH_8DI, output("grid", pin="CH9", feedback="DI0"))
    assert "pin CH9: no such terminal" in said
    assert "CH1, CH2, CH3" in said
    assert "feedback DI0: no such terminal" in said
    assert "name a GPIO by its number" in refused(tmp_path, "virtual", output("grid", pin="CH1"))


def test_an_unknown_board_is_told_with_those_that_there_are(tmp_path: Path) -> None:
    said = refused(tmp_path, "esp-board", "")
    assert "site.board: unknown: esp-board" in said
    assert A16 in said


@pytest.mark.parametrize(
    ("board", "row", "why"),
    [
        (RELAY_6CH, {"pin": 17}, "GPIO 17 is for UART 1"),
        (RELAY_6CH, {"pin": 21}, "GPIO 21 is for the buzzer"),
        (RELAY_6CH, {"pin": 30}, "GPIO 30 is for flash"),
        (RELAY_6CH, {"pin": 23}, "has no GPIO 23"),
        (RELAY_6CH, {"pin": 3}, "GPIO 3 decides how the esp32s3 starts"),
        (RELAY_6CH, {"pin": 5, "feedback": 46}, "GPIO 46 is terminal CH6"),
        (RELAY_6CH, {"pin": 100}, "has 0 expander outputs"),
        (ETH_8DI, {"pin": 35}, "GPIO 35 is for external RAM"),
        (ETH_8DI, {"pin": 13}, "GPIO 13 is for Ethernet MOSI"),
        (ETH_8DI, {"pin": 4}, "GPIO 4 is terminal DI1"),
        (ETH_8DI, {"pin": 42}, "GPIO 42 is for I2C"),
        (ETH_8DI, {"pin": 108}, "has 8 expander outputs"),
        (ETH_8DI, {"pin": 100, "feedback": 100}, "has 0 expander inputs"),
        (A16, {"pin": 34}, "GPIO 34 of the esp32 is an input only"),
        (A16, {"pin": 12}, "GPIO 12 decides how the esp32 starts"),
        ("lilygo-t-can485", {"pin": 19}, "GPIO 19 is for a supply or an enable line"),
    ],
)
def test_a_pin_that_the_board_needs_itself_is_refused(
    tmp_path: Path, board: str, row: dict[str, int], why: str
) -> None:
    assert why in refused(tmp_path, board, output("pv", **row))


def test_more_lines_than_the_board_has_are_refused(tmp_path: Path) -> None:
    said = refused(tmp_path, A16, '[[bus]]\nname = "second"\n')
    assert f"bus: {A16} has 1 serial ports, not 2" in said


def test_only_the_start_line_may_be_switched_by_the_genset(tmp_path: Path) -> None:
    said = refused(tmp_path, "virtual", output("grid", device="genset"))
    assert "output.grid: cannot be switched by a device; only: genset_start" in said
    said = refused(tmp_path, "virtual", output("genset_start", device="grid"))
    assert "device must be genset" in said
    said = refused(tmp_path, "virtual", output("genset_start", device="genset", pin=5))
    assert "a pin or a device, not both" in said


def test_an_input_says_which_state_of_its_contact_tells(tmp_path: Path) -> None:
    said = refused(tmp_path, "virtual", "[input.smoke]\npin = 4\n[input.window]\npin = 5\n")
    assert "input.smoke: active must be closed or open" in said
    assert "input.window: no such input; known: door_open, mains_fail, smoke" in said


def test_an_output_is_a_table(tmp_path: Path) -> None:
    assert "[output.grid]: must be a table" in refused(tmp_path, "virtual", "[output]\ngrid = 5\n")
