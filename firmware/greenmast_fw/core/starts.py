"""How often the genset has been started lately: a limit per hour that survives resets and needs no clock."""

_HOUR_MS = 3_600_000


class Starts:
    """The last starts, kept as the time since the newest and the gaps between them."""

    def __init__(self, limit: int) -> None:
        self._since_ms = _HOUR_MS
        self._gaps_ms: "list[int]" = []
        self.limit = 0
        self.configure(limit)

    def configure(self, limit: int) -> None:
        """Take over a new limit; known starts stay."""
        if limit != self.limit:
            self.limit = limit
            self._gaps_ms = (self._gaps_ms + [_HOUR_MS] * limit)[:limit]

    def pass_time(self, dt_ms: int) -> None:
        """Let the starts recede."""
        if self._since_ms < _HOUR_MS:
            self._since_ms += dt_ms

    def record(self) -> None:
        """The genset has been started."""
        self._gaps_ms.insert(0, self._since_ms)
        self._gaps_ms.pop()
        self._since_ms = 0

    def count(self) -> int:
        """Starts within the last hour, at most `limit`."""
        age = self._since_ms
        n = 0
        for gap in self._gaps_ms:
            if age >= _HOUR_MS:
                break
            n += 1
            age += gap
        return n

    def memory(self) -> "list[int]":
        """What must survive a reset."""
        return [self._since_ms] + self._gaps_ms

    def restore(self, kept: "list[int]") -> None:
        """Resume from `memory`; a limit that has changed meanwhile keeps the newest starts."""
        self._since_ms = kept[0]
        self._gaps_ms = (kept[1:] + [_HOUR_MS] * self.limit)[: self.limit]
