"""Signs and contactors, proven by switching: the battery carries a while, each tier opens and closes.

Owns what is switched, in which order and what must be seen. Every switching is a command that the board may
refuse: its interlocks and protections stay in force. Nothing is left switched: commands end by themselves.
"""

from __future__ import annotations

from greenmast.commission import plausible
from greenmast.commission.result import FAILED, LOOK, NOT_DONE, PASSED, Result, Trace
from greenmast.commission.visit import Values, Visit

SETTLE_S = 5.0  # until every device has been read again
MEAN_S = 5.0
CARRY_S = 300  # the command's own end, should the visit break off
SHED_S = 600
_OPEN_S, _RETURN_S = 60.0, 1_200.0
_STEADY_TRIES = 10
_CRITICAL = "load1"
_FEEDBACKS = ("grid", "genset", "pv", "battery", "load1", "load2", "load3")
_SHUNT = "swap the two sense wires of the battery's shunt, or its bus-bar direction"
_METER = "turn the meter's current transformer round, or swap line and load at its terminals"


def signs(visit: Visit) -> tuple[list[Result], list[Trace]]:
    """Battery and grid meter with AC on and with the battery carrying. Raises NoContactError."""
    trace = Trace("The battery carries")
    names = list(plausible.POINTS)
    rest = _steady(visit, names)
    results = plausible.at_rest(rest, visit.config)
    if rest["battery.current_ma"] is not None:
        results.append(_battery_sign("battery current as found", rest))
    if "grid" not in visit.outputs or visit.values(["source.ac"])["source.ac"] != 1:
        results.append(Result("signs with the battery carrying", NOT_DONE, "the grid does not serve now"))
        return results, []
    question = "Open the grid contactor for about a minute, so that the battery carries the site?"
    refused = visit.consent.refused("signs with the battery carrying", question)
    if refused:
        return [*results, refused], []
    results.append(_grid_sign(rest))
    return results + _carry(visit, trace), [trace]


def _steady(visit: Visit, names: list[str]) -> Values:
    """Means when the battery's power has come to rest: a rectifier takes a while to reach its limit."""
    now = visit.mean(names, MEAN_S)
    for _ in range(_STEADY_TRIES):
        before, now = now, visit.mean(names, MEAN_S)
        watts = plausible.battery_power_w(before), plausible.battery_power_w(now)
        if watts[0] is None or watts[1] is None or abs(watts[0] - watts[1]) <= plausible.POWER_FLOOR_W:
            break
    return now


def _carry(visit: Visit, trace: Trace) -> list[Result]:
    watched = ("feedback.grid", "battery.current_ma", "dc.bus_mv", "grid.power_w", "load.power_w")
    text = visit.command("source.select", ac="none", for_s=CARRY_S)
    if text:
        return [Result("grid contactor", FAILED, text, "opens", visit.why("AC source"))]
    opened, _ = visit.wait(
        watched, lambda v: v["feedback.grid"] == 0, _OPEN_S, "the grid contactor opens", trace
    )
    results = [_moved("grid contactor opens", opened, visit, "AC source")]
    if opened is not None:
        visit.wait(watched, lambda v: False, SETTLE_S + MEAN_S, "the battery carries", trace)
        carried = _steady(visit, list(plausible.POINTS))
        results.append(_battery_sign("battery current with the battery carrying", carried))
        results.append(_nothing_drawn(carried))
    text = visit.command("source.select", ac="grid", for_s=1)
    closed, _ = visit.wait(
        watched, lambda v: v["feedback.grid"] == 1, _RETURN_S, "the grid contactor closes again", trace
    )
    results.append(_moved("grid contactor closes", closed, visit, "AC source"))
    return results


def _battery_sign(name: str, values: Values) -> Result:
    return plausible.sign(
        name, plausible.battery_power_w(values), plausible.expected_battery_power_w(values), _SHUNT
    )


