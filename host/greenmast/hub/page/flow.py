"""The energy-flow picture as SVG: sources above, the bus across, battery and load tiers below. Pure: view
in, text out.

An arrow runs only for a power that is known now. A stale value is drawn dashed and grey with its age,
never as live. A contactor shows its feedback; red when the output says otherwise, a question mark when
the feedback is not known.
"""

from __future__ import annotations

import html
from dataclasses import dataclass

from greenmast.hub.page import text
from greenmast.hub.queries import SiteView

WIDTH, HEIGHT = 480, 392
_BUS_Y = 228
_IDLE_W = 15  # below this nothing is drawn as flowing


@dataclass(frozen=True, slots=True)
class Box:
    """A source, the battery or a load: where it stands and which points it shows."""

    title: str
    x: int
    y: int
    width: int
    power: str  # a point in W, or "voltage point * current point"
    detail: str  # a point shown below
    contactor: str


_SOURCES = (
    Box("Solar", 4, 4, 146, "solar.power_w", "solar.voltage_mv", "pv"),
    Box("Grid", 167, 4, 146, "grid.power_w", "grid.voltage_mv", "grid"),
    Box("Genset", 330, 4, 146, "genset.power_w", "genset.state", "genset"),
)
_BATTERY = Box(
    "Battery", 4, 304, 146, "battery.voltage_mv*battery.current_ma", "battery.soc_permille", "battery"
)
_LOADS = (
    Box("Tier 1", 163, 304, 97, "load.tier1_w", "", "load1"),
    Box("Tier 2", 271, 304, 97, "load.tier2_w", "", "load2"),
    Box("Tier 3", 379, 304, 97, "load.tier3_w", "", "load3"),
)
_RECTIFIER = Box("Rectifier", 208, 142, 226, "rectifier.output_mv*rectifier.output_ma", "", "")


def render(view: SiteView) -> str:
    """The picture of a site, WIDTH x HEIGHT, scaling to its container."""
    parts = [f'<svg class="flow" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="energy flow">']
    solar, grid, genset = _SOURCES
    parts += _line(view, solar, 74, _BUS_Y, 112)
    parts += _line(view, grid, 74, 142, 108)
    parts += _line(view, genset, 74, 142, 108)
    parts.append(_wire(_centre(_RECTIFIER), 186, _BUS_Y, _power(view, _RECTIFIER)))
    for box in (_BATTERY, *_LOADS):
        parts += _line(view, box, _BUS_Y, box.y, 268)
    parts.append(f'<path class="bus" d="M12 {_BUS_Y}H468"/>')
    parts.append(_bus_label(view))
    parts += [_box(view, box, 70) for box in (*_SOURCES, _BATTERY)]
    parts += [_box(view, box, 54) for box in _LOADS]
    parts.append(_box(view, _RECTIFIER, 44))
    parts.append("</svg>")
    return "".join(parts)


def _power(view: SiteView, box: Box) -> int | None:
    """W that are good now, positive towards the bus (from a source) or towards the box (battery, load)."""
    if "*" not in box.power:
        return view.good(box.power)
    voltage, current = (view.good(name) for name in box.power.split("*"))
    return None if voltage is None or current is None else voltage * current // 1_000_000


def _told_power(view: SiteView, box: Box) -> tuple[int | None, int | None]:
    """(W as last told, age in s when that is not good)."""
    told = [view.points.get(name) for name in box.power.split("*")]
    known = [point for point in told if point is not None]
    bad = [point.age_s for point in known if point.quality != "good"]
    values = [point.value for point in known if point.value is not None]
    if len(values) < len(told):
        return None, max(bad, default=None)
    power = values[0] if len(values) == 1 else values[0] * values[1] // 1_000_000
    return power, max(bad, default=None)


