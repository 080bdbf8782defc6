"""MicroPython's network interfaces, as far as they are used."""

from typing import Any

PHY_LAN8720: int
PHY_W5500: int

class WLAN:
    IF_STA: int
    def __init__(self, interface_id: int) -> None: ...

class LAN:
    def __init__(self, **wiring: Any) -> None: ...

class PPP:
    def __init__(self, stream: Any) -> None: ...
