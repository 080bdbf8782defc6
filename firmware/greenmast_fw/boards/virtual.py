"""The virtual board: ESP32-S3 class, three UARTs, GPIO contactor drivers, emulated by `greenmast.emulator`.

Has no terminals of its own: a site names its GPIOs by number.
"""

NAME = "virtual"
TEXT = "emulated board, GPIO"
SOURCES = ()
SINGLE_SOURCE = ()
CHIP = "esp32s3"
RAM = ""
UARTS = (
    (1, 17, 18, None),
    (2, 15, 16, None),
    (0, 43, 44, None),
)
TERMINALS_OUT = ()
TERMINALS_IN = ()
RELAY_ACTIVE = 1
INPUTS_INVERTED = False  # a closed auxiliary contact reads 1
I2C = None
EXPANDERS = ()
HIGH = ()
ETHERNET = ()
RTC = None
LED = None
BUZZER = None
RESERVED = ()
STRAPPING = ()
PULSES = ()
WATCHDOG_MS = 8_000
