"""Writes those documents, and parts of documents, that follow from the tables: `make docs`.

A fact stands in one table; here are only the words around it. `pages` is what the test compares.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Iterable
from itertools import groupby
from pathlib import Path
from typing import Any

from greenmast_fw import boards
from greenmast_fw.core import alarms as lives
from greenmast_fw.core import demand, genset, grid, source, stages, thresholds
from greenmast_fw.devices import binding, profile
from greenmast_protocol import (
    alarm_text,
    alarms,
    config,
    param_text,
    params,
    points,
    reason_text,
    reasons,
    show,
    units,
)
from greenmast_protocol.config import EXPANDER

HERE = Path(__file__).parent
NOTE = "<!-- Written by `make docs` from the tables: change those. -->\n"

Row = tuple[int, "int | str", int]


# ---- state machines --------------------------------------------------------------------------------


def label(event: int | str) -> str:
    return reason_text.brief(event) if isinstance(event, int) else event


def diagram(rows: Iterable[Row], words: Iterable[str], around: str, start: int, direction: str = "TB") -> str:
    """A Mermaid state diagram. What leads from most states to the same place is drawn once, from `around`."""
    states = [word.replace("_", " ") for word in words]
    edges: dict[tuple[int, int], list[str]] = {}
    for before, event, after in rows:
        edges.setdefault((before, after), []).append(label(event))
    shared: dict[tuple[str, int], list[int]] = {}
    for (before, after), labels in edges.items():
        for text in labels:
            shared.setdefault((text, after), []).append(before)
    groups = Counter(tuple(befores) for befores in shared.values() if len(befores) > 4)
    inside = groups.most_common(1)[0][0] if groups else ()
    common = [key for key, befores in shared.items() if tuple(befores) == inside]
    lines = ["stateDiagram-v2", f"    direction {direction}"]
    lines += [f"    s{i}: {state}" for i, state in enumerate(states)]
    lines.append(f"    [*] --> s{start}")
    drawn: list[tuple[bool, str]] = []
    for (before, after), labels in edges.items():
        own = [text for text in labels if (text, after) not in common]
        if own:
            within = before in inside and after in inside
            drawn.append((within, f"s{before} --> s{after}: {'<br/>'.join(own)}"))
    if inside:
        lines.append(f'    state "{around}" as group {{')
        lines += [f"        s{i}" for i in inside]
        lines += [f"        {text}" for within, text in drawn if within]
        lines.append("    }")
        for after in sorted({key[1] for key in common}):
            texts = "<br/>".join(text for text, place in common if place == after)
            lines.append(f"    group --> s{after}: {texts}")
    lines += [f"    {text}" for within, text in drawn if not within]
    return "\n".join(["```mermaid", *lines, "```", ""])


MACHINES = (
    (
        "Genset",
        "`core/genset.py`. What leads to stopping from the frame does so from every state in it.",
        diagram(genset.TRANSITIONS, points.GENSET_STATES, "start line held", genset.OFF),
    ),
    (
        "AC source",
        "`core/source.py`. There is no way from one source to the other but through none: break before make.",
        diagram(source.TRANSITIONS, points.AC_SOURCES, "", source.NONE, "LR"),
    ),
    (
        "Grid",
        "`core/grid.py`. Held is a grid in use that is not measured good just now: it may stay "
        "connected, but not be connected.",
        diagram(grid.TRANSITIONS, grid.STATES, "", grid.LOST, "LR"),
    ),
    (
        "Charging",
        "`core/stages.py`, with what `core/lfp.py` and `core/vrla.py` add.",
        diagram(stages.TRANSITIONS, stages.STAGES, "", stages.BULK, "LR"),
    ),
    (
        "Alarm",
        "`core/alarms.py`; ISA-18.2. Suppressed is on, but hidden under its cause.",
        diagram(lives.TRANSITIONS, alarms.STATES, "not shelved", lives.NORMAL),
    ),
)


def state_machines() -> str:
    out = "# State machines\n\n" + NOTE
    out += """
