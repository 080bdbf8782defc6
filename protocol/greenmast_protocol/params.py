"""The parameter table: every setting of the controller, once.

A row is (name, default, low, high). Values are integers in the unit that ends the name. Where the value
stands for a word, `CHOICES` has the words; what each is for stands in `param_text`. `PAIRS` are the
thresholds that must stay apart; they are judged together by `config`. On the board the rows are packed (see
`greenmast.flash.pack`): what runs there uses the functions.
"""

from greenmast_protocol import points

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

PARAMS = (
    ("grid.return_delay_s", 60, 1, 7_200),
    ("grid.loss_delay_s", 3, 0, 300),
    ("grid.voltage_min_mv", 195_500, 50_000, 300_000),
    ("grid.voltage_max_mv", 253_000, 100_000, 400_000),
    ("grid.frequency_min_chz", 4_750, 4_000, 6_500),
    ("grid.frequency_max_chz", 5_250, 4_000, 6_500),
    ("grid.flap_count", 5, 2, 20),
    ("grid.flap_window_s", 1_800, 60, 86_400),
    ("grid.return_max_s", 1_800, 1, 7_200),
    ("outage.charge_before_s", 3_600, 0, 86_400),
    ("outage.leave_before_s", 300, 0, 3_600),
    ("outage.return_s", 60, 1, 3_600),
    ("source.dead_time_ms", 1_000, 100, 60_000),
    ("source.feedback_ms", 500, 50, 10_000),
    ("source.close_tries", 3, 1, 10),
    ("source.min_on_s", 10, 0, 3_600),
    ("genset.soc_start_permille", 300, 0, 1_000),
    ("genset.soc_stop_permille", 800, 0, 1_000),
    ("genset.soc_delay_s", 60, 0, 3_600),
    ("genset.soc_stop_delay_s", 0, 0, 3_600),
    ("genset.soc_quiet_start_permille", 200, 0, 1_000),
    ("genset.soc_quiet_stop_permille", 600, 0, 1_000),
    ("genset.data_lost", 0, 0, 2),
    ("genset.data_lost_delay_s", 300, 10, 3_600),
    ("genset.bus_start_mv", 48_000, 20_000, 80_000),
    ("genset.bus_stop_mv", 51_000, 20_000, 80_000),
    ("genset.bus_delay_s", 60, 0, 3_600),
    ("genset.bus_stop_delay_s", 60, 0, 3_600),
    ("genset.bus_quiet_start_mv", 47_600, 20_000, 80_000),
    ("genset.bus_quiet_stop_mv", 50_500, 20_000, 80_000),
    ("genset.load_start_w", 0, 0, 200_000),
    ("genset.load_stop_w", 0, 0, 200_000),
    ("genset.load_delay_s", 60, 0, 3_600),
    ("genset.load_stop_delay_s", 300, 0, 3_600),
    ("genset.load_quiet_start_w", 0, 0, 200_000),
    ("genset.load_quiet_stop_w", 0, 0, 200_000),
    ("genset.hot_start_dc", 0, 0, 1_000),
    ("genset.hot_stop_dc", 0, 0, 1_000),
    ("genset.hot_delay_s", 300, 0, 3_600),
    ("genset.hot_stop_delay_s", 300, 0, 3_600),
    ("genset.hot_quiet_start_dc", 0, 0, 1_000),
    ("genset.hot_quiet_stop_dc", 0, 0, 1_000),
    ("genset.to_lvd_start_s", 0, 0, 604_800),
    ("genset.to_lvd_stop_s", 0, 0, 604_800),
    ("genset.to_lvd_delay_s", 300, 0, 3_600),
    ("genset.to_lvd_stop_delay_s", 300, 0, 3_600),
    ("genset.to_lvd_quiet_start_s", 0, 0, 604_800),
    ("genset.to_lvd_quiet_stop_s", 0, 0, 604_800),
    ("genset.grid_absent_s", 0, 0, 604_800),
    ("genset.window_start_min", 0, 0, 1_439),
    ("genset.window_end_min", 0, 0, 1_439),
    ("genset.quiet_start_min", 0, 0, 1_439),
    ("genset.quiet_end_min", 0, 0, 1_439),
    ("genset.exercise_days", 28, 0, 365),
    ("genset.exercise_run_s", 900, 60, 14_400),
    ("genset.exercise_min", 660, 0, 1_439),
    ("genset.glow_s", 0, 0, 120),
    ("genset.hold_line", 0, 0, 1),
    ("genset.rating_w", 12_000, 500, 200_000),
    ("genset.load_min_permille", 300, 0, 1_000),
    ("genset.taper_s", 900, 60, 14_400),
    ("genset.tank_l", 200, 0, 20_000),
    ("genset.burn_idle_ml_h", 600, 0, 100_000),
    ("genset.burn_ml_kwh", 270, 0, 2_000),
    ("genset.theft_permille", 30, 5, 500),
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
    ("battery.float_mv", 50_700, 20_000, 80_000),
    ("battery.equalise_mv", 51_600, 20_000, 80_000),
    ("battery.safe_mv", 51_000, 20_000, 80_000),
    ("battery.tail_permille", 40, 1, 500),
    ("battery.absorption_s", 7_200, 60, 86_400),
    ("battery.bulk_again_s", 28_800, 600, 172_800),
    ("battery.equalise_days", 0, 0, 365),
    ("battery.equalise_max_s", 14_400, 600, 86_400),
    ("battery.compensation_uv", 3_000, 0, 10_000),
    ("battery.cold_dc", 0, -300, 300),
    ("battery.hot_dc", 500, 250, 800),
    ("battery.cell_high_mv", 3_550, 1_500, 4_500),
    ("battery.cell_low_mv", 2_900, 1_000, 4_000),
    ("battery.charge_limit_ma", 0, 0, 1_000_000),
    ("battery.cable_limit_ma", 0, 0, 1_000_000),
    ("battery.lost_s", 60, 10, 3_600),
    ("battery.grace_s", 1_800, 0, 7_200),
    ("battery.soc_error_max_permille", 150, 20, 1_000),
    ("battery.test_stop_permille", 500, 100, 900),
    ("battery.test_max_s", 14_400, 600, 172_800),
    ("battery.test_lockout_s", 172_800, 0, 1_209_600),
    ("rectifier.limit_ma", 0, 0, 1_000_000),
    ("rectifier.restart_s", 60, 5, 3_600),
    ("balance.tolerance_w", 300, 20, 20_000),
    ("balance.delay_s", 300, 10, 3_600),
    ("lvd.tier1_mv", 45_000, 20_000, 80_000),
    ("lvd.tier2_mv", 46_500, 20_000, 80_000),
    ("lvd.tier3_mv", 47_500, 20_000, 80_000),
    ("lvd.battery_mv", 43_500, 20_000, 80_000),
    ("lvd.delay_s", 60, 0, 3_600),
    ("lvd.before_genset", 0, 0, 1),
    ("lvd.compensation_uohm", 0, 0, 100_000),
    ("lvd.tier1_permille", 0, 0, 1_000),
    ("lvd.tier2_permille", 0, 0, 1_000),
    ("lvd.tier3_permille", 0, 0, 1_000),
    ("lvd.reconnect_permille", 0, 0, 1_000),
    ("lvd.tier1_after_s", 0, 0, 604_800),
    ("lvd.tier2_after_s", 0, 0, 604_800),
    ("lvd.tier3_after_s", 0, 0, 604_800),
    ("lvd.raise_mv", 200, 0, 2_000),
    ("lvd.reconnect_mv", 49_800, 20_000, 80_000),
    ("lvd.reconnect_s", 300, 0, 86_400),
    ("lvd.stagger_s", 30, 0, 3_600),
    ("cooling.start_dc", 350, 0, 800),
    ("cooling.stop_dc", 300, 0, 800),
    ("cooling.battery_start_dc", 350, 0, 800),
    ("cooling.battery_stop_dc", 320, 0, 800),
    ("cooling.min_off_s", 180, 0, 3_600),
    ("cooling.precool_dc", 260, 0, 800),
    ("cooling.alarm_dc", 420, 0, 1_000),
    ("policy.name", 0, 0, 3),
    ("policy.cheap_start_min", 1_380, 0, 1_439),
    ("policy.cheap_end_min", 420, 0, 1_439),
    ("policy.reserve_cheap_permille", 950, 0, 1_000),
    ("disaster.target_s", 259_200, 3_600, 1_209_600),
    ("disaster.reserve_permille", 1_000, 0, 1_000),
    ("disaster.fuel_permille", 300, 0, 1_000),
    ("alarms.flood_count", 10, 3, 100),
    ("alarms.flood_s", 600, 60, 3_600),
    ("scan.period_ms", 1_000, 100, 10_000),
    ("scan.stale_periods", 3, 2, 20),
    ("scan.hold_s", 120, 0, 3_600),
    ("telemetry.period_s", 180, 1, 3_600),
    ("telemetry.full_s", 900, 10, 86_400),
    ("reset.hold_s", 60, 1, 3_600),
    ("reset.calm_s", 600, 10, 86_400),
)

