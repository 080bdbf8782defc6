"""Why the genset should run: every reason for itself, as a latch.

Rules
- Any demand starts; the genset is released when all have ended. The reported reason is the first in the
  table's order.
- Five demands hang on a value (`thresholds`): state of charge, bus voltage, load, heat of the battery, time
  to disconnection. Unknown charge or bus voltage decides nothing; of the others, one that stays unknown for
  the stop delay demands no more.
- The bus demand also ends when the battery reports its stop level at a bus that does not contradict it.
  Charge and bus demand end when charging has tapered off above their start thresholds: running on would load
  the genset too little.
- Battery data lost for the delay: the site's policy says start (one charge, up to the charged voltage), keep
  (demands stay as they are) or stop (the state of charge demands no more). While charge is unknown the
  charged voltage ends a demand that only the state of charge could end, so that no genset runs for a
  threshold that nobody can see.
- Grid absent for its time demands until the grid serves. A scheduled window demands while it is open, quiet
  hours apart.
- While fuel is rationed only bus voltage, a critical load that is off, and commands start it; what runs,
  finishes.
- While rules have taken the critical load off, that demands after the bus demand's delay until it is back:
  on a bus that rests, neither charge nor voltage might, and nothing else would bring it back.
- A grid that serves ends every demand, latched ones too; one by command ends when the grid *begins* to serve;
  an exercise is `exercise`'s own business.
- With no data at all, nothing is decided.
"""

from greenmast_fw.core.thresholds import BUS, HEAT, LOAD, ROWS, SOC, TO_LVD, Threshold
from greenmast_protocol import reasons

DATA = 4
MANUAL = 8
ABSENT = 64
WINDOW = 256
EXERCISE = 512
DARK = 1_024

GRID_ABSENT = reasons.code("grid_absent")

# Order of reporting.
ORDER = (
    (SOC, ROWS[0][4]),
    (BUS, ROWS[1][4]),
    (DARK, reasons.code("critical_off")),
    (LOAD, ROWS[2][4]),
    (HEAT, ROWS[3][4]),
    (ABSENT, GRID_ABSENT),
    (DATA, reasons.code("data_lost")),
    (TO_LVD, ROWS[4][4]),
    (WINDOW, reasons.code("window")),
    (EXERCISE, reasons.code("exercise")),
    (MANUAL, reasons.code("manual")),
)

_START = 0  # of the choices of genset.data_lost; 1 is to keep
_STOP = 2
_SATURATED_MS = 0x3FFFFFFF


def first_reason(mask: int) -> int:
    """Reason code of the first demand in `mask`; 0 when there is none."""
    for bit, code in ORDER:
        if mask & bit:
            return code
    return 0