Drawn from the `TRANSITIONS` tables of the modules named. `firmware/tests/core/test_transitions.py` walks
at random until it has met every transition that is drawn, and fails on one that is not.
"""
    for title, text, picture in MACHINES:
        out += f"\n## {title}\n\n{text}\n\n{picture}"
    return out


# ---- tables ----------------------------------------------------------------------------------------

UNITS = {
    "mv": "mV",
    "ma": "mA",
    "w": "W",
    "s": "s",
    "ms": "ms",
    "chz": "0.01 Hz",
    "permille": "‰",
    "dc": "0.1 °C",
    "uv": "µV",
    "uohm": "µΩ",
    "l": "l",
    "h": "ml/h",
    "kwh": "ml/kWh",
    "days": "d",
    "min": "minute of the day",
}


def reads(name: str, value: int) -> str:
    """The value, and in brackets how people say it, where that is something else."""
    words = params.CHOICES.get(name)
    unit = units.of(name)
    said = ""
    if words:
        said = words[value]
    elif name.endswith("_min"):
        said = f"{value // 60:02d}:{value % 60:02d}"
    elif unit and unit not in ("w", "ms") and value:
        said = show.quantity(value, unit)
    return f"{value} ({said})" if said and said != f"{value} s" else str(value)


def table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    columns = list(head)
    lines = [columns, ["---"] * len(columns), *rows]
    return "".join("| " + " | ".join(str(cell) for cell in line) + " |\n" for line in lines)


def parameters() -> str:
    out = "# Parameters\n\n" + NOTE
    out += """
Every setting of the controller, as it stands under `[limits]` of a site file: an integer in the unit that
ends its name, or one of its words. Times of day are minutes since midnight, local.
"""
    for group, rows in groupby(params.PARAMS, lambda row: row[0].split(".")[0]):
        body = [
            (
                f"`{name}`",
                reads(name, default),
                " or ".join(params.CHOICES[name]) if name in params.CHOICES else f"{low} .. {high}",
                "" if name in params.CHOICES else UNITS.get(name.split("_")[-1], ""),
                param_text.TEXTS[name],
            )
            for name, default, low, high in rows
        ]
        out += f"\n## {group}\n\n" + table(("name", "default", "range", "unit", "what for"), body)
    out += """
## Defaults that hang on the battery

Per cell, in mV. The defaults above are those of 15 LFP cells; a site file that names chemistry and cells gets
its own.

"""
    names = list(params.PER_CELL["lfp"])
    kinds = list(params.PER_CELL)
    out += table(("name", *kinds), [(f"`{n}`", *(params.PER_CELL[k][n] for k in kinds)) for n in names])
    out += """
## What must stay apart

A configuration in which the second is not above the first by at least so much is refused, with every reason.
Two zeros switch the rule off.

"""
    out += table(
        ("lower", "upper", "by at least"),
        [(f"`{low}`", f"`{up}`", reads(low, by)) for low, up, by in params.PAIRS],
    )
    return out


def alarm_list() -> str:
    out = "# Alarms\n\n" + NOTE
    out += """
