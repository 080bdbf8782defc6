"""One demand for the genset that hangs on a measured value: two thresholds, and a delay for each.

Rules
- Beyond the start threshold for the start delay it demands; beyond the stop threshold for the stop delay it
  demands no more. In between, everything stays as it is.
- Quiet hours have thresholds of their own. A start threshold of 0 switches the demand off.

Knows no other demand and not whether the genset may start; the latch itself is a bit of `Demand.active`.
"""

from greenmast_protocol import reasons

SOC = 1
BUS = 2
LOAD = 16
HEAT = 32
TO_LVD = 128

# (bit, parameters' name and unit, whether high values demand, reason, reason why not)
ROWS = (
    (SOC, "soc", "_permille", False, reasons.code("soc_low"), reasons.code("soc_above")),
    (BUS, "bus", "_mv", False, reasons.code("bus_low"), reasons.code("bus_above")),
    (LOAD, "load", "_w", True, reasons.code("load_high"), reasons.code("load_below")),
    (HEAT, "hot", "_dc", True, reasons.code("battery_hot"), reasons.code("battery_cool")),
    (TO_LVD, "to_lvd", "_s", False, reasons.code("to_lvd_short"), reasons.code("to_lvd_enough")),
)


class Threshold:
    """`value`: what decides, None when unknown. `start`, `stop`: thresholds in force, in the value's unit.

    `reached`: beyond the stop threshold for the stop delay. `reason`, `not_reason`: codes for reports.
    """

    def __init__(self, row: "tuple[int, str, str, bool, int, int]") -> None:
        self.bit, self._name, self._unit, self._high, self.reason, self.not_reason = row
        self.value: "int | None" = None
        self.reached = False
        self._quiet = False
        self._start_ms = -1  # -1: not beyond the threshold
        self._stop_ms = -1

    def configure(self, params: "dict[str, int]") -> None:
        """Take over new parameters; the timers stay."""
        name = "genset." + self._name
        unit = self._unit
        self._day = (params[name + "_start" + unit], params[name + "_stop" + unit])
        self._night = (params[name + "_quiet_start" + unit], params[name + "_quiet_stop" + unit])
        self._start_delay_ms = params[name + "_delay_s"] * 1000
        self._stop_delay_ms = params[name + "_stop_delay_s"] * 1000
        self.quiet(self._quiet)

    def quiet(self, quiet: bool) -> None:
        """Quiet hours begin or end."""
        self._quiet = quiet
        self.start, self.stop = self._night if quiet else self._day

    def calm(self) -> bool:
        """Whether the value, if there is one, asks for nothing."""
        value = self.value
        if value is None or not self.start:
            return True
        return value <= self.start if self._high else value >= self.start

    def left_ms(self) -> "int | None":
        """Until it demands; None while its start delay does not run."""
        return None if self._start_ms < 0 else max(self._start_delay_ms - self._start_ms, 0)

    def forget(self) -> None:
        """Let the timers start again."""
        self._start_ms = self._stop_ms = -1
        self.reached = False

    def step(self, dt_ms: int, active: bool, may: bool) -> bool:
        """Whether it demands after this scan, given whether it did. `may`: it may begin to."""
        if not self.start:
            return False
        if not self.calm():
            if active or not may:
                self._start_ms = -1
            else:
                self._start_ms = 0 if self._start_ms < 0 else self._start_ms + dt_ms
                active = self._start_ms >= self._start_delay_ms
        else:
            self._start_ms = -1
        value = self.value
        # An unknown value cannot keep the genset running; `Demand` makes exceptions.
        if value is not None and (value > self.stop if self._high else value < self.stop):
            self._stop_ms = -1
            self.reached = False
            return active
        if not self.reached:
            self._stop_ms = 0 if self._stop_ms < 0 else self._stop_ms + dt_ms
            self.reached = self._stop_ms >= self._stop_delay_ms
        return active and not self.reached
