"""The reason table: why an output is as it is, and why a command was refused. One list of codes for both.

A code is a place in this table and travels in `reason.*` points and refusals; new names go to the end, so
that old logs stay readable. The sentences are in `reason_text`.
"""

from greenmast_protocol import refusals

_REASONS = (
    # reasons of outputs
    "boot",
    "grid_available",
    "grid_lost",
    "grid_return_delay",
    "no_source",
    "dead_time",
    "soc_low",
    "soc_reached",
    "data_lost",
    "no_demand",
    "cranking",
    "start_failed",
    "warm_up",
    "cool_down",
    "genset_ready",
    "fail_to_stop",
    "welded",
    "fail_to_close",
    "bus_low",
    "bus_recovering",
    "shed_countdown",
    "default_state",
    "battery_carries",
    "manual",
    "stagger",
    "grid_frequency",
    "grid_silent",
    "mains_fail",
    "genset_band",
    "genset_stalled",
    "stopping",
    "soc_above",
    "bus_above",
    "bus_silent",
    "holding",
    # knowing
    "soc_unsure",
    # AC source
    "outage_planned",
    "tariff",
    "plan",
    # demands for the genset
    "load_high",
    "battery_hot",
    "grid_absent",
    "to_lvd_short",
    "window",
    "exercise",
    "load_below",
    "battery_cool",
    "to_lvd_enough",
    # genset
    "glow",
    "quiet_hours",
    "fuel_ration",
    "tapered",
    # charging
    "bulk",
    "absorption",
    "float",
    "equalise",
    "charge_cold",
    "charge_hot",
    "cell_limit",
    "safe_voltage",
    "reserve_kept",
    "battery_test",
    "min_load",
    "battery_full",
    # loads
    "soc_shed",
    "time_shed",
    "disaster_shed",
    "rectifier_restart",
    # cooling
    "too_hot",
    "precool",
    "cool_enough",
    "compressor_rest",
    "reserve_first",
    # knowing
    "soc_bms",
    "soc_counted",
    "temperature_silent",
    # readings that are not believed
    "reading_jumps",
    "reading_frozen",
    "reading_contradicted",
    # policy
    "preset",
    "ac_charges",
    "tariff_cheap",
    "clock_unsure",
    "grid_unsteady",
    "disaster",
    # charging, later
    "charge_refused",
    # resets in a row
    "reset_hold",
    # relays
    "alarm_on",
    # what stands in nobody's way, and is worth saying
    "fuel_enough",
    "starts_left",
    "bus_margin",
    "grid_margin",
    "setpoint",
    # genset demand, later
    "critical_off",
)

NAMES = ("ok",) + refusals.NAMES + _REASONS
# Codes that may answer a command, in the order of the table.
REFUSALS = refusals.NAMES


def code(name: str) -> int:
    """Code of the reason `name`. Raises ValueError for an unknown one."""
    return NAMES.index(name)
