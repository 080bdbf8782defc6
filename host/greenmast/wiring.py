"""Pins of a site file: what a person writes, as the numbers of a configuration, and what a board forbids.

Owns the terminals and GPIOs of real boards as far as a site file may name them. The board tables are the
firmware's (`greenmast_fw.boards`), the rules that need no board those of `greenmast_protocol.config`. Must
not know plants or links.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from greenmast_fw import boards
from greenmast_fw.devices import binding
from greenmast_protocol import config

NAMES = boards.NAMES
VIRTUAL = "virtual"


class Board(Protocol):
    """A board table; `greenmast_fw.boards` says what the rows mean."""

    NAME: str
    TEXT: str
    SOURCES: tuple[str, ...]
    SINGLE_SOURCE: tuple[str, ...]
    CHIP: str
    RAM: str
    UARTS: tuple[tuple[int, int, int, int | None], ...]
    TERMINALS_OUT: tuple[tuple[str, int], ...]
    TERMINALS_IN: tuple[tuple[str, int], ...]
    RELAY_ACTIVE: int
    INPUTS_INVERTED: bool
    I2C: tuple[int, int, int] | None
    EXPANDERS: tuple[tuple[str, int, str], ...]
    HIGH: tuple[int, ...]
    ETHERNET: tuple[tuple[str, int], ...]
    RTC: tuple[str, int] | None
    LED: int | None
    BUZZER: int | None
    RESERVED: tuple[tuple[int, str], ...]
    STRAPPING: tuple[int, ...]
    PULSES: tuple[tuple[str, str, str], ...]
    WATCHDOG_MS: int


class Chip:
    """Which GPIOs a chip has. `flash`: those of its flash; `ram`: those of external RAM, by its kind."""

    def __init__(
        self,
        pins: Iterable[int],
        inputs: Iterable[int],
        flash: Iterable[int],
        ram: Mapping[str, Iterable[int]],
        strapping: Iterable[int],
        console: Iterable[int],
    ) -> None:
        self.pins = frozenset(pins)
        self.inputs = frozenset(inputs)  # neither output nor pull-up
        self.flash = frozenset(flash)
        self.ram = {kind: frozenset(them) for kind, them in ram.items()}
        self.strapping = frozenset(strapping)
        self.console = frozenset(console)  # UART 0 or USB, over which the board is flashed and asked


# ESP32 datasheet 5.2 and ESP32-S3 datasheet 2.3, 3.0 (pins, strapping pins, pins of flash and PSRAM); three
# UARTs each.
CHIPS = {
    "esp32": Chip(
        pins=(*range(20), 21, 22, 23, 25, 26, 27, *range(32, 40)),
        inputs=range(34, 40),
        flash=range(6, 12),
        ram={"": (), "quad": (16, 17)},
        strapping=(0, 2, 5, 12, 15),
        console=(1, 3),
    ),
    "esp32s3": Chip(
        pins=(*range(22), *range(26, 49)),
        inputs=(),
        flash=range(26, 33),
        ram={"": (), "octal": range(33, 38)},
        strapping=(0, 3, 45, 46),
        console=(19, 20),
    ),
}
UARTS_MAX = 3


def board(name: str) -> Board:
    """The table of a board. Raises KeyError for an unknown one."""
    return boards.load(name)  # type: ignore[return-value]


def number(board: Board, written: object, is_output: bool) -> object:
    """The number of the pin that is written as a terminal, as "io.3" or as a number; else what is written."""
    if not isinstance(written, str):
        return written
    module, _, channel = written.partition(".")
    if module == "io" and channel.isdecimal() and int(channel) > 0:
        return config.MODULE + int(channel) - 1
    terminals = board.TERMINALS_OUT if is_output else board.TERMINALS_IN
    return {name.upper(): pin for name, pin in terminals}.get(written.upper(), written)


def compiled(document: Mapping[str, Any]) -> dict[str, Any]:
    """The sections `outputs` and `inputs`, terminals as numbers. What is no terminal stays as written."""
    name = document["site"]["board"]
    table = board(name if name in NAMES else VIRTUAL)
    outputs = {}
    for output, row in document.get("output", {}).items():
        outputs[output] = {key: row.get(key) for key in ("pin", "feedback", "idle", "device")}
        if outputs[output]["device"] is not None:  # no contacts, no coil: nothing else would make sense
            outputs[output]["idle"] = row.get("idle", "open")
        for key, is_output in (("pin", True), ("feedback", False)):
            outputs[output][key] = number(table, row.get(key), is_output)
    inputs = {
        name: {"pin": number(table, row.get("pin"), False), "active": row.get("active")}
        for name, row in document.get("input", {}).items()
    }
    return {"outputs": outputs, "inputs": inputs}


def used(board: Board) -> dict[int, str]:
    """GPIO -> what it is for, of all that the board itself uses; terminals and free pins are not in it."""
    chip = CHIPS[board.CHIP]
    found: dict[int, str] = dict.fromkeys(sorted(chip.flash), "flash")
    found.update(dict.fromkeys(sorted(chip.ram[board.RAM]), "external RAM"))
    found.update(dict.fromkeys(sorted(chip.console), "the console"))
    for uart, *pins in board.UARTS:
        found.update({pin: f"UART {uart}" for pin in pins if pin is not None})
    if board.I2C:
        found.update(dict.fromkeys(board.I2C[:2], "I2C"))
    found.update({pin: f"Ethernet {signal}" for signal, pin in board.ETHERNET})
    found.update(dict.fromkeys(board.HIGH, "a supply or an enable line of the board"))
    parts = (*board.RESERVED, (board.LED, "the LED"), (board.BUZZER, "the buzzer"))
    found.update((pin, what) for pin, what in parts if pin is not None)
    return found


def refusal(board: Board, pin: int, is_output: bool) -> str:
    """Why this board cannot use `pin` so, or ""."""
    if pin >= config.MODULE:
        return ""
    terminals = board.TERMINALS_OUT if is_output else board.TERMINALS_IN
    if pin >= config.EXPANDER:
        direction = "out" if is_output else "in"
        bits = 8 * sum(1 for _, _, way in board.EXPANDERS if way == direction)
        return "" if pin - config.EXPANDER < bits else f"{board.NAME} has {bits} expander {direction}puts"
    chip = CHIPS[board.CHIP]
    if board.NAME == VIRTUAL or pin in [gpio for _, gpio in terminals]:
        return ""
    if pin not in chip.pins:
        return f"the {board.CHIP} has no GPIO {pin}"
    if is_output and pin in chip.inputs:
        return f"GPIO {pin} of the {board.CHIP} is an input only"
    if pin in (taken := used(board)):
        return f"GPIO {pin} is for {taken[pin]} on {board.NAME}"
    for name, gpio in (*board.TERMINALS_OUT, *board.TERMINALS_IN):
        if gpio == pin:
            return f"GPIO {pin} is terminal {name} of {board.NAME}, an {'input' if is_output else 'output'}"
    if pin in chip.strapping:
        return f"GPIO {pin} decides how the {board.CHIP} starts (strapping pin)"
    return ""


def problems(document: Mapping[str, Any], compiled: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(place, text) of everything in the site file that its board cannot do."""
    name = compiled["site"]["board"]
    if name not in NAMES:
        return [("site.board", f"unknown: {name}; known: {', '.join(NAMES)}")]
    table = board(name)
    out = []
    serial = [bus for bus in compiled["buses"] if not bus.get("tcp")]
    if len(serial) > len(table.UARTS):
        out.append(("bus", f"{name} has {len(table.UARTS)} serial ports, not {len(serial)}"))
    for section, key, is_output in (
        ("output", "pin", True),
        ("output", "feedback", False),
        ("input", "pin", False),
    ):
        for row in document.get(section, {}):
            pin = compiled[f"{section}s"][row].get(key)
            if isinstance(pin, str):
                out.append((f"{section}.{row}", f"{key} {pin}: {_unknown(table, pin, is_output)}"))
            elif isinstance(pin, int) and (why := refusal(table, pin, is_output)):
                out.append((f"{section}.{row}", f"{key}: {why}"))
    return out


def _unknown(table: Board, written: str, is_output: bool) -> str:
    names = [name for name, _ in (table.TERMINALS_OUT if is_output else table.TERMINALS_IN)]
    if not names:
        return f"{table.NAME} has no such terminals: name a GPIO by its number, or io.N of a relay module"
    near = difflib.get_close_matches(written.upper(), [name.upper() for name in names], n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    return f"no such terminal; {table.NAME} has {', '.join(names)}, a relay module io.1 and so on{hint}"


def unswitchable(compiled: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(place, text) of outputs that a device shall switch whose product cannot."""
    out = []
    for name, role in config.BY_DEVICE.items():
        for device in compiled["devices"] if compiled["outputs"].get(name, {}).get("device") == role else ():
            if device["role"] != role or device["profile"] not in binding.PROFILES:
                continue
            rows = getattr(binding.load(device["profile"]), "SWITCHES", ())
            if f"output.{name}" not in [switch[0] for switch in rows]:
                out.append((f"output.{name}", f"{device['profile']} cannot switch it: give it a pin"))
    return out
