"""GenComm alarm pages: which alarm sits in which nibble, and how a set of active alarms is written there.

Owns the tables of page 8 (older controllers) and page 154 (73xx MkII). Must not know when an alarm is
active. Four alarms to a register, the first in the most significant nibble; "" is a place the controller
does not implement.
"""

from __future__ import annotations

from collections.abc import Mapping

INACTIVE, WARNING, SHUTDOWN, UNIMPLEMENTED = 1, 2, 3, 15

PAGE_8 = (
    ("emergency_stop", "low_oil_pressure", "high_coolant_temperature", ""),
    ("underspeed", "overspeed", "fail_to_start", "fail_to_rest"),
    ("loss_of_speed", "generator_low_voltage", "generator_high_voltage", "generator_low_frequency"),
    ("generator_high_frequency", "generator_high_current", "earth_fault", "reverse_power"),
    ("air_flap", "oil_sender", "coolant_sender", ""),
    ("fuel_sender", "magnetic_pickup", "loss_of_ac_speed", "charge_alternator"),
    ("battery_low_voltage", "battery_high_voltage", "low_fuel_level", "high_fuel_level"),
    ("generator_fail_to_close", "mains_fail_to_close", "generator_fail_to_open", "mains_fail_to_open"),
    ("mains_low_voltage", "mains_high_voltage", "mains_low_frequency", "mains_high_frequency"),
    ("mains_failed", "mains_phase_rotation", "", ""),
    ("generator_phase_rotation", "maintenance_due", "clock_not_set", ""),
)
PAGE_154 = (
    ("emergency_stop", "low_oil_pressure", "high_coolant_temperature", "low_coolant_temperature"),
    ("underspeed", "overspeed", "generator_low_frequency", "generator_high_frequency"),
    ("generator_low_voltage", "generator_high_voltage", "battery_low_voltage", "battery_high_voltage"),
    ("charge_alternator", "fail_to_start", "fail_to_stop", "generator_fail_to_close"),
    ("mains_fail_to_close", "oil_sender", "magnetic_pickup_loss", "magnetic_pickup"),
    ("generator_high_current", "calibration_lost", "low_fuel_level", "ecu_warning"),
    ("ecu_shutdown", "ecu_data_fail", "low_oil_level_switch", "high_temperature_switch"),
    ("low_fuel_level_switch", "watchdog", "overload", "negative_phase_sequence"),
    ("earth_fault", "generator_phase_rotation", "voltage_sense_fail", "maintenance_due"),
)


def registers(page: tuple[tuple[str, ...], ...], active: Mapping[str, int], count: int) -> list[int]:
    """Number of named alarms, then `count` registers; `active` maps an alarm to its nibble."""
    words = [sum(1 for row in page for name in row if name)]
    for row in page:
        word = 0
        for name in row:
            word = word << 4 | (active.get(name, INACTIVE) if name else UNIMPLEMENTED)
        words.append(word)
    return words + [0xFFFF] * (count - len(page))
