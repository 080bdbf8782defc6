"""The board's diary while it runs: lines for the console, the newest kept for whoever connects later.

Owns nothing but text. Lines are `<uptime s> <who>: <what>`.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Journal:
    """`write` may be called from anywhere, also before there is a console (`sink`)."""

    def __init__(self, uptime_s: "Callable[[], int]") -> None:
        self.sink: "Callable[[str], None]" = print
        self._uptime_s = uptime_s

    def write(self, who: str, what: str) -> None:
        """One line of log text."""
        self.sink("%d %s: %s" % (self._uptime_s(), who, what))

    def error(self, who: str, error: Exception) -> None:
        """One line for an exception that was contained."""
        self.write(who, "%s: %s" % (type(error).__name__, error))