CHOICES = {
    "genset.data_lost": ("start", "keep", "stop"),
    "policy.name": points.POLICIES,
}

# (lower, upper, least distance): upper must exceed lower by at least this much, in their unit. Two zeros mean
# that the rule is switched off.
PAIRS = (
    ("grid.voltage_min_mv", "grid.voltage_max_mv", 1_000),
    ("grid.frequency_min_chz", "grid.frequency_max_chz", 10),
    ("genset.voltage_min_mv", "genset.voltage_max_mv", 1_000),
    ("genset.frequency_min_chz", "genset.frequency_max_chz", 10),
    ("genset.soc_start_permille", "genset.soc_stop_permille", 1),
    ("genset.bus_start_mv", "genset.bus_stop_mv", 500),
    ("genset.soc_quiet_start_permille", "genset.soc_quiet_stop_permille", 1),
    ("genset.bus_quiet_start_mv", "genset.bus_quiet_stop_mv", 500),
    ("genset.load_stop_w", "genset.load_start_w", 1),
    ("genset.load_quiet_stop_w", "genset.load_quiet_start_w", 1),
    ("genset.hot_stop_dc", "genset.hot_start_dc", 1),
    ("genset.hot_quiet_stop_dc", "genset.hot_quiet_start_dc", 1),
    ("genset.to_lvd_start_s", "genset.to_lvd_stop_s", 1),
    ("genset.to_lvd_quiet_start_s", "genset.to_lvd_quiet_stop_s", 1),
    ("battery.float_mv", "battery.charge_mv", 1),
    ("battery.charge_mv", "battery.equalise_mv", 0),
    ("battery.safe_mv", "battery.charge_mv", 0),
    ("battery.cell_low_mv", "battery.cell_high_mv", 100),
    ("battery.cold_dc", "battery.hot_dc", 100),
    ("cooling.stop_dc", "cooling.start_dc", 10),
    ("cooling.battery_stop_dc", "cooling.battery_start_dc", 10),
    ("cooling.precool_dc", "cooling.stop_dc", 0),
    ("cooling.start_dc", "cooling.alarm_dc", 10),
    ("genset.bus_stop_mv", "battery.charge_mv", 100),
    ("lvd.tier3_mv", "genset.bus_start_mv", 0),
    ("lvd.tier3_mv", "genset.bus_quiet_start_mv", 0),
    ("lvd.tier3_permille", "genset.soc_start_permille", 0),
    ("lvd.tier3_permille", "genset.soc_quiet_start_permille", 0),
    ("lvd.tier1_permille", "lvd.tier2_permille", 0),
    ("lvd.tier2_permille", "lvd.tier3_permille", 0),
    ("lvd.tier3_permille", "lvd.reconnect_permille", 10),
    ("genset.fuel_stop_permille", "genset.fuel_resume_permille", 1),
    ("lvd.battery_mv", "lvd.tier1_mv", 0),
    ("lvd.tier1_mv", "lvd.tier2_mv", 0),
    ("lvd.tier2_mv", "lvd.tier3_mv", 0),
    ("lvd.tier3_mv", "lvd.reconnect_mv", 401),
)

