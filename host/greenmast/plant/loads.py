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
    """`demand_w` is the nominal demand of all tiers; `tier_1_w` .. `tier_3_w` what each tier draws.

    `profile`, when not None, is the demand as measured (W, by seconds after local midnight of the first day)
    instead of the model; `override_w`, when not None, replaces either. `awake` is False while locked out for
    undervoltage.
    """

    __slots__ = (
        "_cfg", "_key", "_share_1", "_share_2", "_share_3", "asked_wh", "awake", "cooling_w", "demand_w",
        "override_w", "power_w", "profile", "restart_s", "tier_1_w", "tier_1_wh", "tier_2_w", "tier_2_wh",
        "tier_3_w", "tier_3_wh", "total_wh",
    )  # fmt: skip

    def __init__(self, cfg: LoadsConfig, seed: int) -> None:
        self._cfg = cfg
        self._key = stream(seed, "loads")
        self._share_1, self._share_2, self._share_3 = (share / 1_000.0 for share in cfg.tiers_permille)
        self.profile: Series | None = None
        self.override_w: float | None = None
        self.demand_w = cfg.mean_w
        self.cooling_w = 0.0
        self.tier_1_w = self.tier_2_w = self.tier_3_w = self.power_w = 0.0
        self.tier_1_wh = self.tier_2_wh = self.tier_3_wh = self.total_wh = 0.0
        self.asked_wh = 0.0  # what all tiers would have taken
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

    def connect(self, one: bool, two: bool, three: bool, cooling: bool) -> float:
        """Power asked from the bus with these load contactors closed."""
        if not self.awake:
            self.tier_1_w = self.tier_2_w = self.tier_3_w = self.cooling_w = self.power_w = 0.0
            return 0.0
        demand_w = self.demand_w
        self.tier_1_w = demand_w * self._share_1 if one else 0.0
        self.tier_2_w = demand_w * self._share_2 if two else 0.0
        self.tier_3_w = demand_w * self._share_3 if three else 0.0
        self.cooling_w = self._cfg.cooling_w if cooling else 0.0
        self.power_w = self.tier_1_w + self.tier_2_w + self.tier_3_w + self.cooling_w
        return self.power_w

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

    def account(self, dt_s: float) -> None:
        """Count the energy of an interval."""
        hours = dt_s / 3_600.0
        self.asked_wh += self.demand_w * hours
        self.tier_1_wh += self.tier_1_w * hours
        self.tier_2_wh += self.tier_2_w * hours
        self.tier_3_wh += self.tier_3_w * hours
        self.total_wh += self.power_w * hours