def _box(view: SiteView, box: Box, height: int) -> str:
    power, stale_s = _told_power(view, box)
    shown = text.watts(power)
    known = power is not None and stale_s is None
    state = "" if known else " stale"
    centre = _centre(box)
    if stale_s is not None:
        below = f"stale, {text.duration(stale_s)}"
    elif box.detail:
        below = _detail(view, box)
    else:
        below = ""
    if height < 60:
        return _small_box(box, height, shown, below if stale_s is not None else "", state)
    return (
        f'<g class="box{state}"><rect x="{box.x}" y="{box.y}" width="{box.width}" height="{height}" rx="7"/>'
        f'<text class="name" x="{box.x + 10}" y="{box.y + 19}">{box.title}</text>'
        f'<text class="big" x="{centre}" y="{box.y + 43}">{shown}</text>'
        f'<text class="sub" x="{centre}" y="{box.y + 61}">{html.escape(below)}</text></g>'
    )


def _small_box(box: Box, height: int, shown: str, below: str, state: str) -> str:
    frame = f'<rect x="{box.x}" y="{box.y}" width="{box.width}" height="{height}" rx="7"/>'
    middle = box.y + height // 2
    if box is _RECTIFIER:
        words = (
            f'<text class="name" x="{box.x + 12}" y="{middle + 5}">{box.title}</text>'
            f'<text class="big end" x="{box.x + box.width - 12}" y="{middle + 6}">{shown}</text>'
        )
    else:
        words = (
            f'<text class="name mid" x="{_centre(box)}" y="{box.y + 19}">{box.title}</text>'
            f'<text class="big" x="{_centre(box)}" y="{box.y + 44}">{shown}</text>'
            f'<text class="sub" x="{_centre(box)}" y="{box.y + height + 16}">{html.escape(below)}</text>'
        )
    return f'<g class="box{state}">{frame}{words}</g>'


def _detail(view: SiteView, box: Box) -> str:
    point = view.points.get(box.detail)
    if point is None or point.quality != "good":
        return ""
    shown = text.value(box.detail, point.value)
    if box is _BATTERY:
        power = _power(view, box) or 0
        return shown + (", charging" if power > _IDLE_W else ", discharging" if power < -_IDLE_W else "")
    return shown


def _line(view: SiteView, box: Box, top: int, bottom: int, contactor_y: int) -> list[str]:
    centre = _centre(box)
    return [
        _wire(centre, top, bottom, _power(view, box)),
        _contactor(view, box.contactor, centre, contactor_y),
    ]


def _wire(x: int, top: int, bottom: int, power: int | None) -> str:
    """A vertical wire; positive power runs down it, as all of them do but a discharging battery's."""
    if power is None or abs(power) < _IDLE_W:
        return f'<path class="wire" d="M{x} {top}V{bottom}"/>'
    up = power < 0
    tip = top + 9 if up else bottom - 4
    wing = 7 if up else -7
    arrow = f'<path class="tip" d="M{x - 5} {tip + wing}L{x} {tip}L{x + 5} {tip + wing}"/>'
    d = f"M{x} {bottom}V{top}" if up else f"M{x} {top}V{bottom}"
    return f'<path class="wire on" d="{d}"/><path class="run" d="{d}"/>{arrow}'


def _contactor(view: SiteView, name: str, x: int, y: int) -> str:
    feedback, output = view.good(f"feedback.{name}"), view.good(f"output.{name}")
    box = f'<rect x="{x - 10}" y="{y - 10}" width="20" height="20" rx="4"/>'
    if feedback is None:
        word, kind, mark = "not known", "unknown", f'<text x="{x}" y="{y + 5}">?</text>'
    else:
        word = "closed" if feedback else "open"
        kind = word if output in (None, feedback) else "wrong"
        mark = (
            f'<path d="M{x} {y - 10}V{y + 10}"/>'
            if feedback
            else (f'<path d="M{x} {y - 10}V{y - 6}M{x} {y + 10}V{y + 6}L{x + 8} {y - 5}"/>')
        )
    return f'<g class="contactor {kind}"><title>contactor {name}: {word}</title>{box}{mark}</g>'


def _bus_label(view: SiteView) -> str:
    point = view.points.get("dc.bus_mv")
    shown = text.value("dc.bus_mv", None if point is None else point.value)
    stale = "" if point is not None and point.quality == "good" else " stale"
    age = f", stale {text.duration(point.age_s)}" if point is not None and stale else ""
    return f'<text class="buslabel{stale}" x="90" y="{_BUS_Y - 10}">DC bus {shown}{age}</text>'


def _centre(box: Box) -> int:
    return box.x + box.width // 2
