"""The DC bus solver: Kirchhoff holds, set voltages and limits are kept, collapse is reported."""

from __future__ import annotations

from random import Random

import pytest

from greenmast.plant.bus import with_battery, without_battery


def test_currents_balance_and_no_source_leaves_its_limits_at_random_operating_points() -> None:
    seed = 20250321
    random = Random(seed)
    for trial in range(5_000):
        emf_v, r_ohm = random.uniform(40.0, 56.0), random.uniform(0.002, 0.2)
        load_w = random.choice((0.0, random.uniform(0.0, 6_000.0)))
        pv = (random.choice((0.0, random.uniform(50.0, 56.0))), 0.0, random.uniform(0.1, 4_000.0))
        rect = (random.choice((0.0, random.uniform(48.0, 57.0))), random.uniform(0.1, 120.0), 0.0)
        v, pv_a, rect_a = with_battery(emf_v, r_ohm, load_w, *pv, *rect)
        where = f"seed {seed} trial {trial}"
        if v == 0.0:
            assert (pv_a, rect_a) == (0.0, 0.0), where
            continue
        assert pv_a + rect_a - load_w / v - (v - emf_v) / r_ohm == pytest.approx(0.0, abs=1e-6), where
        for (set_v, limit_a, limit_w), amps in ((pv, pv_a), (rect, rect_a)):
            cap = limit_a + limit_w / v if set_v else 0.0
            assert -1e-9 <= amps <= cap + 1e-9, where
            if amps > 1e-6:
                assert v <= set_v + 1e-9, where
            if amps < cap - 1e-6:
                assert v >= set_v - 1e-9, where


def test_the_source_with_the_higher_set_voltage_goes_first_whatever_the_order() -> None:
    pv, rect = (52.05, 0.0, 1_000.0), (51.75, 116.0, 0.0)
    v, pv_a, rect_a = with_battery(51.75, 0.015, 2_000.0, *pv, *rect)
    assert v == 51.75
    assert pv_a == pytest.approx(1_000.0 / 51.75)
    assert rect_a == pytest.approx(1_000.0 / 51.75)
    assert with_battery(51.75, 0.015, 2_000.0, *rect, *pv) == (v, rect_a, pv_a)


def test_a_battery_too_weak_for_the_load_collapses_to_zero() -> None:
    assert with_battery(48.0, 0.5, 2_000.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0) == (0.0, 0.0, 0.0)


def test_without_a_battery_sources_hold_their_set_voltage_or_nothing() -> None:
    rect = (51.75, 20.0, 0.0)
    off = (0.0, 0.0, 0.0)
    assert without_battery(500.0, 0.0, *rect, *off) == pytest.approx((51.75, 500.0 / 51.75, 0.0))
    assert without_battery(2_000.0, 0.0, *rect, *off) == (0.0, 0.0, 0.0)
    assert without_battery(0.0, 0.0, *off, *off) == (0.0, 0.0, 0.0)
