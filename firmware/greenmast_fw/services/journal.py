"""The board's diary while it runs: lines for the console. Owns nothing but text.

Lines are `<uptime s> <who>: <what>`.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable


class Journal:
    """`write` may be called from anywhere, also before there is a console (`sink`)."""

    def __init__(self) -> None:
        self.sink: "Callable[[str], None]" = print
        self.uptime_s = 0  # the scan keeps it

    def write(self, who: str, what: object) -> None:
        """One line of log text."""
        self.sink("%d %s: %s" % (self.uptime_s, who, what))
