"""Every board table holds to the rules of its chip and to what it says of itself."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

import pytest

from greenmast import wiring
from greenmast_fw import boards
from greenmast_protocol import config

REAL = [name for name in boards.NAMES if name != wiring.VIRTUAL]
LEAST_OUTPUTS = 4  # the two AC contactors, the battery's and the start line
KINDS = {"tca9554": range(0x20, 0x28), "pcf8574": range(0x20, 0x28)}  # chip -> addresses that it can have
CLOCKS = {"pcf85063a": 0x51}
HIGH_MAX_MS = 30_000


@pytest.fixture(params=REAL)
def board(request: pytest.FixtureRequest) -> wiring.Board:
    return wiring.board(request.param)


def gpios(board: wiring.Board) -> list[tuple[int, str]]:
    """(GPIO, use) of everything in the table, terminals included."""
    found = [(pin, "I2C") for pin in (board.I2C or ())[:2]]
    for uart, tx, rx, de in board.UARTS:
        found += [(pin, f"UART {uart}") for pin in (tx, rx, de) if pin is not None]
    found += [(pin, name) for name, pin in (*board.TERMINALS_OUT, *board.TERMINALS_IN) if pin < 100]
    found += [(pin, f"Ethernet {signal}") for signal, pin in board.ETHERNET]
    found += [(pin, "high") for pin in board.HIGH]
    found += [(pin, "LED or buzzer") for pin in (board.LED, board.BUZZER) if pin is not None]
    return found + list(board.RESERVED)


def test_there_are_boards_of_both_chips_with_expanders_and_without() -> None:
    tables = [wiring.board(name) for name in REAL]
    assert len(tables) >= 6
    assert {table.CHIP for table in tables} == {"esp32", "esp32s3"}
    assert {bool(table.EXPANDERS) for table in tables} == {True, False}
    assert any(table.ETHERNET for table in tables)


def test_a_table_is_a_table_and_nothing_else(board: wiring.Board) -> None:
    path = Path(boards.__path__[0]) / f"{board.NAME.replace('-', '_')}.py"
    body = ast.parse(path.read_text(encoding="utf-8")).body
    names = [node.targets[0].id for node in body[1:] if isinstance(node, ast.Assign)]  # type: ignore[attr-defined]
    assert len(names) == len(body) - 1, "assignments only"
    assert set(names) == set(wiring.Board.__annotations__)
    assert board.TEXT
    assert len(board.SOURCES) >= 2


def test_every_pin_exists_and_has_one_use(board: wiring.Board) -> None:
    chip = wiring.CHIPS[board.CHIP]
    uses = gpios(board)
    taken = chip.flash | chip.ram[board.RAM] | chip.console
    for pin, use in uses:
        assert pin in chip.pins, f"{use}: the {board.CHIP} has no GPIO {pin}"
        assert pin not in taken, f"{use}: GPIO {pin} is for flash, external RAM or the console"
    twice = [pin for pin, count in Counter(pin for pin, _ in uses).items() if count > 1]
    assert not twice, [use for use in uses if use[0] in twice]


def test_what_drives_is_on_a_pin_that_can(board: wiring.Board) -> None:
    inputs_only = wiring.CHIPS[board.CHIP].inputs
    drives = [pin for _, pin in board.TERMINALS_OUT if pin < 100]
    drives += [pin for _, tx, _, de in board.UARTS for pin in (tx, de) if pin is not None]
    drives += [*board.HIGH, *(board.I2C or ())[:2]]
    assert not inputs_only & set(drives)


def test_uarts_leave_the_console_alone_and_are_no_more_than_the_chip_has(board: wiring.Board) -> None:
    numbers = [row[0] for row in board.UARTS]
    assert 1 <= len(numbers) <= wiring.UARTS_MAX
    assert len(set(numbers)) == len(numbers)
    assert all(1 <= number < wiring.UARTS_MAX for number in numbers), "UART 0 is the console"


def test_terminals_have_names_of_their_own_and_there_are_enough(board: wiring.Board) -> None:
    assert len(board.TERMINALS_OUT) >= LEAST_OUTPUTS
    for terminals in (board.TERMINALS_OUT, board.TERMINALS_IN):
        assert len({name.upper() for name, _ in terminals}) == len(terminals)
        assert len({pin for _, pin in terminals}) == len(terminals)
        assert not [name for name, _ in terminals if name.lower().startswith("io.")]


def test_expander_pins_are_those_of_the_chips(board: wiring.Board) -> None:
    addresses = [address for _, address, _ in board.EXPANDERS]
    for chip, address, direction in board.EXPANDERS:
        assert address in KINDS[chip]
        assert direction in ("out", "in")
    if board.RTC:
        assert CLOCKS[board.RTC[0]] == board.RTC[1]
        addresses.append(board.RTC[1])
    assert len(set(addresses)) == len(addresses)
    assert (board.I2C is not None) == bool(addresses)
    for direction, terminals in (("out", board.TERMINALS_OUT), ("in", board.TERMINALS_IN)):
        bits = 8 * [way for _, _, way in board.EXPANDERS].count(direction)
        used = [pin - config.EXPANDER for _, pin in terminals if pin >= config.EXPANDER]
        assert sorted(used) == list(range(bits)), "every bit has a terminal"


def test_a_gpio_that_drives_a_relay_is_off_when_the_chip_lets_go(board: wiring.Board) -> None:
    on_gpio = [name for name, pin in board.TERMINALS_OUT if pin < 100]
    assert board.RELAY_ACTIVE == 1 or not on_gpio


def test_what_may_move_at_reset_is_told_with_what_to_do_about_it(board: wiring.Board) -> None:
    chip = wiring.CHIPS[board.CHIP]
    terminals = dict(board.TERMINALS_OUT)
    straps = {pin for pin in terminals.values() if pin in chip.strapping}
    assert straps == set(board.STRAPPING)
    told = {name for name, why, inhibit in board.PULSES if why and inhibit}
    assert told <= set(terminals)
    assert {name for name, pin in terminals.items() if pin in straps} <= told


def test_the_watchdog_outlasts_a_slow_scan_and_no_more(board: wiring.Board) -> None:
    assert 2_000 <= board.WATCHDOG_MS <= HIGH_MAX_MS
