"""The energy-flow picture as SVG: sources above, the bus across, battery and load below. View in, text out.

An arrow runs only for a power that is good now; a load tier without its own meter runs with the total while
its contactor is closed. A stale value is drawn dashed and grey with its age, never as live. A contactor shows
its feedback; red when the output says otherwise, a question mark when the feedback is not known.
"""

from __future__ import annotations

import html
from dataclasses import dataclass

from greenmast.hub.page import text
from greenmast.hub.queries import SiteView

WIDTH, HEIGHT = 480, 380
_BUS_Y = 228
_IDLE_W = 15  # below this nothing is drawn as flowing


@dataclass(frozen=True, slots=True)
class Box:
    """A source, the battery or the load: where it stands and which points it shows."""

    title: str
    x: int
    y: int
    width: int
    power: str  # a point in W, or "voltage point * current point"
    detail: str = ""  # a point shown below
    contactor: str = ""

    @property
    def centre(self) -> int:
        """Where its wire ends."""
        return self.x + self.width // 2


_SOLAR = Box("Solar", 4, 4, 146, "solar.power_w", "solar.voltage_mv", "pv")
_GRID = Box("Grid", 167, 4, 146, "grid.power_w", "grid.voltage_mv", "grid")
_GENSET = Box("Genset", 330, 4, 146, "genset.power_w", "genset.state", "genset")
_RECTIFIER = Box("Rectifier", 208, 142, 226, "rectifier.output_mv*rectifier.output_ma")
_BATTERY = Box(
    "Battery", 4, 304, 146, "battery.voltage_mv*battery.current_ma", "battery.soc_permille", "battery"
)
_LOAD = Box("Load", 167, 304, 309, "load.power_w")
_TIERS = tuple((tier, 167 + 309 * (2 * tier - 1) // 6) for tier in (1, 2, 3))


def render(view: SiteView) -> str:
    """The picture of a site, WIDTH x HEIGHT, scaling to its container."""
    parts = [f'<svg class="flow" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="energy flow">']
    for box, bottom, contactor_y in ((_SOLAR, _BUS_Y, 112), (_GRID, 142, 108), (_GENSET, 142, 108)):
        parts.append(_wire(box.centre, 74, bottom, _power(view, box)))
        parts.append(_contactor(view, box.contactor, box.centre, contactor_y))
    parts.append(_wire(_RECTIFIER.centre, 186, _BUS_Y, _power(view, _RECTIFIER)))
    parts.append(_wire(_BATTERY.centre, _BUS_Y, _BATTERY.y, _power(view, _BATTERY)))
    parts.append(_contactor(view, _BATTERY.contactor, _BATTERY.centre, 268))
    for tier, x in _TIERS:
        parts.append(_wire(x, _BUS_Y, _LOAD.y, _tier_power(view, tier)))
        parts.append(_contactor(view, f"load{tier}", x, 268))
    parts.append(f'<path class="bus" d="M12 {_BUS_Y}H468"/>')
    parts.append(_bus_label(view))
    parts += [_box(view, box) for box in (_SOLAR, _GRID, _GENSET, _BATTERY)]
    parts.append(_rectifier(view))
    parts.append(_load(view))
    parts.append("</svg>")
    return "".join(parts)


def _power(view: SiteView, box: Box) -> int | None:
    """W that are good now, positive down the picture: out of a source, into battery or load."""
    if "*" not in box.power:
        return view.good(box.power)
    voltage, current = (view.good(name) for name in box.power.split("*"))
    return None if voltage is None or current is None else voltage * current // 1_000_000


def _tier_power(view: SiteView, tier: int) -> int | None:
    if f"load.tier{tier}_w" in view.points and view.points[f"load.tier{tier}_w"].value is not None:
        return view.good(f"load.tier{tier}_w")
    return view.good(_LOAD.power) if view.good(f"feedback.load{tier}") else None


def _shown(view: SiteView, box: Box) -> tuple[str, str, str]:
    """(power as last told, why it is not good or "", class)."""
    told = [view.points.get(name) for name in box.power.split("*")]
    values = [point.value for point in told if point is not None and point.value is not None]
    if len(values) < len(told):
        return text.MISSING, text.NO_DATA, " stale"
    power = values[0] if len(values) == 1 else values[0] * values[1] // 1_000_000
    bad = [point for point in told if point is not None and point.quality != "good"]
    if not bad:
        return text.watts(power), "", ""
    worst = max(bad, key=lambda point: point.age_s)
    return text.watts(power), f"{worst.quality}, {text.duration(worst.age_s)}", " stale"


def _box(view: SiteView, box: Box) -> str:
    power, problem, state = _shown(view, box)
    below = _esc(problem or _detail(view, box))
    return (
        f'<g class="box{state}"><rect x="{box.x}" y="{box.y}" width="{box.width}" height="70" rx="7"/>'
        f'<text class="name" x="{box.x + 10}" y="{box.y + 19}">{box.title}</text>'
        f'<text class="big" x="{box.centre}" y="{box.y + 43}">{power}</text>'
        f'<text class="sub" x="{box.centre}" y="{box.y + 61}">{below}</text></g>'
    )


def _rectifier(view: SiteView) -> str:
    box = _RECTIFIER
    power, problem, state = _shown(view, box)
    right = box.x + box.width - 12
    return (
        f'<g class="box{state}"><rect x="{box.x}" y="{box.y}" width="{box.width}" height="44" rx="7"/>'
        f'<text class="name" x="{box.x + 12}" y="{box.y + 27}">{box.title}</text>'
        f'<text class="sub" x="{box.x + 112}" y="{box.y + 27}">{_esc(problem)}</text>'
        f'<text class="big end" x="{right}" y="{box.y + 29}">{power}</text></g>'
    )


def _load(view: SiteView) -> str:
    power, problem, state = _shown(view, _LOAD)
    x, y = _LOAD.x, _LOAD.y
    tiers = "".join(
        f'<text class="sub" x="{centre}" y="{y + 61}">{_esc(_tier_words(view, tier))}</text>'
        for tier, centre in _TIERS
    )
    return (
        f'<g class="box{state}"><rect x="{x}" y="{y}" width="{_LOAD.width}" height="70" rx="7"/>'
        f'<text class="name" x="{x + 10}" y="{y + 19}">{_LOAD.title} {_esc(problem)}</text>'
        f'<text class="big" x="{_LOAD.centre}" y="{y + 36}">{power}</text>{tiers}</g>'
    )


def _tier_words(view: SiteView, tier: int) -> str:
    power = view.good(f"load.tier{tier}_w")
    if power is not None:
        return f"tier {tier}: {text.watts(power)}"
    connected = view.good(f"feedback.load{tier}")
    return f"tier {tier}: {'?' if connected is None else ('off', 'on')[connected]}"


def _detail(view: SiteView, box: Box) -> str:
    told = view.good(box.detail)
    if told is None:
        return ""
    shown = text.value(box.detail, told)
    if box is _BATTERY:
        power = _power(view, box) or 0
        return shown + (", charging" if power > _IDLE_W else ", discharging" if power < -_IDLE_W else "")
    return shown


def _wire(x: int, top: int, bottom: int, power: int | None) -> str:
    """A vertical wire; positive power runs down it, a discharging battery's up."""
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


def _esc(words: str) -> str:
    return html.escape(words)
