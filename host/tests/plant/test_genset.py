"""The genset: cranking, run-up, droop, fuel, faults."""

from __future__ import annotations

from dataclasses import replace

import pytest

from greenmast.plant.config import GensetConfig
from greenmast.plant.genset import STARTER_LIMIT_S, Genset

SURE = GensetConfig(start_permille=1_000)


class Bench:
    """A genset on a test bench: a fixed electrical load, short steps."""

    def __init__(self, cfg: GensetConfig = SURE, seed: int = 1) -> None:
        self.genset = Genset(cfg, seed, ambient_c=25.0)
        self.load_w = 0.0
        self.now_s = 0.0
        self.rpm: list[float] = []

    def run(self, seconds: float, dt_s: float = 0.1) -> Genset:
        for _ in range(round(seconds / dt_s)):
            self.genset.advance(self.now_s)
            self.genset.step(self.now_s + dt_s / 2, dt_s, 25.0)
            self.genset.deliver(self.load_w if self.genset.live else 0.0, dt_s)
            self.now_s += dt_s
            self.rpm.append(self.genset.rpm)
        return self.genset


def started(load_w: float = 0.0, cfg: GensetConfig = SURE) -> Bench:
    bench = Bench(cfg)
    bench.genset.remote_start(True)
    bench.run(20.0)
    bench.load_w = load_w
    return bench


@pytest.mark.parametrize("seed", range(5))
def test_it_cranks_two_to_five_seconds_then_settles_at_rated_speed_with_some_overshoot(seed: int) -> None:
    bench = Bench(seed=seed)
    bench.genset.relay = True
    while not bench.genset.running and bench.now_s < 10.0:
        bench.run(0.1)
    assert 2.0 <= bench.now_s <= 5.3
    genset = bench.run(8.0)
    assert genset.rpm == pytest.approx(1_500.0, rel=0.005)
    assert genset.frequency_chz == pytest.approx(5_000.0, rel=0.005)
    assert genset.voltage_mv == pytest.approx(230_000.0, rel=0.01)
    assert 1_500.0 * 1.02 < max(bench.rpm) < 1_500.0 * 1.10
    assert genset.starts == 1


def test_speed_droops_under_load_within_the_band_a_rectifier_accepts() -> None:
    bench = started(load_w=6_000.0)
    assert 4_850.0 < bench.run(5.0).frequency_chz < 4_950.0


@pytest.mark.parametrize(
    ("load_w", "litres_per_h"), [(0.0, 0.6), (2_000.0, 1.14), (6_300.0, 2.301), (12_000.0, 3.84)]
)
def test_fuel_burn_is_idle_plus_energy(load_w: float, litres_per_h: float) -> None:
    bench = started(load_w)
    before_l, before_wh = bench.genset.fuel_l, bench.genset.energy_wh
    bench.run(3_600.0, dt_s=1.0)
    assert before_l - bench.genset.fuel_l == pytest.approx(litres_per_h, rel=0.002)
    assert bench.genset.energy_wh - before_wh == pytest.approx(load_w, rel=0.002)
    assert bench.genset.run_s == pytest.approx(3_600.0, abs=20.0)


def test_it_stops_in_five_seconds_and_when_the_tank_is_dry() -> None:
    bench = started(2_000.0)
    bench.genset.remote_start(False)
    assert bench.run(6.0).state == "off"
    assert bench.genset.rpm == 0.0
    bench = started(2_000.0)
    bench.genset.fuel_permille = 0.001
    bench.run(60.0)
    assert bench.genset.fuel_l == 0.0
    assert bench.genset.state == "off"


def test_relay_and_remote_start_are_ored() -> None:
    bench = started()
    bench.genset.relay = True
    bench.genset.remote_start(False)
    assert bench.run(5.0).running


def test_coolant_warms_to_about_85_degrees_and_oil_pressure_follows_speed() -> None:
    bench = started(6_000.0)
    cold_kpa = bench.genset.oil_kpa
    bench.run(3_600.0, dt_s=1.0)
    assert bench.genset.coolant_c == pytest.approx(86.0, abs=2.0)
    assert 300.0 < bench.genset.oil_kpa < cold_kpa
    bench.genset.remote_start(False)
    assert bench.run(60.0).oil_kpa < 1.0


def test_a_failed_start_cranks_to_the_starter_limit_and_needs_a_new_request() -> None:
    bench = Bench()
    bench.genset.wont_start = True
    bench.genset.remote_start(True)
    assert bench.run(STARTER_LIMIT_S - 1.0).state == "cranking"
    assert bench.run(2.0).state == "off"
    bench.genset.wont_start = False
    assert bench.run(60.0).state == "off"
    bench.genset.remote_start(False)
    bench.run(1.0)
    bench.genset.remote_start(True)
    assert bench.run(15.0).running


def test_start_probability_is_that_of_the_configuration() -> None:
    bench = Bench(replace(SURE, start_permille=600), seed=4)
    for _ in range(300):
        bench.genset.remote_start(True)
        bench.run(6.0, dt_s=0.5)
        bench.genset.remote_start(False)
        bench.run(10.0, dt_s=0.5)
    assert bench.genset.starts / 300 == pytest.approx(0.6, abs=0.1)


def test_a_stalling_engine_runs_unloaded_and_dies_under_load_until_requested_anew() -> None:
    bench = started()
    bench.genset.stalls = True
    assert bench.run(60.0).running
    bench.load_w = 3_000.0
    assert bench.run(30.0).state == "off"


def test_an_engine_that_wont_stop_keeps_running() -> None:
    bench = started()
    bench.genset.wont_stop = True
    bench.genset.remote_start(False)
    assert bench.run(60.0).running


def test_an_absent_genset_never_starts() -> None:
    bench = Bench(replace(SURE, present=False))
    bench.genset.remote_start(True)
    assert bench.run(30.0).state == "off"


def test_a_governor_that_holds_too_high_a_speed_shows_it_in_the_frequency() -> None:
    bench = started()
    assert bench.genset.frequency_chz == pytest.approx(5_000, abs=20)
    bench.genset.bad_hz = True
    assert bench.run(10.0).frequency_chz == pytest.approx(5_600, abs=20)
    bench.genset.bad_hz = False
    assert bench.run(10.0).frequency_chz == pytest.approx(5_000, abs=20)


def test_a_thief_drains_a_tenth_of_the_tank_an_hour_while_the_engine_stands() -> None:
    bench = Bench()
    bench.genset.fuel_theft = True
    assert bench.run(3_600.0, 10.0).fuel_permille == pytest.approx(700 - 100, abs=1)
    bench.genset.remote_start(True)
    bench.run(20.0)
    before = bench.genset.fuel_permille
    assert bench.run(360.0).fuel_permille > before - 2
