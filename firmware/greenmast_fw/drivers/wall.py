"""Wall time: seconds since 1970, and whether to believe them. For stamps and schedules, not for intervals."""

import time

# MicroPython's epoch is 2000 on the ESP32 and 1970 on the unix port.
_EPOCH_S = 946_684_800 if time.gmtime(0)[0] == 2000 else 0


class Wall:
    """`trusted` stays false until somebody who knows the time has set it."""

    def __init__(self) -> None:
        self.trusted = False

    def now_s(self) -> int:
        """Seconds since 1970-01-01 UTC."""
        return int(time.time()) + _EPOCH_S