Every alarm that the board can raise. It is raised when its condition has held for the on-delay, and over when
it has been absent for the off-delay; its life is drawn in [State machines](state-machines.md#alarm). While
its cause is on, it is not raised, or hidden. `greenmast alarms` shows those of a board.
"""
    for severity in (alarms.CRITICAL, alarms.MAJOR, alarms.MINOR, alarms.WARNING):
        body = [
            (
                f"`{name}`",
                *alarm_text.TEXTS[name],
                show.duration(on_s),
                show.duration(off_s),
                cause and f"`{cause}`",
            )
            for name, weight, on_s, off_s, cause in alarms.ALARMS
            if weight == severity
        ]
        out += f"\n## {severity}\n\n"
        out += table(("name", "what it says", "what to do", "on-delay", "off-delay", "cause"), body)
    return out


def link_of(product: profile.Profile) -> str:
    baud, parity, stop, address = product.LINK
    return f"{baud} 8{parity}{stop}, {address}" if baud else "Modbus TCP"


def supplied(product: profile.Profile) -> str:
    """Points, with a star where they rest on one source only; every phase of one kind once."""
    out: list[str] = []
    for point, *_ in product.ROWS:
        role, rest = point.split(".")
        name = f"{role}.l1..l3_{rest[3:]}" if rest[:3] in ("l1_", "l2_", "l3_") else point
        star = "*" if point in product.SINGLE_SOURCE else ""
        if f"`{name}`{star}" not in out:
            out.append(f"`{name}`{star}")
    written = {row[0] for row in product.WRITES}
    return ", ".join(out) + "".join(f"; sets `{name}`" for name in sorted(written))


def recognised_by(product: profile.Profile) -> str:
    """What the probe asks for, in the order in which it does."""
    models = getattr(product, "MODELS", ())
    if models:
        return "SunSpec model " + ", ".join(map(str, models))
    out = []
    for function, address, count, checks in product.PROBE:
        where = f"{function}/{address:#06x}" + (f" x {count}" if count > 1 else "")
        if checks is None:
            out.append(f"{where} is refused")
        elif checks:
            parts = [
                f"{offset}: {low}" if low == high else f"{offset}: {low}..{high}"
                for offset, _, low, high in checks
            ]
            out.append(f"{where} ({', '.join(parts)})")
        else:
            out.append(f"{where} answers")
    return "; ".join(out)


def switched(product: profile.Profile) -> str:
    if not product.SWITCHES:
        return ""
    names = {point for point, *_ in product.SWITCHES}
    return "relays" if names == {"io"} else ", ".join(f"`{name}`" for name in sorted(names))


def device_list() -> str:
    out = "# Devices\n\n" + NOTE
    out += """
What the controller reads of each product, from the tables in `firmware/greenmast_fw/devices`. A point with a
star rests on one document or driver; all others on two that agree. The factory setting is baud rate, data,
parity and stop bits, and address. What a device is recognised by is function/address x registers (offset:
raw value or range), in the order asked; `greenmast device probe` asks that.

"""
    for role in config.ROLES:
        products = [binding.load(name) for name in binding.PROFILES if role == binding.load(name).ROLE]
        if not products:
            continue
        out += f"## {role}\n\n"
        for p in products:
            out += f"**{p.NAME}**: {p.TEXT}\n\n"
            rows = [("factory setting", link_of(p)), ("supplies", supplied(p) or "its inputs")]
            rows += [("switches", switched(p))] if p.SWITCHES else []
            rows += [("recognised by", recognised_by(p)), ("sources", "; ".join(p.SOURCES))]
            out += table(("", ""), rows) + "\n"
    out += """## Switching a genset by its controller

`[output.genset_start]` with `device = "genset"` starts the genset through its controller. A controller that a
person has taken out of automatic is neither started nor put back: the start does not happen, `genset.auto` is
0, and the genset starts once automatic is chosen again, if it is still wanted.

- DSE: telemetry start and its cancelling, in mode automatic, if the controller says that it can. The 4520
  MkII says so and does not do it: use a contact.
- ComAp: Modbus remote start, in mode AUTO.
- Datakom: presses MANUAL and RUN, in mode AUTO; presses AUTO only to undo a RUN of its own. After a reset of
  the board a genset that runs is therefore stopped by a person, or by a contact.

`genset.fault` of a ComAp controller is 1 in the states Not ready and Shutdown; Not ready is also where its
mode OFF leaves it. A Datakom controller's alarms are not read.

## SunSpec

Registers stand relative to models: the chain of models is walked first, and again when the device was silent,
when a read is refused and when another model stands where one was. A device without the model has points
with the quality `unsupported` and is walked again every minute. A meter of one phase (model 201) needs
`phases = 1` at its `[[device.grid]]`. Which sign the current of a battery has, the standard leaves open: the
table takes discharging as positive, and `greenmast commission` proves it.

## Three phases

The Eastron SDM630 and a SunSpec meter supply `grid.l1_voltage_mv` and so on for three phases, and
`grid.voltage_mv` is the worst of them. With `phases = 1` at the device they supply phase 1 alone. Three
meters of one phase each do as well.
"""
    return out


# ---- parts of documents ----------------------------------------------------------------------------

# What starts and ends the demands that hang on no value.
_OTHERS = {
    "grid_absent": ("the grid has not served for `genset.grid_absent_s`", "it serves"),
    "data_lost": (
        "the charge has been unknown for `genset.data_lost_delay_s`, where `genset.data_lost` is start",
        "it is known, or one charge up to the charged voltage is done",
    ),
    "window": ("`genset.window_start_min`, quiet hours apart", "`genset.window_end_min`"),
    "exercise": ("`genset.exercise_days` without a long enough run", "`genset.exercise_run_s` of running"),
    "critical_off": ("rules keep the critical load off for `genset.bus_delay_s`", "it is connected again"),
    "manual": ("`genset.start`", "its time, `genset.stop`, or the grid begins to serve"),
}


def demands() -> str:
    rows = {row[4]: row for row in thresholds.ROWS}
    body = []
    for place, (_, code) in enumerate(demand.ORDER, 1):
        row = rows.get(code)
        if row:
            _, name, unit, high, _, _ = row
            start = f"{'above' if high else 'below'} `genset.{name}_start{unit}` for `genset.{name}_delay_s`"
            stop = (
                f"{'below' if high else 'above'} `genset.{name}_stop{unit}` for `genset.{name}_stop_delay_s`"
            )
        else:
            start, stop = _OTHERS[reasons.NAMES[code]]
        body.append((place, reason_text.brief(code), start, stop))
    return table(("", "demand", "starts", "ends"), body)


# Every module of the core, in the order of the step as far as there is one.
ROOMS = (
    ("Knowing", "snapshot aggregate knowing frozen contradicted balance distrust site daytime"),
    ("Battery", "battery soc capacity autonomy battery_test"),
    ("Policy", "policy reserve plan disaster outage"),
    ("AC", "ac contactor grid demand thresholds exercise genset engine fuel starts source"),
    ("DC", "dc loads shed lvd energy cooling"),
    ("Charging", "charge stages lfp vrla limits silence resting setpoint rectifier"),
    ("Last word", "restraint protection resets"),
    ("Telling", "controller decision conditions alarms report events record resume commands"),
    (
        "Explaining",
        "explain explain_genset explain_loads explain_outputs explain_policy explain_sources explain_values",
    ),
)
CORE = Path(demand.__file__).parent


def parts() -> str:
    """What each module is for, by its own first sentence, and what it keeps over resets."""
    out = []
    for room, names in ROOMS:
        body = []
        for name in names.split():
            tree = ast.parse((CORE / f"{name}.py").read_text(encoding="utf-8"))
            kept = ""
            for node in ast.walk(tree):
                if isinstance(node, ast.FunctionDef) and node.name == "memory":
                    text = ast.get_docstring(node) or ""
                    kept = text.partition(".")[0].partition(": ")[2] or "yes"
            what = " ".join((ast.get_docstring(tree) or "").partition("\n\n")[0].split())
            body.append((f"`{name}`", what, kept))
        out.append(f"**{room}**\n\n" + table(("module", "what it is about", "kept over resets"), body))
    return "\n".join(out)


# ---- boards ----------------------------------------------------------------------------------------


def place(board: Any, pin: int, direction: str) -> str:
    """Where a terminal leads to: "GPIO 4" or "PCF8574 0x24 bit 0"."""
    if pin < EXPANDER:
        return f"GPIO {pin}"
    chip, bit = divmod(pin - EXPANDER, 8)
    kind, address, _ = [row for row in board.EXPANDERS if row[2] == direction][chip]
    return f"{kind.upper()} 0x{address:02x} bit {bit}"


def facts(board: Any) -> Iterable[tuple[str, str]]:
    """What else there is to know, as rows."""
    for number, tx, rx, de in board.UARTS:
        direction = "automatic" if de is None else f"GPIO {de}"
        yield "RS-485", f"UART {number}: TX {tx}, RX {rx}, DE {direction}"
    if board.HIGH:
        yield "driven high at the start", ", ".join(f"GPIO {pin}" for pin in board.HIGH)
    yield "relay has current at", "high level" if board.RELAY_ACTIVE else "low level"
    yield (
        "closed contact reads",
        "0: wire it between input and ground or COM" if board.INPUTS_INVERTED else "1",
    )
    if board.I2C:
        chips = [*board.EXPANDERS, *([(*board.RTC, "clock")] if board.RTC else [])]
        yield (
            "I2C",
            f"SCL {board.I2C[0]}, SDA {board.I2C[1]}: "
            + ", ".join(f"{kind.upper()} 0x{address:02x} {way}" for kind, address, way in chips),
        )
    if board.ETHERNET:
        yield "Ethernet", ", ".join(f"{signal} {pin}" for signal, pin in board.ETHERNET)
    for name, pin in (("LED", board.LED), ("buzzer", board.BUZZER)):
        if pin is not None:
            yield name, f"GPIO {pin}"
    if board.RESERVED:
        yield "not for use", ", ".join(f"GPIO {pin} ({what})" for pin, what in board.RESERVED)
    stock = "external RAM: stock MicroPython with SPIRAM, code in LittleFS"
    own = "no external RAM: MicroPython with a ROM partition ([0006](decisions/0006-rom-image.md))"
    yield "deployment", stock if board.RAM else own


def board_list() -> str:
    out = []
    for name in boards.NAMES:
        board: Any = boards.load(name)
        if not board.TERMINALS_OUT:
            continue
        text = f"## {name}\n\n{board.TEXT[0].upper()}{board.TEXT[1:]}. Chip: {board.CHIP}.\n\n"
        for title, terminals, direction in (
            ("output", board.TERMINALS_OUT, "out"),
            ("input", board.TERMINALS_IN, "in"),
        ):
            rows = [(f"`{terminal}`", place(board, pin, direction)) for terminal, pin in terminals]
            text += table((title, "leads to"), rows) + "\n" if rows else f"No {title}s.\n\n"
        text += table(("", ""), facts(board))
        if board.PULSES:
            text += "\n" + table(
                ("may move while the chip starts", "why", "inhibit"),
                [(f"`{terminal}`", why, inhibit) for terminal, why, inhibit in board.PULSES],
            )
        else:
            text += "\nNo output moves while the chip starts.\n"
        for title, lines in (
            ("Rests on one source, or on sources that disagree", board.SINGLE_SOURCE),
            ("Sources", board.SOURCES),
        ):
            text += f"\n{title}:\n\n" + "".join(f"- {line}\n" for line in lines)
        out.append(text)
    return "\n".join(out)


def filled(path: Path, parts: dict[str, Callable[[], str]]) -> str:
    """The document with its generated parts, each between `<!-- name -->` and `<!-- /name -->`, made anew."""
    text = path.read_text(encoding="utf-8")
    for name, part in parts.items():
        before, mark, rest = text.partition(f"<!-- {name} -->\n")
        _, end, after = rest.partition(f"<!-- /{name} -->")
        if not (mark and end):
            raise ValueError(f"{path.name}: no part {name}")
        text = before + mark + "\n" + part() + "\n" + end + after
    return text


def pages() -> dict[str, str]:
    """File name -> what it shall hold."""
    return {
        "state-machines.md": state_machines(),
        "parameters.md": parameters(),
        "alarms.md": alarm_list(),
        "devices.md": device_list(),
        "boards.md": filled(HERE / "boards.md", {"boards": board_list}),
        "controller.md": filled(HERE / "controller.md", {"parts": parts, "demands": demands}),
    }


if __name__ == "__main__":
    for name, text in pages().items():
        (HERE / name).write_text(text, encoding="utf-8")
