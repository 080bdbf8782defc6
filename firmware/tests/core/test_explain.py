"""The controller explains itself: every state, with values, limits and times."""

from core_rig import Rig

from greenmast_protocol import show

EVERYTHING = {"grid", "genset", "rectifier", "battery", "solar", "load"}


def _lines(rig):
    return "\n".join([show.explanation(row) for row in rig.controller.explain()])


def test_explanations_tell_value_limit_and_time():
    rig = Rig().run(5)
    rig.grid_mv = 0
    rig.run(10)
    assert "against 195.50 V" in _lines(rig)
    assert "state of charge 50.0 % above 30.0 %" in _lines(rig)
    rig.grid_mv = 230_000
    rig.run(20)
    assert "grid qualifies in 41 s" in _lines(rig)
    rig.grid_mv = 0
    rig.soc = 250
    rig.until("genset.state", "warm_up", 200)
    rig.run(20)
    assert "warming up: 40 s left" in _lines(rig)
    rig.until("source.ac", "genset", 100)
    rig.run(2)
    text = _lines(rig)
    assert "genset on_load: state of charge 25.0 % below 80.0 %" in text
    assert "minimum run time:" in text


def test_every_state_can_be_explained():
    rig = Rig(genset__min_run_s=0)
    seen = set()

    def look():
        for row in rig.controller.explain():
            seen.add(row[2])
            assert show.explanation(row)
            assert "?" not in show.explanation(row), show.explanation(row)

    def scan(n):
        for _ in range(n):
            rig.scan()
            look()

    look()
    scan(3)
    rig.fuel = 50
    rig.grid_mv = 0
    rig.soc = 100
    scan(80)
    rig.fuel = 500
    rig.start_ms = None
    scan(70)
    rig.command("genset.reset")
    rig.start_ms = 3_000
    scan(150)
    rig.command("load.shed", tier=3, for_s=5)
    rig.soc = 900
    scan(80)
    rig.soc = 100
    scan(80)
    rig.bus = 47_000
    scan(150)
    rig.bus = 50_500
    rig.battery_ma = 100
    scan(350)
    rig.grid_mv = 230_000
    rig.grid_chz = 5_600
    scan(10)
    rig.grid_chz = 5_000
    scan(70)
    rig.silent = EVERYTHING
    scan(200)
    assert len(seen) >= 15, seen
