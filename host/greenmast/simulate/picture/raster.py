"""A value for every hour of a run as a picture of pixels: days to the right, hours of the day downwards.

The pixels are a PNG within the SVG: a year has 8,760, too many for marks of their own.
"""

from __future__ import annotations

import struct
from base64 import b64encode
from collections.abc import Callable, Sequence
from zlib import compress, crc32

from greenmast import svg
from greenmast.simulate.calendar import Calendar
from greenmast.simulate.picture import look

_TOP, _ROW = 26.0, 5.0
BLANK = (255, 255, 255)
Colour = tuple[int, int, int]


def soc(calendar: Calendar) -> str:
    """State of charge: the fuller the darker."""
    values = calendar.hours["soc_permille"]
    low, high = _hex("#fbf3dc"), _hex("#0b4f47")
    middle = _hex("#4fb3a1")

    def colour(hour: int) -> Colour:
        share = min(max(values[hour] / 1000, 0.0), 1.0)
        return _mixed(low, middle, share * 2) if share < 0.5 else _mixed(middle, high, share * 2 - 1)

    steps = [
        (_mixed(low, middle, s * 2) if s < 0.5 else _mixed(middle, high, s * 2 - 1), svg.percent(s))
        for s in (0.0, 0.25, 0.5, 0.75, 1.0)
    ]
    return _picture(calendar, "State of charge, hour by hour", colour, [(_css(c), w) for c, w in steps])


def genset(calendar: Calendar) -> str:
    """When the genset ran, by minutes of the hour; "" when it never did."""
    ran = calendar.hours["genset_s"]
    if not any(ran):
        return ""
    light, full = _hex("#f0d3cb"), _hex(look.GENSET)

    def colour(hour: int) -> Colour:
        return _mixed(light, full, ran[hour] / 3_600) if ran[hour] > 0 else _hex(look.PALE)

    entries = [
        (look.PALE, "off"),
        (_css(_mixed(light, full, 0.1)), "minutes"),
        (look.GENSET, "the whole hour"),
    ]
    return _picture(calendar, "Genset runs", colour, entries)


def outages(calendar: Calendar) -> str:
    """When the grid was there, when not, and when the critical load was dark; "" if nothing ever changed."""
    live, dark = calendar.hours["grid_live_s"], calendar.hours["dark_s"]
    if not any(dark) and (not any(live) or min(live) >= 3_600):
        return ""
    there, away = _hex("#cfe0f0"), _hex("#8a97a5")

    def colour(hour: int) -> Colour:
        if dark[hour] > 0:
            return _hex(look.DARK)
        return _mixed(away, there, min(live[hour] / 3_600, 1.0))

    if not any(live):
        entries = [(_css(away), "no grid")]
    else:
        entries = [(_css(there), "grid usable"), (_css(away), "away or off limits")]
    entries.append((look.DARK, "load dark") if any(dark) else ("", "load never dark"))
    return _picture(calendar, "Grid outages and dark time", colour, entries)


def _picture(
    calendar: Calendar, label: str, colour: Callable[[int], Colour], entries: Sequence[tuple[str, str]]
) -> str:
    days = calendar.days
    width, height = look.INNER, 24 * _ROW
    grid = [[BLANK] * len(days) for _ in range(24)]
    for n, hours in enumerate(days):
        for hour in hours:
            grid[calendar.clock(hour)][n] = colour(hour)
    across = svg.Scale(0, len(days), look.LEFT, look.LEFT + width)
    pixels = "data:image/png;base64," + b64encode(png(grid)).decode()
    out = [
        f'<image x="{look.LEFT:g}" y="{_TOP:g}" width="{width:g}" height="{height:g}"'
        f' preserveAspectRatio="none" style="image-rendering:pixelated" href="{pixels}"/>',
        svg.rect(look.LEFT, _TOP, width, height, "none", stroke=svg.FRAME),
        svg.text(look.LEFT - 8, _TOP - 9, "hour", "end", fill=svg.MUTED),
    ]
    for clock in (0, 6, 12, 18, 24):
        y = _TOP + clock * _ROW
        out.append(svg.line(look.LEFT - 4, y, look.LEFT, y, svg.FRAME))
        out.append(svg.text(look.LEFT - 8, y + 4, f"{clock}", "end", fill=svg.MUTED))
    out += months_below(calendar, across, _TOP + height)
    out += look.column([(fill, words, "") for fill, words in entries], _TOP + 8)
    return svg.document(look.WIDTH, _TOP + height + 22, label, out, ", ".join(words for _, words in entries))


def months_below(calendar: Calendar, across: svg.Scale, y: float) -> list[str]:
    """A tick and the name where a month begins; days where the run is short. `across`: from day numbers."""
    if calendar.by_days:
        every = max(1, round(len(calendar.days) * 26 / (across.end - across.begin)))
        marks = [(n, f"{calendar.day(n).day}") for n in range(0, len(calendar.days), every)]
    else:
        marks = calendar.month_starts
    out, free = [], 0.0
    for n, name in marks:
        x = across(n)
        out.append(svg.line(x, y, x, y + 5, svg.FRAME))
        if x >= free and across.end - x > 10:
            out.append(svg.text(x + 3, y + 15, name, fill=svg.MUTED))
            free = x + 3 + 7.0 * len(name) + 4
    return out


def png(rows: Sequence[Sequence[Colour]]) -> bytes:
    """Pixels as a PNG, 8 bits for each of red, green and blue."""
    raw = b"".join(b"\0" + bytes(part for pixel in row for part in pixel) for row in rows)
    head = struct.pack(">IIBBBBB", len(rows[0]), len(rows), 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", compress(raw, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", crc32(name + data))
        for name, data in chunks
    )


def _hex(code: str) -> Colour:
    return int(code[1:3], 16), int(code[3:5], 16), int(code[5:7], 16)


def _css(colour: Colour) -> str:
    return "#{:02x}{:02x}{:02x}".format(*colour)


def _mixed(one: Colour, other: Colour, share: float) -> Colour:
    a, b, c = (round(x + (y - x) * share) for x, y in zip(one, other, strict=True))
    return a, b, c
