"""What energy is bought, kept and spared for: disaster mode over plan over named preset.

Rules
- weak-grid: AC charges fully whenever it is there. off-grid: so does the genset, until its own threshold;
  the reserve is no higher than where it starts. tribrid: while grid power is cheap it charges nearly full,
  with room left for sun; while it is expensive the battery carries down to the reserve, and the grid carries
  the rest without charging beyond it. Without a trusted clock, or within a day of a lost grid, tribrid acts
  as weak-grid. disaster: see `disaster`.
- The battery carries only with its charge known and clearly above the reserve. At the reserve, or when the
  charge becomes unknown, that ends at once; it begins again a quarter of an hour later at the earliest. With
  the charge unknown AC charges fully.
- A plan (see `plan`) speaks before the preset, on each matter that it mentions. An announced outage sets
  aside what it says about charging, disaster mode all of it. The reserve has its own order (see `reserve`).
- Nobody's end makes a bump: a wish that would move a contactor must have lasted a minute. Disaster mode and
  an announced outage act at once.
- In mode manual the battery does not carry by itself. Quiet hours and scheduled window need a trusted clock.

Knows no voltage and no contactor, and asks for nothing that `protection` would not overrule.
"""

from greenmast_fw.core.daytime import within
from greenmast_fw.core.reserve import DISASTER, PLAN, Reserve
from greenmast_fw.core.site import GENSET, GRID, Site
from greenmast_protocol import points, reasons

TYPE_CHECKING = False
if TYPE_CHECKING:
    from greenmast_fw.core.disaster import Disaster
    from greenmast_fw.core.plan import Plan

AC_CHARGES = reasons.code("ac_charges")
CHEAP = reasons.code("tariff_cheap")
CLOCK_UNSURE = reasons.code("clock_unsure")
GRID_UNSTEADY = reasons.code("grid_unsteady")
TARIFF = reasons.code("tariff")
OUTAGE = reasons.code("outage_planned")
FUEL_RATION = reasons.code("fuel_ration")

_OFF_GRID = points.POLICIES.index("off-grid")
_TRIBRID = points.POLICIES.index("tribrid")
_PRESET_DISASTER = points.POLICIES.index("disaster")
_MODE_MANUAL = points.MODES.index("manual")
_MODE_DISASTER = points.MODES.index("disaster")

# What a plan may say (`greenmast_protocol.commands`).
_HOLD = 0  # of charging: AC charges no further than the reserve
CARRY = 2  # the battery carries down to the reserve; 1: AC charges fully
_RUN = 1  # of the genset
_SPARE = 2  # it starts for bus voltage only; 0: no opinion

ABOVE = 20  # permille above the reserve from which the battery may begin to carry
DAY_MS = 86_400_000
_FULL = 1_000
_PERIOD_MS = 5_000  # between looks at everything that is not urgent
_LASTED_MS = 60_000
_REST_MS = 900_000
_FIRST_MS = 60_000  # after a boot that remembers nothing
_SATURATED_MS = 0x3FFFFFFF

# A wish: a flag each for the scheduled window and for a genset to be spared, and 4 x a place in _CARRIES.
_WINDOW_WISH = 1
_SPARE_WISH = 2
_CARRIES = (0, TARIFF, PLAN)


