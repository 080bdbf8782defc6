"""Why the genset should run: every reason for itself, as a latch with two thresholds and a delay.

Rules
- Any demand starts; the genset is released when all have ended. The reported reason is the first in the
  table's order.
- State of charge: below start for the delay, until stop. Bus voltage: below start for the delay, until the
  charged voltage has held that long, or the battery reports its stop level at a bus that does not contradict
  it.
- Battery data lost for the delay: the site's policy says start (one charge, up to the charged voltage), keep
  (demands stay as they are) or stop (the state of charge demands no more). While they are lost the charged
  voltage ends a demand that only the state of charge could end, so that no genset runs for a threshold that
  nobody can see.
- A grid that serves ends every demand, latched ones too; one by command ends when the grid *begins* to serve.
- With no data at all, nothing is decided.
"""

from greenmast_protocol import reasons

SOC = 1
BUS = 2
DATA = 4
MANUAL = 8

# Order of reporting.
ROWS = (
    (SOC, reasons.code("soc_low")),
    (BUS, reasons.code("bus_low")),
    (DATA, reasons.code("data_lost")),
    (MANUAL, reasons.code("manual")),
)

_START = 0  # of the choices of genset.data_lost; 1 is to keep
_STOP = 2


def first_reason(mask: int) -> int:
    """Reason code of the first demand in `mask`; 0 when there is none."""
    for bit, code in ROWS:
        if mask & bit:
            return code
    return 0


class Demand:
    """`active`: mask of the demands in force. `manual_ms`, `inhibit_ms`: time left of commands."""

    def __init__(self, params: "dict[str, int]") -> None:
        self.active = 0
        self.manual_ms = 0
        self.inhibit_ms = 0
        self._soc_low_ms = -1
        self._bus_low_ms = -1
        self._bus_high_ms = -1
        self._served = False  # lost battery data have had their charge
        self._grid = True
        self.configure(params)

    def configure(self, params: "dict[str, int]") -> None:
        """Take over new parameters; latches and timers stay."""
        self.soc_start = params["genset.soc_start_permille"]
        self.soc_stop = params["genset.soc_stop_permille"]
        self._soc_delay_ms = params["genset.soc_delay_s"] * 1000
        self.bus_start = params["genset.bus_start_mv"]
        self.bus_stop = params["genset.bus_stop_mv"]
        self._bus_mid = (self.bus_start + self.bus_stop) // 2
        self._bus_delay_ms = params["genset.bus_delay_s"] * 1000
        self._data_policy = params["genset.data_lost"]
        self._data_delay_ms = params["genset.data_lost_delay_s"] * 1000

    def command_start(self, for_ms: int) -> None:
        """Demand by command, for a time."""
        self.manual_ms = for_ms
        self.active |= MANUAL

    def release(self) -> None:
        """Drop every demand, by command; what still holds will demand again after its delay."""
        self.active = 0
        self.manual_ms = 0
        self._soc_low_ms = -1
        self._bus_low_ms = -1

    def step(
        self, dt_ms: int, soc: "int | None", bus_mv: "int | None", lost_ms: int, grid_serves: bool, blind: int
    ) -> None:
        """`lost_ms`: since the state of charge was last good. `grid_serves`: the grid can do all the work."""
        if self.inhibit_ms:
            self.inhibit_ms = self.inhibit_ms - dt_ms if self.inhibit_ms > dt_ms else 0
        if self.manual_ms:
            self.manual_ms = self.manual_ms - dt_ms if self.manual_ms > dt_ms else 0
            if grid_serves and not self._grid:
                self.manual_ms = 0
            if self.manual_ms == 0:
                self.active &= ~MANUAL
        self._grid = grid_serves
        if grid_serves:
            self.active &= MANUAL
            self._soc_low_ms = self._bus_low_ms = -1
            self._served = False
        elif not blind:
            charged = self._bus(dt_ms, soc, bus_mv)
            if soc is not None:
                self._soc(dt_ms, soc)
            else:
                self._lost(lost_ms, charged)

    def _soc(self, dt_ms: int, soc: int) -> None:
        self._served = False
        active = self.active & ~DATA
        if soc >= self.soc_stop:
            active &= ~SOC
        if soc >= self.soc_start:
            self._soc_low_ms = -1
        elif not active & SOC:
            self._soc_low_ms = 0 if self._soc_low_ms < 0 else self._soc_low_ms + dt_ms
            if self._soc_low_ms >= self._soc_delay_ms:
                active |= SOC
        self.active = active

    def _bus(self, dt_ms: int, soc: "int | None", bus_mv: "int | None") -> bool:
        """Returns whether the charged voltage has held for the delay."""
        if bus_mv is None:
            self._bus_low_ms = self._bus_high_ms = -1
            return False
        if bus_mv >= self.bus_start:
            self._bus_low_ms = -1
        elif not self.active & BUS:
            self._bus_low_ms = 0 if self._bus_low_ms < 0 else self._bus_low_ms + dt_ms
            if self._bus_low_ms >= self._bus_delay_ms:
                self.active |= BUS
        if bus_mv < self.bus_stop:
            self._bus_high_ms = -1
        elif self._bus_high_ms < self._bus_delay_ms:
            self._bus_high_ms = 0 if self._bus_high_ms < 0 else self._bus_high_ms + dt_ms
        charged = self._bus_high_ms >= self._bus_delay_ms
        if charged or (soc is not None and soc >= self.soc_stop and bus_mv >= self._bus_mid):
            self.active &= ~BUS
        return charged

    def _lost(self, lost_ms: int, charged: bool) -> None:
        self._soc_low_ms = -1
        if charged:
            self.active &= ~(SOC | DATA)
            self._served = True
        if lost_ms < self._data_delay_ms:
            return
        if self._data_policy == _STOP:
            self.active &= ~(SOC | DATA)
        elif self._data_policy == _START and not self._served:
            self.active |= DATA

    def memory(self) -> "list[int]":
        """What must survive a reset: latches and what is left of commands."""
        return [self.active, self.manual_ms, self.inhibit_ms, 1 if self._served else 0]

    def restore(self, kept: "list[int]") -> None:
        """Resume from `memory`."""
        self.active, self.manual_ms, self.inhibit_ms = kept[:3]
        self._served = bool(kept[3])
        self._grid = False
