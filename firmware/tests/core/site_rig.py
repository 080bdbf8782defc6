"""The rig for sites of every kind: with and without grid, genset, cooling, tiers, feedback, several devices.

Owns what such a site's devices would say. Knows nothing of how the controller decides.
"""

from __future__ import annotations

from core_rig import REFERENCE, Rig
from core_rig import ROLES as ALL

from greenmast_fw.core.site import Site
from greenmast_fw.core.snapshot import Snapshot
from greenmast_protocol import params, points, quality

# Short times, so that a campaign sees many of them pass.
SETTINGS = {
    "grid.return_delay_s": 20,
    "grid.loss_delay_s": 3,
    "source.min_on_s": 10,
    "genset.min_run_s": 120,
    "genset.min_off_s": 60,
    "genset.warm_up_s": 5,
    "genset.cool_down_s": 10,
    "genset.soc_delay_s": 5,
    "genset.bus_delay_s": 20,
    "genset.starts_per_hour": 4,
    "genset.data_lost_delay_s": 30,
    "lvd.delay_s": 10,
    "lvd.reconnect_s": 20,
    "lvd.stagger_s": 5,
    "cooling.min_off_s": 30,
    "battery.lost_s": 20,
    "battery.grace_s": 60,
    "battery.test_lockout_s": 120,
    "battery.test_max_s": 600,
    "rectifier.restart_s": 20,
    "outage.leave_before_s": 30,
    "outage.charge_before_s": 120,
    "outage.return_s": 10,
    "scan.hold_s": 30,
}
_COOLED = {**REFERENCE, "cooling": (0, 0)}
_OFF_GRID = {name: row for name, row in _COOLED.items() if name != "grid"} | {"cooling": (1, 0)}
_NO_GENSET = {name: REFERENCE[name] for name in ("grid", "battery", "load1", "load3", "alarm_minor")}
_BARE = {"grid": (0, 1), "genset": (0, 0), "battery": (1, 0), "load1": (0, 0), "load2": (0, 1)}
_WITHOUT = {role: tuple(r for r in ALL if r != role) for role in ALL}

# Name -> (outputs, roles, chemistry, Ah, cells).
SITES = {
    "lfp": (REFERENCE, ALL, "lfp", 300, 15),
    "vrla": (_COOLED, ALL, "vrla", 600, 24),
    "off-grid": (_OFF_GRID, _WITHOUT["grid"], "lfp", 300, 15),
    "no genset": (_NO_GENSET, _WITHOUT["genset"], "vrla", 200, 24),
    "several": (_COOLED, (*ALL, "battery", "battery", "grid", "grid", "rectifier"), "lfp", 300, 15),
    "bare": (_BARE, ("grid", "genset", "battery", "load"), "lfp", 100, 15),
}
_SUMS = ("_ma", "_w", "_wh")


class SiteRig(Rig):
    """A rig on one of `SITES`. `shown`: the picture that the last step was made of.

    `lost`: (role, number from 0) of devices that do not answer where there are several. `phase_mv`: what a
    bad phase has, None: all are alike.
    """

    def __init__(self, name: str, policy: int) -> None:
        outputs, roles, chemistry, capacity_ah, cells = SITES[name]
        site = Site(outputs, roles, chemistry, capacity_ah, cells)
        values = {**params.for_battery(chemistry, cells), **SETTINGS, "policy.name": policy}
        super().__init__(site=site, **{key.replace(".", "__"): value for key, value in values.items()})
        self.chemistry = chemistry
        self.on_ac_mv = 51_400 if chemistry == "lfp" else 54_400
        self.lost: set[tuple[str, int]] = set()
        self.phase_mv: int | None = None
        self.shown = Snapshot((), b"")
        several = site.instances
        self.count = points.COUNT + (several.count if several else 0)
        self._blocks = several.blocks if several else []
        self._index = {points.name(i): i for i in range(points.COUNT)}

    def bus_mv(self) -> int:
        if self.bus is not None:
            return self.bus
        return self.on_ac_mv if self.ac() else 47_000 + 4 * self.soc

    def values(self) -> dict[str, int | None]:
        v = super().values()
        for name in self.more:
            if name.split(".")[0] in self.silent:
                v.pop(name, None)
        return {name: v[name] for name in v if self._has(name)}

    def _has(self, name: str) -> bool:
        role = name.split(".")[0]
        return role not in ALL or role in self.site.roles or name == "grid.mains_ok"

    def snapshot(self) -> Snapshot:
        values: list[int | None] = [None] * self.count
        codes = bytearray([quality.STALE] * self.count)
        known = self.values()
        index = self._index
        for name in known:
            i = index[name]
            if name in self.nan:
                codes[i] = quality.NOT_A_NUMBER
                continue
            values[i] = known[name]
            codes[i] = quality.GOOD
        for role, first, size, devices, at in self._blocks:
            for number in range(devices):
                own = at + number * size
                for k in range(size):
                    value = values[first + k]
                    if value is None or (role, number) in self.lost:
                        continue
                    values[own + k] = value // devices if points.name(first + k).endswith(_SUMS) else value
                    codes[own + k] = quality.GOOD
            if role == "grid" and self.phase_mv is not None and values[at] is not None:
                values[at] = self.phase_mv
            for k in range(size):
                if points.name(first + k) != "grid.mains_ok":
                    values[first + k] = None
                    codes[first + k] = quality.STALE
        minute = None if self.minute is None else self.minute + self.time_ms // 60_000
        self.shown = Snapshot(tuple(values), bytes(codes), minute)
        return self.shown