class Policy:
    """`reserve`, `charge_to` (permille, 1000: full): how far AC may charge. `shed`: tiers.

    `carry`: reason code for which the battery shall carry though the grid qualifies, else 0. `ration`: reason
    code for which only bus voltage may start the genset, else 0. `quiet`, `window`, `charge_first`: flags.
    `code`: the rule in force for charging. `stale`: the last plan has expired.
    """

    def __init__(self, params: "dict[str, int]", site: Site) -> None:
        self._has_grid = site.exists[GRID]
        self._has_genset = site.exists[GENSET]
        self.plan: "Plan | None" = None
        self.disaster: "Disaster | None" = None
        self.minute: "int | None" = None
        self.charge_to = _FULL
        self.carry = 0
        self.ration = 0
        self.shed = 0
        self.stale = 0
        self.quiet = False
        self.window = False
        self.charge_first = False
        self.code = AC_CHARGES
        self.steady_ms = DAY_MS  # since the grid was lost
        self.rest_ms = _FIRST_MS  # until the battery may carry again
        self._wish = -1
        self._wish_ms = 0
        self._ms = 0
        self._here = False
        self.configure(params)
        self.keeper = Reserve(self._reserve)
        self.reserve = self._reserve

    def configure(self, params: "dict[str, int]") -> None:
        """Take over new parameters; what is under way goes on."""
        preset = params["policy.name"]
        self.preset = preset
        self._reserve = params["battery.reserve_permille"]
        if preset == _OFF_GRID and self._has_genset:
            self._reserve = min(self._reserve, params["genset.soc_start_permille"])
        self.cheap = (params["policy.cheap_start_min"], params["policy.cheap_end_min"])
        self._cheap_permille = params["policy.reserve_cheap_permille"]
        self._tariff = preset == _TRIBRID and self._has_grid and self.cheap[0] != self.cheap[1]
        self._quiet = (params["genset.quiet_start_min"], params["genset.quiet_end_min"])
        self._window = (params["genset.window_start_min"], params["genset.window_end_min"])
        self._disaster_reserve = params["disaster.reserve_permille"]
        self._disaster = (params["disaster.target_s"], params["disaster.fuel_permille"])
        if self.disaster:
            self.disaster.configure(self._disaster[0], self._disaster[1])
        self._urgent = -1

    def command_reserve(self, permille: int, for_ms: int) -> None:
        """Set the reserve by command, for a time."""
        self.keeper.command(permille, for_ms + self._ms)  # what has passed already is not its time
        self._urgent = -1

    def pass_time(self, dt_ms: int) -> None:
        """Instead of `step`, while nothing can be decided: plan and commands end by themselves."""
        if self._ms < _SATURATED_MS - dt_ms:
            self._ms += dt_ms

    def take_plan(self, kept: "list[int]") -> None:
        """Follow the plan that `plan.from_command` has read; one without hours withdraws the one before."""
        self.plan = None
        self.stale = 0
        self._urgent = -1
        self._follow(kept)

    def _follow(self, kept: "list[int]") -> None:
        if len(kept) > 3:
            from greenmast_fw.core.plan import Plan  # loaded when first needed: heap is scarce

            self.plan = Plan(kept, self._ms)

    def step(
        self,
        dt_ms: int,
        minute: "int | None",
        mode: int,
        soc: "int | None",
        here: bool,
        served: bool,
        fuel: "int | None",
        to_lvd_s: "int | None",
        announced: bool,
    ) -> None:
        """`minute` as for `Snapshot`. `here`: AC that lasts is there (the grid, where the site has one).

        `served`: some AC carries the load. `fuel`: permille for a genset that could start, else None.
        `to_lvd_s`: pessimistic. `announced`: an outage is near enough to charge for it.
        """
        self.pass_time(dt_ms)
        urgent = mode * 2 + 1 if announced else mode * 2
        if (
            self._ms < _PERIOD_MS
            and urgent == self._urgent
            and (not self.carry or (here and soc is not None and soc > self.reserve))
        ):
            return
        self._urgent = urgent
        dt_ms = self._ms
        self._ms = 0
        self.minute = minute
        self._timers(dt_ms, here)
        plan = self.plan
        if plan and plan.step(dt_ms):
            self.plan = plan = None
            self.stale = 1
        disaster = self._case(mode)
        if disaster:
            disaster.step(dt_ms, here, served, fuel, to_lvd_s)
        keeper = self.keeper
        keeper.step(
            dt_ms,
            self._reserve,
            plan.reserve if plan else None,
            self._disaster_reserve if disaster else None,
        )
        self.reserve = keeper.permille
        carry = self._charge(announced, soc)
        self.quiet = within(minute, self._quiet)
        genset = plan.genset if plan else None
        wish = carry * 4
        if genset == _RUN or (not genset and within(minute, self._window)):
            wish += _WINDOW_WISH
        elif genset == _SPARE:
            wish += _SPARE_WISH
        wish = self._lasting(wish, dt_ms)
        self.charge_first = announced or disaster is not None
        if disaster:
            self.window = False
            self.ration = FUEL_RATION if disaster.scarce else 0
            self.shed = disaster.shed
        else:
            self.window = bool(wish & _WINDOW_WISH)
            self.ration = PLAN if wish & _SPARE_WISH else 0
            self.shed = 0
        if self.charge_first or mode == _MODE_MANUAL or not here:
            wish = 0
        self._carry(_CARRIES[wish >> 2], soc)

    def _timers(self, dt_ms: int, here: bool) -> None:
        if self.rest_ms:
            self.rest_ms = self.rest_ms - dt_ms if self.rest_ms > dt_ms else 0
        if here != self._here:
            self._here = here
            if not here:
                self.steady_ms = 0
        elif here and self.steady_ms < DAY_MS:
            self.steady_ms += dt_ms

    def _case(self, mode: int) -> "Disaster | None":
        """Disaster mode's own state, while that mode is in force."""
        if mode != _MODE_DISASTER and self.preset != _PRESET_DISASTER:
            self.disaster = None
        elif not self.disaster:
            self._open_case()
        return self.disaster

    def _open_case(self) -> "Disaster":
        from greenmast_fw.core.disaster import Disaster  # loaded when first needed: heap is scarce

        self.disaster = Disaster(*self._disaster)
        return self.disaster

    def _charge(self, announced: bool, soc: "int | None") -> int:
        """How far AC may charge, and by which rule. Returns the place in _CARRIES of a wish to carry."""
        plan = self.plan
        charge_to = _FULL
        carry = 0
        if self.disaster:
            code = DISASTER
        elif announced:
            code = OUTAGE
        elif plan and plan.charge is not None:
            code = PLAN
            if plan.charge == CARRY:
                carry = 2
            if carry or plan.charge == _HOLD:
                charge_to = self.reserve
        elif not self._tariff:
            code = AC_CHARGES
        elif self.minute is None:
            code = CLOCK_UNSURE
        elif self.steady_ms < DAY_MS:
            code = GRID_UNSTEADY
        elif within(self.minute, self.cheap):
            code = CHEAP
            charge_to = max(self._cheap_permille, self.reserve)
        else:
            code = TARIFF
            carry = 1
            charge_to = self.reserve
        self.code = code
        self.charge_to = _FULL if soc is None else charge_to
        return carry

    def _lasting(self, wish: int, dt_ms: int) -> int:
        """The wish that has lasted; the first one counts at once."""
        if wish == self._wish:
            self._wish_ms = 0
        else:
            self._wish_ms += dt_ms
            if self._wish < 0 or self._wish_ms >= _LASTED_MS:
                self._wish = wish
                self._wish_ms = 0
        return self._wish

    def _carry(self, wish: int, soc: "int | None") -> None:
        if self.carry:
            if wish and soc is not None and soc > self.reserve:
                self.carry = wish
            else:
                self.carry = 0
                self.rest_ms = _REST_MS
        elif wish and not self.rest_ms and soc is not None and soc > self.reserve + ABOVE:
            self.carry = wish

    def memory(self) -> "list[int]":
        """What must survive a reset: the reserve, what was wished, the disaster's case, the plan."""
        kept = self.keeper.memory()
        kept += [self._wish + 1, self.carry, self.rest_ms, self.steady_ms, self.stale]
        kept += [1] + self.disaster.memory() if self.disaster else [0] * 6
        return kept + self.plan.memory() if self.plan else kept

    def restore(self, kept: "list[int]") -> None:
        """Resume from `memory`."""
        self.keeper.restore(kept)
        self.reserve = kept[0]
        self._wish = min(kept[3], 4 * len(_CARRIES)) - 1
        self.carry = kept[4] if kept[4] in _CARRIES else 0
        self.rest_ms, self.steady_ms = kept[5:7]
        self.stale = 1 if kept[7] else 0
        if kept[8]:
            self._open_case().restore(kept[9:14])
        self._follow(kept[14:])
