"""A policy by itself, fed with plain values: what it reads are attributes that tests may set."""

from core_rig import REFERENCE, ROLES

from greenmast_fw.core import plan
from greenmast_fw.core.policy import Policy
from greenmast_fw.core.site import Site
from greenmast_protocol import params, points, reasons

MANUAL = points.MODES.index("manual")
DISASTER = points.MODES.index("disaster")


class Desk:
    """`minute`: the time now, None: not trusted. `grid`: usable. `ac`: carries the load; None: as grid."""

    def __init__(self, policy="weak-grid", outputs=None, memory=None, **settings):
        self.site = Site(outputs or REFERENCE, ROLES, "lfp", 300)
        self.params = params.defaults()
        self.params["policy.name"] = points.POLICIES.index(policy)
        for name in settings:
            self.params[name.replace("__", ".")] = settings[name]
        self.policy = Policy(self.params, self.site)
        if memory is not None:
            self.policy.restore(memory)
        self.mode = 0
        self.minute = None
        self.soc = 700
        self.grid = True
        self.ac = None
        self.fuel = 600
        self.to_lvd_s = None
        self.announced = False
        self._ms = 0

    def run(self, seconds, dt_ms=1_000):
        """Let time pass; the time of day with it, where it is known."""
        for _ in range(seconds * 1_000 // dt_ms):
            self.policy.step(
                dt_ms,
                self.minute,
                self.mode,
                self.soc,
                self.grid,
                self.grid if self.ac is None else self.ac,
                self.fuel,
                self.to_lvd_s,
                self.announced,
            )
            self._ms += dt_ms
            if self.minute is not None:
                self.minute += self._ms // 60_000
            self._ms %= 60_000
        return self

    def plan(self, **args):
        args.setdefault("expires_s", 86_400)
        self.policy.take_plan(plan.from_command(args))
        return self

    def rule(self):
        return reasons.NAMES[self.policy.code]

    def keeper(self):
        return reasons.NAMES[self.policy.keeper.code]

    def carries(self):
        return reasons.NAMES[self.policy.carry] if self.policy.carry else ""
