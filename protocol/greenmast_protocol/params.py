"""The parameter table: every setting of the controller, once.

A row is (name, default, low, high, text). Values are integers in the unit that ends the name. Where the value stands for
a word, `CHOICES` has the words. `PAIRS` are the thresholds that must stay apart; they are judged together by `config`.
"""

PARAMS = (
    ("grid.return_delay_s", 60, 1, 7_200, "grid must be good this long before it is used"),
    ("grid.loss_delay_s", 3, 0, 300, "grid may be out of limits this long before it is left"),
    ("grid.voltage_min_mv", 195_500, 50_000, 300_000, "lowest usable grid voltage"),
    ("grid.voltage_max_mv", 253_000, 100_000, 400_000, "highest usable grid voltage"),
    ("grid.frequency_min_chz", 4_750, 4_000, 6_500, "lowest usable grid frequency"),
    ("grid.frequency_max_chz", 5_250, 4_000, 6_500, "highest usable grid frequency"),
    ("source.dead_time_ms", 1_000, 100, 60_000, "both AC contactors proven open at least this long"),
    ("source.feedback_ms", 500, 50, 10_000, "a contactor's feedback must follow within this time"),
    ("source.close_tries", 3, 1, 10, "closing attempts before the alternative is taken"),
    ("source.min_on_s", 10, 0, 3_600, "an AC contactor stays closed at least this long, protection apart"),
    ("genset.soc_start_permille", 300, 0, 1_000, "start below this state of charge"),
    ("genset.soc_stop_permille", 800, 0, 1_000, "stop above this state of charge"),
    ("genset.soc_delay_s", 60, 0, 3_600, "state of charge must be low this long"),
    ("genset.data_lost", 0, 0, 2, "what to do when battery data are lost"),
    ("genset.data_lost_delay_s", 300, 10, 3_600, "battery data must be lost this long"),
    ("genset.bus_start_mv", 48_000, 20_000, 80_000, "start below this bus voltage"),
    ("genset.bus_stop_mv", 51_000, 20_000, 80_000, "the bus voltage that counts as charged"),
    ("genset.bus_delay_s", 60, 0, 3_600, "bus voltage must be beyond its threshold this long"),
    ("genset.min_run_s", 1_800, 0, 86_400, "minimum run time"),
    ("genset.min_off_s", 600, 0, 86_400, "minimum off time"),
    ("genset.max_run_s", 43_200, 600, 604_800, "longest run without an alarm"),
    ("genset.warm_up_s", 60, 0, 3_600, "from evidence of running to load"),
    ("genset.cool_down_s", 60, 0, 3_600, "run without load before stopping"),
    ("genset.crank_s", 10, 1, 120, "longest crank"),
    ("genset.crank_rest_s", 10, 1, 600, "rest between cranks"),
    ("genset.crank_tries", 3, 1, 10, "cranks before lock-out"),
    ("genset.stop_s", 60, 5, 600, "must have stopped within"),
    ("genset.starts_per_hour", 4, 1, 60, "starts per hour at most"),
    ("genset.fuel_stop_permille", 100, 0, 1_000, "stop below this fuel level"),
    ("genset.fuel_resume_permille", 200, 0, 1_000, "no restart until above"),
    ("genset.voltage_min_mv", 195_500, 50_000, 300_000, "lowest usable genset voltage"),
    ("genset.voltage_max_mv", 253_000, 100_000, 400_000, "highest usable genset voltage"),
    ("genset.frequency_min_chz", 4_700, 4_000, 6_500, "lowest usable genset frequency"),
    ("genset.frequency_max_chz", 5_300, 4_000, 6_500, "highest usable genset frequency"),
    ("battery.reserve_permille", 400, 0, 1_000, "energy kept for outages"),
    ("battery.charge_mv", 51_500, 20_000, 80_000, "rectifier setpoint while charging"),
    ("battery.safe_mv", 51_000, 20_000, 80_000, "rectifier setpoint without battery data"),
    ("lvd.tier1_mv", 45_000, 20_000, 80_000, "disconnect the critical load below"),
    ("lvd.tier2_mv", 46_500, 20_000, 80_000, "disconnect tier 2 below"),
    ("lvd.tier3_mv", 47_500, 20_000, 80_000, "disconnect tier 3 below"),
    ("lvd.battery_mv", 43_500, 20_000, 80_000, "disconnect the battery below"),
    ("lvd.delay_s", 60, 0, 3_600, "announced countdown before a disconnection"),
    ("lvd.reconnect_mv", 49_800, 20_000, 80_000, "reconnect above"),
    ("lvd.reconnect_s", 300, 0, 86_400, "held above the reconnect voltage this long"),
    ("lvd.stagger_s", 30, 0, 3_600, "between reconnections of tiers"),
    ("policy.name", 0, 0, 3, "named preset"),
    ("scan.period_ms", 1_000, 100, 10_000, "control period"),
    ("scan.hold_s", 120, 0, 3_600, "without any data hold the outputs this long, then the site's default"),
    ("telemetry.period_s", 10, 1, 3_600, "shortest time between reports"),
    ("telemetry.full_s", 900, 10, 86_400, "time between full reports"),
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
_ROW = {row[0]: row for row in PARAMS}


def row(name: str) -> "tuple[str, int, int, int, str] | None":
    """The row of parameter `name`, or None."""
    return _ROW.get(name)


def defaults() -> "dict[str, int]":
    """A new dict of all parameters at their defaults."""
    return {r[0]: r[1] for r in PARAMS}
