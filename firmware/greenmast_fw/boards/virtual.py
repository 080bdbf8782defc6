"""The virtual board: ESP32-S3 class, three UARTs, GPIO contactor drivers, emulated by `greenmast.emulator`.

A board is this table: where the UARTs, relays and inputs are. Bus n of the site file is `UARTS[n]`:
(UART number, TX, RX, driver-enable pin or None).
"""

NAME = "virtual"
UARTS = (
    (1, 17, 18, None),
    (2, 15, 16, None),
    (0, 43, 44, None),
)
INPUTS_INVERTED = False  # a closed auxiliary contact reads 1
WATCHDOG_MS = 8_000
