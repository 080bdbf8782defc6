"""The genset, proven by a run: it starts, warms up, takes the site, gives it back, cools down and stops.

Owns what is asked of it and what must be seen. The board decides each step; a refusal is a result.
"""

from __future__ import annotations

from greenmast.commission.result import FAILED, LOOK, NOT_DONE, PASSED, Result, Trace
from greenmast.commission.visit import Values, Visit
from greenmast_protocol import points, show

LOADED_S = 20.0
_MARGIN_S = 60
_WATCHED = (
    "genset.state",
    "genset.rpm",
    "genset.voltage_mv",
    "genset.frequency_chz",
    "genset.power_w",
    "genset.oil_kpa",
    "feedback.genset",
    "feedback.grid",
    "dc.bus_mv",
)
_OFF, _READY, _ON_LOAD, _LOCKED_OUT = (
    points.GENSET_STATES.index(name) for name in ("off", "ready", "on_load", "locked_out")
)
_TITLE = "genset run"


def run(visit: Visit, wait_for_stop: bool) -> tuple[list[Result], list[Trace]]:
    """Raises NoContactError."""
    if not {"genset", "genset_start"} <= set(visit.outputs):
        return [Result(_TITLE, NOT_DONE, "this site has no genset")], []
    minutes = -(-visit.params["genset.min_run_s"] // 60)
    question = (
        f"Start the genset? Keep clear of it. It runs for at least {minutes} min, then stops by itself."
    )
    refused = visit.consent.refused(_TITLE, question)
    if refused:
        return [refused], []
    trace = Trace("The genset's run")
    results = [_fuel(visit)]
    text = visit.command("genset.start", for_s=max(visit.params["genset.min_run_s"], 300))
    if text:
        return [*results, Result(_TITLE, FAILED, text, "starts", visit.why("genset"))], []
    p = visit.params
    tries = p["genset.crank_tries"] * (p["genset.crank_s"] + p["genset.crank_rest_s"])
    limit_s = p["genset.glow_s"] + tries + p["genset.warm_up_s"] + _MARGIN_S
    seconds, now = visit.wait(
        _WATCHED,
        lambda v: v["genset.state"] in (_READY, _ON_LOAD, _LOCKED_OUT),
        limit_s,
        "ready for load",
        trace,
    )
    if seconds is None or now["genset.state"] == _LOCKED_OUT:
        results.append(Result("start and warm-up", FAILED, _state(now), "ready", visit.why("genset")))
        return results, [trace]
    results.append(Result("start and warm-up", PASSED, f"ready after {seconds:.0f} s", "ready"))
    results += _running(now)
    results += _on_load(visit, trace)
    results.append(_stop(visit, wait_for_stop))
    return results, [trace]


def _fuel(visit: Visit) -> Result:
    level = visit.values(["genset.fuel_permille"])["genset.fuel_permille"]
    saw = show.value("genset.fuel_permille", level)
    if level is None:
        return Result(
            "fuel level", LOOK, saw, "a reading", "no sender? then the level must be looked at by eye"
        )
    return Result("fuel level", LOOK, saw, "as the dipstick says", "compare it with the tank")


_RANGES = (  # of a running engine, whatever its make
    ("generator voltage", "genset.voltage_mv", 95_000, 265_000),
    ("generator frequency", "genset.frequency_chz", 4_500, 6_500),
    ("oil pressure", "genset.oil_kpa", 100, 1_500),
)


def _running(now: Values) -> list[Result]:
    results = []
    for title, name, low, high in _RANGES:
        value = now[name]
        if value is None:
            results.append(Result(title, LOOK, "not measured"))
        else:
            expected = f"{show.value(name, low)} .. {show.value(name, high)}"
            verdict = PASSED if low <= value <= high else FAILED
            results.append(Result(title, verdict, show.value(name, value), expected))
    return results


def _on_load(visit: Visit, trace: Trace) -> list[Result]:
    name = "transfer to the genset"
    seconds, _ = visit.wait(_WATCHED, lambda v: v["genset.state"] == _ON_LOAD, 5.0, "on load", trace)
    if seconds is None:  # the grid serves: ask for it
        text = visit.command("source.select", ac="genset", for_s=300)
        if text:
            return [Result(name, FAILED, text, "takes the site", visit.why("AC source"))]
        seconds, _ = visit.wait(_WATCHED, lambda v: v["feedback.genset"] == 1, 120.0, "the transfer", trace)
    if seconds is None:
        return [
            Result(name, FAILED, "its contactor does not close", "takes the site", visit.why("AC source"))
        ]
    visit.wait(_WATCHED, lambda v: False, LOADED_S, "the genset carries the site", trace)
    carried = visit.mean(list(_WATCHED), 3.0)
    both = any(
        grid and genset
        for grid, genset in zip(trace.series["feedback.grid"], trace.series["feedback.genset"], strict=True)
    )
    results = [Result(name, PASSED, f"after {seconds:.1f} s", "takes the site")]
    saw = "both contactors closed at once" if both else "never both closed"
    remedy = "open the cabinet's AC breakers at once and check the interlock" if both else ""
    results.append(
        Result("interlock of the AC contactors", FAILED if both else PASSED, saw, "never both", remedy)
    )
    power = carried["genset.power_w"]
    if power is None:
        results.append(Result("generator power", LOOK, "not measured"))
    else:
        good = power > 0
        results.append(
            Result(
                "generator power",
                PASSED if good else FAILED,
                show.value("genset.power_w", power),
                "above 0",
                "" if good else "current transformers turned round, or the rectifier is off",
            )
        )
    return results


def _stop(visit: Visit, wait_for_stop: bool) -> Result:
    name = "return and stop"
    visit.command("source.select", ac="grid", for_s=1)
    visit.command("genset.stop")  # refused within the minimum run time: then it stops by itself
    p = visit.params
    limit_s = p["genset.min_run_s"] + p["genset.cool_down_s"] + _MARGIN_S
    if not wait_for_stop:
        return Result(
            name, NOT_DONE, "not waited for", "", f"it stops by itself within {limit_s // 60 + 1} min"
        )

    def stopped(values: Values) -> bool:
        return values["genset.state"] == _OFF and not values["feedback.genset"]

    seconds, now = visit.wait(("genset.state", "feedback.genset"), stopped, limit_s, "cool-down and stop")
    if seconds is None:
        return Result(name, FAILED, _state(now), "off", visit.why("genset"))
    return Result(name, PASSED, f"off after {seconds:.0f} s", "off")


def _state(values: Values) -> str:
    return show.value("genset.state", values["genset.state"])
