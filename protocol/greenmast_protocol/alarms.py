"""The alarm table: every alarm the board can raise, once.

A row is (name, severity, on-delay s, off-delay s, cause, text, remedy). Severities are those of X.733. An alarm is not
raised while the one named as its cause is active. Names go on the wire.
"""

CRITICAL = "critical"
MAJOR = "major"
MINOR = "minor"
WARNING = "warning"

ALARMS = (
    ("grid_lost", MINOR, 60, 60, "", "grid lost", "nothing to do unless it lasts"),
    ("grid_welded", CRITICAL, 0, 10, "", "grid contactor did not open", "isolate and replace K_GRID"),
    ("grid_fail_to_close", MAJOR, 0, 10, "", "grid contactor did not close", "check coil supply of K_GRID"),
    ("genset_welded", CRITICAL, 0, 10, "", "genset contactor did not open", "isolate and replace K_GEN"),
    ("genset_fail_to_close", MAJOR, 0, 10, "", "genset contactor did not close", "check coil supply of K_GEN"),
    ("feedback_mismatch", MAJOR, 1, 10, "", "a contactor's feedback contradicts its output", "check wiring"),
    ("genset_start_failed", CRITICAL, 0, 0, "", "genset does not start", "check fuel, battery, e-stop; reset"),
    ("genset_fail_to_stop", MAJOR, 0, 10, "", "genset does not stop", "stop it by hand; check the start relay"),
    ("genset_unexpected_run", MAJOR, 30, 10, "", "genset runs unasked", "check mode switch and start relay"),
    ("genset_stalled", MAJOR, 0, 0, "", "genset stopped by itself on load", "check fuel and engine"),
    ("genset_max_run", MINOR, 0, 10, "", "genset has run too long", "check charging and load"),
    ("genset_out_of_band", MAJOR, 10, 10, "", "genset voltage or frequency out of band", "check governor and AVR"),
    ("fuel_low", MAJOR, 60, 60, "", "fuel low", "refuel"),
    ("battery_low", MAJOR, 30, 60, "", "battery low", "restore a source"),
    ("battery_data_lost", MAJOR, 30, 10, "", "no data from the battery", "check BMS and bus"),
    ("dc_bus_data_lost", CRITICAL, 30, 10, "", "no DC bus voltage from any device", "check bus and meters"),
    ("load1_disconnected", CRITICAL, 0, 0, "", "critical load disconnected", "restore a source"),
    ("load2_disconnected", MAJOR, 0, 0, "", "tier 2 disconnected", "restore a source"),
    ("load3_disconnected", MINOR, 0, 0, "", "tier 3 disconnected", "restore a source"),
    ("battery_disconnected", CRITICAL, 0, 0, "", "battery disconnected", "restore a source"),
    ("device_silent", MINOR, 30, 10, "", "a Modbus device does not answer", "check its supply, address and wiring"),
    ("door_open", WARNING, 30, 5, "", "door open", "close the door"),
    ("smoke", CRITICAL, 2, 30, "", "smoke", "call the fire service"),
    ("watchdog_reset", MINOR, 0, 300, "", "the watchdog has reset the board", "send the log to the maintainers"),
    ("config_invalid", CRITICAL, 0, 0, "", "no valid configuration: safe mode", "apply a configuration"),
)

NAMES = tuple([row[0] for row in ALARMS])
_INDEX = {row[0]: i for i, row in enumerate(ALARMS)}


def index(name: str) -> int:
    """Number of the alarm `name`. Raises KeyError for an unknown one."""
    return _INDEX[name]