class Demand:
    """`active`: mask of the demands in force. `manual_ms`, `inhibit_ms`: time left of commands.

    `rows`: the demands that hang on a value; `soc` and `bus` are the first two. `absent_ms`: since the grid
    last served, `absent_limit_ms`: when that demands, 0 never. `dark_ms`: since the critical load went.
    """

    def __init__(self, params: "dict[str, int]") -> None:
        self.active = 0
        self.manual_ms = 0
        self.inhibit_ms = 0
        self.absent_ms = 0
        self.dark_ms = 0
        self.rows = tuple([Threshold(row) for row in ROWS])
        self.soc, self.bus = self.rows[:2]
        self._served = False  # lost battery data have had their charge
        self._dismissed = False  # the window that is open has been ended by command
        self._grid = True
        self._quiet = False
        self.configure(params)

    def configure(self, params: "dict[str, int]") -> None:
        """Take over new parameters; latches and timers stay."""
        for row in self.rows:
            row.configure(params)
        self.absent_limit_ms = params["genset.grid_absent_s"] * 1000
        self._dark_limit_ms = params["genset.bus_delay_s"] * 1000
        self._data_policy = params["genset.data_lost"]
        self._data_delay_ms = params["genset.data_lost_delay_s"] * 1000

    def command_start(self, for_ms: int) -> None:
        """Demand by command, for a time."""
        self.manual_ms = for_ms
        self.active |= MANUAL

    def release(self) -> None:
        """Drop every demand, by command; what still holds will demand again after its delay.

        Lost data and a window have none: they will demand again when they are lost, or it opens, anew.
        """
        if self.active & DATA:
            self._served = True
        if self.active & WINDOW:
            self._dismissed = True
        self.active = 0
        self.manual_ms = 0
        self.absent_ms = self.dark_ms = 0
        self._forget()

    def _forget(self) -> None:
        for row in self.rows:
            row.forget()

    def pass_time(self, dt_ms: int) -> None:
        """Every scan: commands end by themselves."""
        if self.inhibit_ms:
            self.inhibit_ms = self.inhibit_ms - dt_ms if self.inhibit_ms > dt_ms else 0
        if self.manual_ms:
            self.manual_ms = self.manual_ms - dt_ms if self.manual_ms > dt_ms else 0
            if self.manual_ms == 0:
                self.active &= ~MANUAL

    def see(
        self,
        soc: "int | None",
        bus_mv: "int | None",
        load_w: "int | None",
        temperature_dc: "int | None",
        to_lvd_s: "int | None",
    ) -> None:
        """Before each step: the values that decide."""
        rows = self.rows
        rows[0].value = soc
        rows[1].value = bus_mv
        rows[2].value = load_w
        rows[3].value = temperature_dc
        rows[4].value = to_lvd_s

    def step(
        self,
        dt_ms: int,
        lost_ms: int,
        grid_serves: bool,
        grid_absent: bool,
        blind: int,
        quiet: bool,
        window: bool,
        ration: bool,
        tapered: bool,
        exercise: bool,
        dark: bool,
    ) -> None:
        """`lost_ms`: since the state of charge was last good. `grid_serves`: the grid can do all the work.

        `grid_absent`: there should be one and it does not serve. `window`: a scheduled run. `tapered`: the
        genset runs, but charging no longer loads it. `exercise`: one is under way. `dark`: rules have taken
        the critical load off.
        """
        if self.manual_ms and grid_serves and not self._grid:
            self.manual_ms = 0
            self.active &= ~MANUAL
        if quiet != self._quiet:
            self._quiet = quiet
            for row in self.rows:
                row.quiet(quiet)
        if grid_serves:
            self.active &= MANUAL
            if not self._grid:
                self._forget()
                self._served = False
                self.absent_ms = 0
        elif not blind:
            self.active = self._judge(self.active, dt_ms, lost_ms, ration)
            if tapered:
                self._taper()
            self._time(dt_ms, grid_absent, window and not quiet, ration)
            self._dark(dt_ms, dark)
        self._grid = grid_serves
        if exercise:
            self.active |= EXERCISE
        else:
            self.active &= ~EXERCISE

    def _judge(self, active: int, dt_ms: int, lost_ms: int, ration: bool) -> int:
        """The mask after everything that hangs on a value."""
        lost = lost_ms >= self._data_delay_ms
        stop = lost and self._data_policy == _STOP
        # Without the battery's word its charge is a count: the charged voltage has the last say on it.
        counted_out = lost_ms > 0 and self._served
        for row in self.rows:
            bit = row.bit
            if row.value is None and (bit == SOC or bit == BUS):
                row.forget()
                continue
            may = not (ration and bit != BUS) and not ((stop or counted_out) and bit == SOC)
            if row.step(dt_ms, active & bit != 0, may):
                active |= bit
            else:
                active &= ~bit
        bus = self.bus
        soc = self.soc.value
        if soc is not None:
            if soc >= self.soc.stop and (bus.value is None or bus.value >= (bus.start + bus.stop) // 2):
                active &= ~BUS
        if lost_ms == 0:
            self._served = False
            return active & ~DATA
        if bus.reached:
            active &= ~(SOC | DATA)
            self._served = True
        if stop:
            active &= ~(SOC | DATA)
        elif lost and self._data_policy == _START and not self._served and not ration:
            active |= DATA
        return active

    def _taper(self) -> None:
        soc = self.soc
        if soc.value is not None and soc.value > soc.start and self.bus.calm():
            self.active &= ~(SOC | BUS)

    def _time(self, dt_ms: int, absent: bool, window: bool, ration: bool) -> None:
        """The demands that hang on time alone."""
        active = self.active
        if not absent:
            self.absent_ms = 0
        elif self.absent_ms < _SATURATED_MS - dt_ms:
            self.absent_ms += dt_ms
        if not self.absent_limit_ms or self.absent_ms < self.absent_limit_ms:
            active &= ~ABSENT
        elif not ration:
            active |= ABSENT
        if not window:
            active &= ~WINDOW
            self._dismissed = False
        elif not ration and not self._dismissed:
            active |= WINDOW
        self.active = active

    def _dark(self, dt_ms: int, dark: bool) -> None:
        if not dark:
            self.dark_ms = 0
            self.active &= ~DARK
        else:
            if self.dark_ms < _SATURATED_MS - dt_ms:
                self.dark_ms += dt_ms
            if self.dark_ms >= self._dark_limit_ms:
                self.active |= DARK

    def memory(self) -> "list[int]":
        """What must survive a reset: latches, what is left of commands, how long the grid has been absent."""
        flags = (1 if self._served else 0) + (2 if self._dismissed else 0)
        flags += 4 if self._grid else 0
        return [self.active, self.manual_ms, self.inhibit_ms, flags, self.absent_ms]

    def restore(self, kept: "list[int]") -> None:
        """Resume from `memory`."""
        self.active, self.manual_ms, self.inhibit_ms = kept[:3]
        self._served = bool(kept[3] & 1)
        self._dismissed = bool(kept[3] & 2)
        self.absent_ms = kept[4]
        self._grid = bool(kept[3] & 4)
