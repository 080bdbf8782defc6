"""Operating point of the DC bus: battery, two regulated sources and a constant-power load on one node.

Owns the algebra. Must not know time, state or which source is which.

Each source holds its set voltage until it reaches its limit, then delivers `limit_a + limit_w / v`: a
rectifier has a current limit, an MPPT charger a power limit. The node is quasi-static, so every region
between set voltages has a closed solution and at most five are tried.
"""

from __future__ import annotations

from math import sqrt


def with_battery(
    emf_v: float, r_ohm: float, load_w: float,
    a_set_v: float, a_limit_a: float, a_limit_w: float,
    b_set_v: float, b_limit_a: float, b_limit_w: float,
) -> tuple[float, float, float]:  # fmt: skip
    """Bus voltage and the currents of sources a and b, with a battery `emf_v + r_ohm * i` on the bus.

    A source that is off has `set_v` 0. Returns zeros when the battery cannot carry the load at any voltage.
    """
    if a_set_v < b_set_v:
        bus_v, b_a, a_a = with_battery(
            emf_v, r_ohm, load_w, b_set_v, b_limit_a, b_limit_w, a_set_v, a_limit_a, a_limit_w
        )
        return bus_v, a_a, b_a
    v = a_set_v
    if v > 0.0:
        need_a = load_w / v + (v - emf_v) / r_ohm
        if 0.0 <= need_a <= a_limit_a + a_limit_w / v:
            return v, need_a, 0.0
        if need_a >= 0.0:
            v = _sag(emf_v, r_ohm, a_limit_a, a_limit_w - load_w)
            if v >= b_set_v:
                return v, (a_limit_a + a_limit_w / v if v else 0.0), 0.0
            v = b_set_v
            a_a = a_limit_a + a_limit_w / v
            need_a = load_w / v + (v - emf_v) / r_ohm - a_a
            if need_a <= b_limit_a + b_limit_w / v:
                return v, a_a, need_a
            v = _sag(emf_v, r_ohm, a_limit_a + b_limit_a, a_limit_w + b_limit_w - load_w)
            if v == 0.0:
                return 0.0, 0.0, 0.0
            return v, a_limit_a + a_limit_w / v, b_limit_a + b_limit_w / v
    return _sag(emf_v, r_ohm, 0.0, -load_w), 0.0, 0.0


def without_battery(
    load_w: float, battery_a: float,
    a_set_v: float, a_limit_a: float, a_limit_w: float,
    b_set_v: float, b_limit_a: float, b_limit_w: float,
) -> tuple[float, float, float]:  # fmt: skip
    """As `with_battery`, for a battery that takes the fixed `battery_a` >= 0 (0: it does not conduct).

    Constant-power loads on current-limited sources have no stable point below the set voltage: what the
    sources cannot hold up collapses to 0.
    """
    if a_set_v < b_set_v:
        bus_v, b_a, a_a = without_battery(
            load_w, battery_a, b_set_v, b_limit_a, b_limit_w, a_set_v, a_limit_a, a_limit_w
        )
        return bus_v, a_a, b_a
    if a_set_v <= 0.0:
        return 0.0, 0.0, 0.0
    need_a = load_w / a_set_v + battery_a
    if need_a <= a_limit_a + a_limit_w / a_set_v:
        return a_set_v, need_a, 0.0
    if b_set_v <= 0.0:
        return 0.0, 0.0, 0.0
    a_a = a_limit_a + a_limit_w / b_set_v
    need_a = load_w / b_set_v + battery_a - a_a
    if need_a <= b_limit_a + b_limit_w / b_set_v:
        return b_set_v, a_a, need_a
    return 0.0, 0.0, 0.0


def _sag(emf_v: float, r_ohm: float, source_a: float, net_w: float) -> float:
    """Voltage where the battery balances a constant current plus a constant power, both towards the bus."""
    open_v = emf_v + r_ohm * source_a
    root = open_v * open_v + 4.0 * r_ohm * net_w
    return 0.5 * (open_v + sqrt(root)) if root >= 0.0 else 0.0
