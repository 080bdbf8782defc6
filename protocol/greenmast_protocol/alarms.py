"""The alarm table: every alarm the board can raise, once.

A row is (name, severity, on-delay s, off-delay s, cause); text and remedy are in `alarm_text`. Severities are
those of X.733. An alarm is neither raised nor shown while the one named as its cause is on. A cause must
explain its consequence in full and weigh as much; what tells of service lost has none. Names go on the wire.
"""

CRITICAL = "critical"
MAJOR = "major"
MINOR = "minor"
WARNING = "warning"

# The life of an alarm (ISA-18.2). "cleared": over, and not yet acknowledged. "suppressed": on, but hidden
# under its cause and in no list.
STATES = ("normal", "active", "acknowledged", "cleared", "shelved", "suppressed")
ACTIVE = STATES[1]
IN_FORCE = STATES[1:3]

ALARMS = (
    ("grid_lost", "minor", 60, 60, ""),
    ("grid_welded", "critical", 0, 10, ""),
    ("grid_fail_to_close", "major", 0, 10, ""),
    ("genset_welded", "critical", 0, 10, ""),
    ("genset_fail_to_close", "major", 0, 10, ""),
    ("feedback_mismatch", "major", 1, 10, ""),
    ("genset_start_failed", "critical", 0, 0, ""),
    ("genset_fail_to_stop", "major", 0, 10, ""),
    ("genset_unexpected_run", "major", 30, 10, "genset_fail_to_stop"),
    ("genset_stalled", "major", 0, 0, "fuel_low"),
    ("genset_max_run", "minor", 0, 10, ""),
    ("genset_out_of_band", "major", 10, 10, "genset_fault"),
    ("fuel_low", "major", 60, 60, ""),
    ("battery_low", "major", 30, 60, ""),
    ("battery_data_lost", "major", 30, 10, ""),
    ("dc_bus_data_lost", "critical", 30, 10, ""),
    ("load1_disconnected", "critical", 0, 0, ""),
    ("load2_disconnected", "major", 0, 0, ""),
    ("load3_disconnected", "minor", 0, 0, ""),
    ("battery_disconnected", "critical", 0, 0, ""),
    ("device_silent", "minor", 30, 10, ""),
    ("door_open", "warning", 30, 5, ""),
    ("smoke", "critical", 2, 30, ""),
    ("watchdog_reset", "minor", 0, 300, ""),
    ("config_invalid", "critical", 0, 0, ""),
    ("measurement_frozen", "minor", 0, 60, ""),
    ("measurement_implausible", "minor", 30, 60, ""),
    ("energy_balance", "minor", 0, 60, "battery_data_lost"),
    ("soc_uncertain", "minor", 60, 60, "battery_data_lost"),
    ("string_lost", "major", 30, 60, "battery_data_lost"),
    ("grid_flapping", "minor", 0, 300, ""),
    ("genset_fault", "major", 0, 10, ""),
    ("fuel_theft", "major", 0, 0, ""),
    ("fuel_sensor_lost", "minor", 300, 60, ""),
    ("rectifier_failed", "major", 60, 60, ""),
    ("battery_hot", "major", 60, 300, ""),
    ("battery_cold", "minor", 60, 300, ""),
    ("battery_aged", "minor", 0, 0, ""),
    ("autonomy_short", "critical", 60, 300, ""),
    ("site_hot", "major", 60, 300, ""),
    ("cooling_failed", "major", 900, 300, ""),
    ("exercise_failed", "minor", 0, 0, "genset_start_failed"),
    ("plan_stale", "warning", 0, 0, ""),
    ("alarm_flood", "warning", 0, 300, ""),
    ("bus_fault", "minor", 30, 60, ""),
    ("io_fault", "major", 2, 10, ""),  # an I2C expander of the board does not answer or does not obey
    ("storage_fault", "major", 0, 60, ""),
    ("link_certificate", "minor", 30, 10, ""),
)

NAMES = tuple([row[0] for row in ALARMS])


def index(name: str) -> int:
    """Number of the alarm `name`. Raises ValueError for an unknown one."""
    return NAMES.index(name)
