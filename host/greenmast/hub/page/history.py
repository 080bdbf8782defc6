"""The history plot: battery, power by source and bus voltage over one time axis. Builds chart options; draws
nothing.
"""

from __future__ import annotations

from typing import Any

from greenmast.hub.queries import Queries

SPANS = {"15 min": 900, "1 h": 3_600, "6 h": 21_600, "24 h": 86_400}
DEFAULT_SPAN = "1 h"
_STEPS = 240
_LEAST_S = 60
_GREY = "#7d8894"  # readable on light and on dark ground
_LINE = "rgba(125,136,148,.28)"

# (legend, point, plot, divisor to the plot's unit, colour)
_SERIES = (
    ("Battery", "battery.soc_permille", 0, 10, "#2e8b57"),
    ("Solar", "solar.power_w", 1, 1, "#d99a1b"),
    ("Grid", "grid.power_w", 1, 1, "#3f7fbf"),
    ("Genset", "genset.power_w", 1, 1, "#b3543e"),
    ("Load", "load.power_w", 1, 1, "#8a63a8"),
    ("Bus", "dc.bus_mv", 2, 1000, "#3a9a9a"),
)
_PLOTS = (("battery %", 42, 100), ("power W", 182, 150), ("bus V", 372, 80))
HEIGHT = 480


def options() -> dict[str, Any]:
    """Chart options without data."""
    axis_label = {"color": _GREY, "fontSize": 11}
    return {
        "animation": False,
        "textStyle": {"fontFamily": "system-ui, sans-serif"},
        "legend": {
            "top": 0,
            "textStyle": {"color": _GREY, "fontSize": 11},
            "icon": "roundRect",
            "itemHeight": 3,
            "itemWidth": 16,
        },
        "tooltip": {"trigger": "axis", "confine": True},
        "axisPointer": {"link": [{"xAxisIndex": "all"}]},
        "grid": [
            {"left": 60, "right": 14, "top": top, "height": height, "outerBoundsMode": "none"}
            for _, top, height in _PLOTS
        ],
        "xAxis": [
            {
                "type": "time",
                "gridIndex": i,
                "axisLabel": axis_label | {"show": i == len(_PLOTS) - 1, "hideOverlap": True},
                "axisLine": {"lineStyle": {"color": _LINE}},
                "axisTick": {"show": False},
                "splitLine": {"show": False},
            }
            for i in range(len(_PLOTS))
        ],
        "yAxis": [
            {
                "type": "value",
                "gridIndex": i,
                "name": title,
                "nameLocation": "middle",
                "nameGap": 44,
                "nameTextStyle": {"color": _GREY},
                "axisLabel": axis_label,
                "splitNumber": 3,
                "splitLine": {"lineStyle": {"color": _LINE}},
                "scale": i == 2,
                **({"min": 0, "max": 100, "interval": 50} if i == 0 else {}),
            }
            for i, (title, _, _) in enumerate(_PLOTS)
        ],
        "series": [
            {
                "name": name,
                "type": "line",
                "xAxisIndex": plot,
                "yAxisIndex": plot,
                "showSymbol": False,
                "connectNulls": False,  # where nothing is known nothing is drawn
                "lineStyle": {"width": 2},
                "itemStyle": {"color": colour},
                "data": [],
            }
            for name, _, plot, _, colour in _SERIES
        ],
    }


def fill(chart: dict[str, Any], queries: Queries, site: str, span_s: int, now_s: int) -> None:
    """Puts the last `span_s` seconds of `site` into chart options made by `options`."""
    # A new site's first minutes fill the plot instead of its right edge.
    first_s = queries.first_report_s(site, now_s - span_s) or now_s
    begin_s = min(first_s, now_s - _LEAST_S)
    step_s = max(1, (now_s - begin_s) // _STEPS)
    for series, (_, point, _, divisor, _) in zip(chart["series"], _SERIES, strict=True):
        buckets = queries.history(site, point, begin_s, now_s, step_s) or []
        series["data"] = [
            [bucket.at * 1000, None if bucket.mean is None else bucket.mean / divisor] for bucket in buckets
        ]
    for axis in chart["xAxis"]:
        axis["min"], axis["max"] = begin_s * 1000, now_s * 1000
