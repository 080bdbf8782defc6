"""The rectifier modules as one unit: AC in, a regulated DC source with a current limit out.

Owns AC acceptance, walk-in, limits and losses. Must not know where the AC comes from or what the bus does.
"""

from __future__ import annotations

from greenmast.plant.config import RectifierConfig

INPUT_MIN_MV, INPUT_MAX_MV = 85_000.0, 290_000.0
DERATE_BELOW_MV = 176_000.0
DELAY_S, WALK_IN_S = 3.0, 2.0  # silence after AC appears, then a ramp of the current limit
SETPOINT_RANGE_MV = (42_000.0, 58_000.0)
RATED_BUS_MV = 48_000.0
RISE_K_PER_W, RISE_LAG_S = 0.1, 300.0  # heat sink above the cabinet
# Split of the full-load loss: constant, proportional to the output, proportional to its square.
LOSS_CONSTANT, LOSS_LINEAR, LOSS_SQUARE = 0.08, 0.55, 0.37


class Rectifier:
    """`setpoint_mv` and `limit_ma` may be written at any time and survive a loss of AC."""

    __slots__ = (
        "_constant_w", "_linear", "_rating_w", "_square_per_w", "_started_s", "ac_present", "energy_wh",
        "input_mv", "input_w", "limit_ma", "output_a", "output_w", "ready_s", "rise_k",
        "setpoint_mv",
    )  # fmt: skip

    def __init__(self, cfg: RectifierConfig, setpoint_mv: float) -> None:
        rating_w = self._rating_w = float(cfg.rating_w)
        full_load_loss = 1_000.0 / cfg.efficiency_permille - 1.0
        self._constant_w = LOSS_CONSTANT * full_load_loss * rating_w
        self._linear = LOSS_LINEAR * full_load_loss
        self._square_per_w = LOSS_SQUARE * full_load_loss / rating_w if rating_w else 0.0
        self.setpoint_mv = float(cfg.setpoint_mv) or setpoint_mv
        self.limit_ma = rating_w / RATED_BUS_MV * 1e6
        self._started_s = self.ready_s = float("-inf")
        self.ac_present = False
        self.input_mv = self.input_w = self.output_a = self.output_w = 0.0
        self.energy_wh = 0.0
        self.rise_k = 0.0

    @property
    def setpoint_v(self) -> float:
        """Set voltage within what the modules can regulate."""
        low_mv, high_mv = SETPOINT_RANGE_MV
        return min(max(self.setpoint_mv, low_mv), high_mv) / 1_000.0

    @property
    def loss_w(self) -> float:
        return self.input_w - self.output_w

    def feed(self, now_s: float, input_mv: float) -> None:
        """AC voltage at the input terminals from `now_s` on; an interruption restarts the walk-in."""
        self.input_mv = input_mv
        present = INPUT_MIN_MV <= input_mv <= INPUT_MAX_MV
        if present and not self.ac_present:
            self._started_s = now_s
            self.ready_s = now_s + DELAY_S + WALK_IN_S
        self.ac_present = present

    def available_a(self, time_s: float, set_v: float) -> float:
        """Largest output current at `time_s`: written limit, rating, low-line derating and walk-in."""
        if not self.ac_present:
            return 0.0
        limit_a = min(self.limit_ma / 1_000.0, self._rating_w / set_v)
        if self.input_mv < DERATE_BELOW_MV:
            limit_a *= self.input_mv / DERATE_BELOW_MV
        if time_s < self.ready_s:
            limit_a *= max(0.0, time_s - self._started_s - DELAY_S) / WALK_IN_S
        return max(0.0, limit_a)

    def deliver(self, output_a: float, bus_v: float, dt_s: float) -> None:
        """Account for the operating point of an interval."""
        self.output_a = output_a
        output_w = self.output_w = output_a * bus_v
        if self.ac_present:
            self.input_w = (
                output_w + self._constant_w + (self._linear + self._square_per_w * output_w) * output_w
            )
        else:
            self.input_w = 0.0
        self.energy_wh += output_w * dt_s / 3_600.0

    def warm(self, dt_s: float) -> None:
        """Heat sink temperature above the cabinet, for the last `dt_s` seconds at the present loss."""
        self.rise_k += (RISE_K_PER_W * self.loss_w - self.rise_k) * min(1.0, dt_s / RISE_LAG_S)
