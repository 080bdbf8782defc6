"""The parameter table: every setting of the controller, once.

A row is (name, default, low, high). Values are integers in the unit that ends the name. Where the value
stands for a word, `CHOICES` has the words; what each is for stands in `param_text`. `PAIRS` are the
thresholds that must stay apart; they are judged together by `config`.
"""

PARAMS = (
    ("grid.return_delay_s", 60, 1, 7_200),
    ("grid.loss_delay_s", 3, 0, 300),
    ("grid.voltage_min_mv", 195_500, 50_000, 300_000),
    ("grid.voltage_max_mv", 253_000, 100_000, 400_000),
    ("grid.frequency_min_chz", 4_750, 4_000, 6_500),
    ("grid.frequency_max_chz", 5_250, 4_000, 6_500),
    ("source.dead_time_ms", 1_000, 100, 60_000),
    ("source.feedback_ms", 500, 50, 10_000),
    ("source.close_tries", 3, 1, 10),
    ("source.min_on_s", 10, 0, 3_600),
    ("genset.soc_start_permille", 300, 0, 1_000),
    ("genset.soc_stop_permille", 800, 0, 1_000),
    ("genset.soc_delay_s", 60, 0, 3_600),
    ("genset.data_lost", 0, 0, 2),
    ("genset.data_lost_delay_s", 300, 10, 3_600),
    ("genset.bus_start_mv", 48_000, 20_000, 80_000),
    ("genset.bus_stop_mv", 51_000, 20_000, 80_000),
    ("genset.bus_delay_s", 60, 0, 3_600),
    ("genset.min_run_s", 1_800, 0, 86_400),
    ("genset.min_off_s", 600, 0, 86_400),
    ("genset.max_run_s", 43_200, 600, 604_800),
    ("genset.warm_up_s", 60, 0, 3_600),
    ("genset.cool_down_s", 60, 0, 3_600),
    ("genset.crank_s", 10, 1, 120),
    ("genset.crank_rest_s", 10, 1, 600),
    ("genset.crank_tries", 3, 1, 10),
    ("genset.stop_s", 60, 5, 600),
    ("genset.starts_per_hour", 4, 1, 60),
    ("genset.fuel_stop_permille", 100, 0, 1_000),
    ("genset.fuel_resume_permille", 200, 0, 1_000),
    ("genset.voltage_min_mv", 195_500, 50_000, 300_000),
    ("genset.voltage_max_mv", 253_000, 100_000, 400_000),
    ("genset.frequency_min_chz", 4_700, 4_000, 6_500),
    ("genset.frequency_max_chz", 5_300, 4_000, 6_500),
    ("battery.reserve_permille", 400, 0, 1_000),
    ("battery.charge_mv", 51_500, 20_000, 80_000),
    ("battery.safe_mv", 51_000, 20_000, 80_000),
    ("lvd.tier1_mv", 45_000, 20_000, 80_000),
    ("lvd.tier2_mv", 46_500, 20_000, 80_000),
    ("lvd.tier3_mv", 47_500, 20_000, 80_000),
    ("lvd.battery_mv", 43_500, 20_000, 80_000),
    ("lvd.delay_s", 60, 0, 3_600),
    ("lvd.reconnect_mv", 49_800, 20_000, 80_000),
    ("lvd.reconnect_s", 300, 0, 86_400),
    ("lvd.stagger_s", 30, 0, 3_600),
    ("policy.name", 0, 0, 3),
    ("scan.period_ms", 1_000, 100, 10_000),
    ("scan.hold_s", 120, 0, 3_600),
    ("telemetry.period_s", 10, 1, 3_600),
    ("telemetry.full_s", 900, 10, 86_400),
)

CHOICES = {
    "genset.data_lost": ("start", "keep", "stop"),
    "policy.name": ("weak-grid", "off-grid", "tribrid", "disaster"),
}

# (lower, upper, least distance): upper must exceed lower by at least this much, in their unit.
PAIRS = (
    ("grid.voltage_min_mv", "grid.voltage_max_mv", 1_000),
    ("grid.frequency_min_chz", "grid.frequency_max_chz", 10),
    ("genset.voltage_min_mv", "genset.voltage_max_mv", 1_000),
    ("genset.frequency_min_chz", "genset.frequency_max_chz", 10),
    ("genset.soc_start_permille", "genset.soc_stop_permille", 1),
    ("genset.bus_start_mv", "genset.bus_stop_mv", 500),
    ("genset.bus_stop_mv", "battery.charge_mv", 100),
    ("lvd.tier3_mv", "genset.bus_start_mv", 0),
    ("genset.fuel_stop_permille", "genset.fuel_resume_permille", 1),
    ("lvd.battery_mv", "lvd.tier1_mv", 0),
    ("lvd.tier1_mv", "lvd.tier2_mv", 0),
    ("lvd.tier2_mv", "lvd.tier3_mv", 0),
    ("lvd.tier3_mv", "lvd.reconnect_mv", 401),
)

NAMES = tuple([row[0] for row in PARAMS])


def row(name: str) -> "tuple[str, int, int, int] | None":
    """The row of parameter `name`, or None."""
    for r in PARAMS:
        if r[0] == name:
            return r
    return None


def defaults() -> "dict[str, int]":
    """A new dict of all parameters at their defaults."""
    return {r[0]: r[1] for r in PARAMS}


def complete(given: "dict[str, int]") -> "dict[str, int]":
    """All parameters: those given over the defaults."""
    values = defaults()
    values.update(given)
    return values
