"""The sentences for the reasons, for people. `{}` takes the value that decided, then its limit."""

from greenmast_protocol import reasons

TEXTS = {
    "ok": "as it should be",
    "unknown": "no such command",
    "invalid_value": "a value is missing, of the wrong type or out of range",
    "not_authorised": "the key may not do this",
    "expired": "the command's time has passed",
    "replayed": "this command has been seen before",
    "retained": "a retained message is never a command",
    "rate_limited": "too many commands",
    "mode": "not in this mode",
    "interlock": "the other AC contactor is not proven open",
    "not_qualified": "the source is not stable enough",
    "fuel_low": "fuel {} below {}",
    "locked_out": "locked out after a fault: reset it first",
    "inhibited": "inhibited by command",
    "min_off": "minimum off time: {} left",
    "min_run": "minimum run time: {} left",
    "starts_per_hour": "{} of {} starts this hour",
    "engine_fault": "engine fault",
    "feedback_fault": "contactor feedback contradicts the output",
    "battery_protect": "battery protection",
    "no_device": "no such device at this site",
    "busy": "another transition is under way",
    "revision_conflict": "the configuration has changed meanwhile",
    "boot": "after a reset: waiting for feedback",
    "grid_available": "grid qualifies",
    "grid_lost": "grid lost: {} against {}",
    "grid_return_delay": "grid qualifies in {}",
    "no_source": "no AC source",
    "dead_time": "dead time: {} left",
    "soc_low": "state of charge {} below {}",
    "soc_reached": "state of charge {} reached {}",
    "data_lost": "battery data lost",
    "no_demand": "no demand",
    "cranking": "cranking, try {} of {}",
    "start_failed": "no start after {} tries",
    "warm_up": "warming up: {} left",
    "cool_down": "cooling down: {} left",
    "genset_ready": "genset is ready",
    "fail_to_stop": "still running though told to stop",
    "welded": "contactor did not open",
    "fail_to_close": "contactor did not close",
    "bus_low": "bus {} below {}",
    "bus_recovering": "recovered: {} left",
    "shed_countdown": "disconnect in {}",
    "default_state": "no trustworthy data: the site's default",
    "battery_carries": "the battery carries the load",
    "manual": "by command",
    "stagger": "another load was connected {} ago",
    "grid_frequency": "grid frequency {} against {}",
    "grid_silent": "no trustworthy grid measurement",
    "mains_fail": "mains-fail input",
    "genset_band": "genset voltage or frequency out of band",
    "genset_stalled": "genset stopped by itself",
    "stopping": "stopping: for {} now",
    "soc_above": "state of charge {} above {}",
    "bus_above": "bus {} above {}",
    "bus_silent": "no trustworthy bus voltage",
    "holding": "no data at all: held as it was, the site's default in {}",
    "soc_unsure": "state of charge uncertain by {}: voltage rules",
    "outage_planned": "announced outage in {}",
    "tariff": "grid power is expensive now: the battery carries",
    "plan": "as the plan says",
    "load_high": "load {} above {}",
    "battery_hot": "battery {} above {}",
    "grid_absent": "grid absent for {} of {}",
    "to_lvd_short": "{} to disconnection, below {}",
    "window": "scheduled window",
    "exercise": "exercise run",
    "load_below": "load {} below {}",
    "battery_cool": "battery {} below {}",
    "to_lvd_enough": "{} to disconnection, above {}",
    "glow": "glowing: {} left",
    "quiet_hours": "quiet hours",
    "fuel_ration": "fuel {} rationed below {}",
    "tapered": "charging has tapered off",
    "bulk": "bulk charge",
    "absorption": "absorption: {} left",
    "float": "float",
    "equalise": "equalising: {} left",
    "charge_cold": "no charging: battery {} below {}",
    "charge_hot": "no charging: battery {} above {}",
    "cell_limit": "highest cell {} at its limit {}",
    "safe_voltage": "no battery data: safe voltage",
    "reserve_kept": "charged to the reserve, room is kept for sun",
    "battery_test": "battery test",
    "min_load": "charging harder to load the genset",
    "battery_full": "battery full",
    "soc_shed": "state of charge {} below {}",
    "time_shed": "AC absent for {}, limit {}",
    "disaster_shed": "shed so that the rest lasts",
    "rectifier_restart": "AC is there: restarting the rectifier first",
    "too_hot": "{} above {}",
    "precool": "cooling ahead on solar surplus",
    "cool_enough": "{} below {}",
    "compressor_rest": "compressor rests: {} left",
    "reserve_first": "the reserve comes first",
    "soc_bms": "state of charge {} +- {}",
    "soc_counted": "state of charge {} +- {}, counted for {}",
    "temperature_silent": "no trustworthy temperature",
    "reading_jumps": "jumps further than it can",
    "reading_frozen": "stands still while it should move",
    "reading_contradicted": "other evidence excludes it",
    "preset": "as the parameters say",
    "ac_charges": "charged fully whenever AC is there",
    "tariff_cheap": "grid power is cheap now: charged to {}",
    "clock_unsure": "no trusted time: no tariff, charged fully",
    "grid_unsteady": "the grid was lost within a day: no tariff, charged fully",
    "disaster": "disaster mode: must last {} more",
    "charge_refused": "no charging: the BMS allows no current",
    "reset_hold": "several resets in a row: waits for {}",
    "alarm_on": "alarm {}, {} in all",
    "fuel_enough": "fuel {} above {}",
    "starts_left": "{} of {} starts this hour",
    "critical_off": "critical load is off",
    "bus_margin": "bus {} above disconnection at {}",
}


def text(code: int, *values: object) -> str:
    """The sentence for a reason; missing values read as "?"."""
    parts = TEXTS[reasons.NAMES[code]].split("{}")
    out = parts[0]
    for i in range(1, len(parts)):
        out += (str(values[i - 1]) if i <= len(values) else "?") + parts[i]
    return out


def brief(code: int) -> str:
    """What a reason says, short of the deciding values. A newer board's codes are named by number."""
    if not 0 <= code < len(reasons.NAMES):
        return "reason %d" % code
    name = reasons.NAMES[code]
    before, placeholder, _ = TEXTS[name].partition("{}")
    if not placeholder:
        return before
    if before.endswith(": "):
        return before[:-2]
    return name.replace("soc", "state of charge").replace("_", " ")
