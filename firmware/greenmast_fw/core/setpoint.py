"""Writing to the rectifier with restraint.

Rules
- What protects is written at once: a lower voltage for a protective reason, a lower current limit for the
  battery's sake.
- All else at most every ten seconds and in steps worth it; a new reason brings its exact voltage.
- A voltage rises by no more than a volt at a time.
"""

_WRITE_MS = 10_000
_STEP_MV = 50
_RISE_MV = 1_000
_STEP_MA = 2_000
_SATURATED_MS = 0x3FFFFFFF


class Setpoint:
    """`mv`, `ma`: what the rectifier should have; None: leave it."""

    def __init__(self) -> None:
        self.mv: "int | None" = None
        self.ma: "int | None" = None
        self.exact = True  # the next write is worth it however small
        self._code = -1  # with which the voltage was last reached
        self._mv_ms = _SATURATED_MS
        self._battery_ma = 0  # limit of the battery within `ma`
        self._ma_ms = _SATURATED_MS

    def hold(self, mv: int, code: int, protects: bool, dt_ms: int) -> None:
        """Follow the voltage `mv`, wanted for reason `code`."""
        if self._mv_ms < _SATURATED_MS - dt_ms:
            self._mv_ms += dt_ms
        now = self.mv
        if now is None or (mv < now and protects):
            now = mv
        elif mv == now:
            self._code = code
            self.exact = False
            return
        elif self._mv_ms < _WRITE_MS or (
            code == self._code and not self.exact and -_STEP_MV < mv - now < _STEP_MV
        ):
            return
        else:
            now = min(mv, now + _RISE_MV)
        self.mv = now
        self._mv_ms = 0
        if now == mv:
            self._code = code
            self.exact = False

    def limit(self, ma: "int | None", battery_ma: int, dt_ms: int) -> None:
        """Follow the current limit `ma`, in which the battery has `battery_ma`."""
        if self._ma_ms < _SATURATED_MS - dt_ms:
            self._ma_ms += dt_ms
        now = self.ma
        if ma is None or ma == now:
            return
        if now is not None:
            over = now - ma
            step_ma = _STEP_MA + battery_ma // 20
            protects = over > 0 and (battery_ma < self._battery_ma or over > 2 * step_ma)
            if not protects and (self._ma_ms < _WRITE_MS or -step_ma < over < step_ma // 2):
                return
        self.ma = ma
        self._battery_ma = battery_ma
        self._ma_ms = 0