# Defaults that hang on the battery: mV per cell. The defaults above are those of 15 LFP cells.
PER_CELL = {
    "lfp": {
        "genset.bus_start_mv": 3_200,
        "genset.bus_stop_mv": 3_400,
        "genset.bus_quiet_start_mv": 3_174,
        "genset.bus_quiet_stop_mv": 3_367,
        "battery.charge_mv": 3_434,
        "battery.float_mv": 3_380,
        "battery.equalise_mv": 3_440,
        "battery.safe_mv": 3_400,
        "lvd.tier1_mv": 3_000,
        "lvd.tier2_mv": 3_100,
        "lvd.tier3_mv": 3_167,
        "lvd.battery_mv": 2_900,
        "lvd.reconnect_mv": 3_320,
    },
    "vrla": {
        "genset.bus_start_mv": 1_960,
        "genset.bus_stop_mv": 2_250,
        "genset.bus_quiet_start_mv": 1_955,
        "genset.bus_quiet_stop_mv": 2_200,
        "battery.charge_mv": 2_350,
        "battery.float_mv": 2_250,
        "battery.equalise_mv": 2_370,
        "battery.safe_mv": 2_230,
        "lvd.tier1_mv": 1_850,
        "lvd.tier2_mv": 1_900,
        "lvd.tier3_mv": 1_950,
        "lvd.battery_mv": 1_800,
        "lvd.reconnect_mv": 2_100,
    },
}

NAMES = tuple([row[0] for row in PARAMS])


def row(name: str) -> "tuple[str, int, int, int] | None":
    """The row of parameter `name`, or None."""
    for r in PARAMS:
        if r[0] == name:
            return r
    return None


def pairs() -> "Iterable[tuple[str, str, int]]":
    """The rows of `PAIRS`."""
    return PAIRS


def defaults() -> "dict[str, int]":
    """A new dict of all parameters at their defaults."""
    return {r[0]: r[1] for r in PARAMS}


def complete(given: "dict[str, int]") -> "dict[str, int]":
    """All parameters: those given over the defaults."""
    values = defaults()
    values.update(given)
    return values


def for_battery(chemistry: str, cells: int) -> "dict[str, int]":
    """The defaults that hang on the battery, for one of `cells` cells. Empty for an unknown chemistry."""
    rows = PER_CELL.get(chemistry, {})
    return {name: rows[name] * cells for name in rows}
