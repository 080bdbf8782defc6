PWRON_RESET: int
HARD_RESET: int
WDT_RESET: int
DEEPSLEEP_RESET: int
SOFT_RESET: int

def reset() -> None: ...
def reset_cause() -> int: ...

class Pin:
    IN: int
    OUT: int
    PULL_UP: int
    def __init__(self, id: int, mode: int = ..., pull: int | None = ..., *, value: int = ...) -> None: ...
    def value(self, x: int = ...) -> int: ...

class WDT:
    def __init__(self, id: int = ..., timeout: int = ...) -> None: ...
    def feed(self) -> None: ...

class SPI:
    def __init__(self, id: int, *, baudrate: int, sck: Pin, mosi: Pin, miso: Pin) -> None: ...

class RTC:
    def datetime(self, value: tuple[int, ...] = ...) -> tuple[int, ...]: ...

class UART:
    def __init__(
        self,
        id: int,
        baudrate: int = ...,
        bits: int = ...,
        parity: int | None = ...,
        stop: int = ...,
        *,
        tx: int = ...,
        rx: int = ...,
        timeout: int = ...,
        timeout_char: int = ...,
        rxbuf: int = ...,
        txbuf: int = ...,
    ) -> None: ...
    def write(self, buf: bytes | bytearray | memoryview) -> int | None: ...
    def readinto(self, buf: bytearray | memoryview, nbytes: int = ...) -> int | None: ...
    def read(self, nbytes: int = ...) -> bytes | None: ...
    def any(self) -> int: ...
    def txdone(self) -> bool: ...