def _grid_sign(values: Values) -> Result:
    rectifier = plausible.battery_power_w(
        {
            **values,
            "battery.voltage_mv": values["rectifier.output_mv"],
            "battery.current_ma": values["rectifier.output_ma"],
        }
    )
    return plausible.sign("grid meter against the rectifier", values["grid.power_w"], rectifier, _METER)


def _nothing_drawn(values: Values) -> Result:
    name = "no AC power with the contactor open"
    power = values["grid.power_w"]
    if power is None:
        return Result(name, NOT_DONE, "no reading")
    if abs(power) <= plausible.IDLE_W:
        return Result(name, PASSED, f"{power} W")
    remedy = "does the meter measure other consumers, or does the contactor not break all lines?"
    return Result(name, LOOK, f"{power} W", "about 0 W", remedy)


def tiers(visit: Visit, critical: bool) -> list[Result]:
    """Every load contactor opens and closes, and no feedback but its own moves. Raises NoContactError."""
    results = []
    for tier in (3, 2, 1):
        name = f"load{tier}"
        title = f"contactor {name}"
        if name not in visit.outputs:
            continue
        if visit.outputs[name].get("feedback") is None:
            results.append(
                Result(title, LOOK, "it has no feedback", "", "watch it by eye while it is switched")
            )
        elif name == _CRITICAL and not critical:
            results.append(
                Result(title, NOT_DONE, "the critical load stays on", "", "--critical exercises it too")
            )
        else:
            question = f"Switch off {name} for some seconds? Its equipment will be without supply."
            results += [visit.consent.refused(title, question) or _tier(visit, tier, title)]
    for name in ("pv", "battery"):
        if name in visit.outputs:
            results.append(_only_seen(visit, name))
    return results


def _tier(visit: Visit, tier: int, title: str) -> Result:
    own = f"feedback.load{tier}"
    watched = [
        f"feedback.{name}" for name in _FEEDBACKS if visit.outputs.get(name, {}).get("feedback") is not None
    ]
    before = visit.values(watched)
    if before[own] != 1:
        return Result(title, NOT_DONE, "it is open already", "", visit.why(f"output.load{tier}"))
    text = visit.command("load.shed", tier=tier, for_s=SHED_S)
    if text:
        return Result(title, FAILED, text, "opens")
    opened, during = visit.wait(watched, lambda v: v[own] == 0, _OPEN_S, f"{own} opens")
    crossed = [n for n in watched if n != own and during[n] != before[n]]
    text = visit.command("load.restore", tier=tier)
    closed, _ = visit.wait(watched, lambda v: v[own] == 1, _RETURN_S, f"{own} closes again")
    if crossed:
        return Result(title, FAILED, f"{', '.join(crossed)} moved too", own, "feedback wires are crossed")
    if opened is None:
        return Result(
            title, FAILED, f"{own} stays closed", "opens", "contactor or feedback wire; check the terminal"
        )
    if closed is None:
        saw = text or f"{own} stays open"
        return Result(title, FAILED, saw, "closes again", visit.why(f"output.load{tier}"))
    return Result(
        title, PASSED, f"opened after {opened:.1f} s, closed after {closed:.1f} s", "opens and closes"
    )


def _only_seen(visit: Visit, name: str) -> Result:
    """No command opens these: only protection does. Their feedback must agree with what is driven."""
    title = f"contactor {name}"
    if visit.outputs[name].get("feedback") is None:
        return Result(title, LOOK, "it has no feedback", "", "watch it by eye")
    values = visit.values([f"output.{name}", f"feedback.{name}"])
    driven, seen = values[f"output.{name}"], values[f"feedback.{name}"]
    verdict = PASSED if driven is not None and driven == seen else FAILED
    saw = f"driven {driven}, feedback {seen}"
    return Result(title, verdict, saw, "both agree; not exercised, as only protection opens it")


def _moved(title: str, seconds: float | None, visit: Visit, subject: str) -> Result:
    if seconds is None:
        return Result(title, FAILED, "its feedback does not follow", "feedback follows", visit.why(subject))
    return Result(title, PASSED, f"after {seconds:.1f} s", "feedback follows")
