"""DC loads in three tiers: what they ask for, and that they give up below their input range.

Owns demand, the electronics' undervoltage lock-out and the energy per tier. Must not know why a tier is off.
"""

from __future__ import annotations

from math import cos, pi

from greenmast.plant.config import LoadsConfig
from greenmast.plant.noise import smooth, stream
from greenmast.plant.series import Series

UNDERVOLTAGE_V, RESTART_V = 38.5, 43.0
RESTART_DELAY_S = 10.0


class Loads:
    """`demand_w` is the nominal demand of all tiers; `tier_w` what each tier draws.

    `profile`, when not None, is the demand as measured (W, by seconds after local midnight of the first day)
    instead of the model; `override_w`, when not None, replaces either. `awake` is False while locked out for
    undervoltage.
    """

    __slots__ = (
        "_cfg", "_key", "_shares", "asked_wh", "awake", "cooling_w", "demand_w", "override_w", "profile",
        "restart_s", "tier_w", "tier_wh", "total_wh",
    )  # fmt: skip

    def __init__(self, cfg: LoadsConfig, seed: int) -> None:
        self._cfg = cfg
        self._key = stream(seed, "loads")
        self._shares = tuple(share / 1_000.0 for share in cfg.tiers_permille)
        self.profile: Series | None = None
        self.override_w: float | None = None
        self.demand_w = cfg.mean_w
        self.cooling_w = 0.0
        self.tier_w = [0.0, 0.0, 0.0]
        self.tier_wh = [0.0, 0.0, 0.0]
        self.asked_wh = 0.0  # what all tiers would have taken
        self.total_wh = 0.0
        self.awake = True
        self.restart_s = float("inf")

    def model_w(self, day_s: float) -> float:
        """Demand `day_s` seconds after local midnight of the first day: evening peak, small fluctuation."""
        if self.profile is not None:
            return self.profile.at(day_s)
        phase = 2.0 * pi * (day_s / 86_400.0 - 20.0 / 24.0)
        swing = 0.85 * cos(phase) + 0.15 * cos(2.0 * phase)
        noise = 0.02 * smooth(self._key, day_s, 900.0) + 0.015 * smooth(self._key, day_s, 60.0)
        return max(0.0, self._cfg.mean_w * (1.0 + swing * self._cfg.swing_permille / 1_000.0 + noise))

    def connect(self, tiers_closed: tuple[bool, bool, bool], cooling: bool) -> float:
        """Power asked from the bus with these load contactors closed."""
        tier_w = self.tier_w
        if not self.awake:
            tier_w[0] = tier_w[1] = tier_w[2] = self.cooling_w = 0.0
            return 0.0
        demand_w = self.demand_w
        shares = self._shares
        tier_w[0] = demand_w * shares[0] if tiers_closed[0] else 0.0
        tier_w[1] = demand_w * shares[1] if tiers_closed[1] else 0.0
        tier_w[2] = demand_w * shares[2] if tiers_closed[2] else 0.0
        self.cooling_w = self._cfg.cooling_w if cooling else 0.0
        return tier_w[0] + tier_w[1] + tier_w[2] + self.cooling_w

    def watch(self, now_s: float, bus_v: float) -> None:
        """Undervoltage lock-out for the interval that starts at `now_s`, judged on the bus before it."""
        if self.awake:
            return
        if bus_v < RESTART_V:
            self.restart_s = float("inf")
        elif self.restart_s == float("inf"):
            self.restart_s = now_s + RESTART_DELAY_S
        elif now_s >= self.restart_s:
            self.awake = True

    def trip(self) -> None:
        """The bus cannot hold the loads up: they switch off until it has recovered."""
        self.awake = False
        self.restart_s = float("inf")

    @property
    def power_w(self) -> float:
        return self.tier_w[0] + self.tier_w[1] + self.tier_w[2] + self.cooling_w

    def account(self, dt_s: float) -> None:
        """Count the energy of an interval."""
        hours = dt_s / 3_600.0
        tier_w, tier_wh = self.tier_w, self.tier_wh
        tier_wh[0] += tier_w[0] * hours
        tier_wh[1] += tier_w[1] * hours
        tier_wh[2] += tier_w[2] * hours
        self.asked_wh += self.demand_w * hours
        self.total_wh += (tier_w[0] + tier_w[1] + tier_w[2] + self.cooling_w) * hours
