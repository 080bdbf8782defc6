"""Olimex ESP32-POE-ISO (WROOM): isolated PoE and Ethernet; RS-485 and relays are added at UEXT and EXT."""

NAME = "olimex-esp32-poe-iso"
TEXT = "isolated PoE, Ethernet, four outputs and two inputs on headers (3.3 V, no relays), RS-485 to be added"
SOURCES = (
    "espressif/arduino-esp32 variants/esp32-poe-iso/pins_arduino.h",
    "micropython/micropython ports/esp32/boards/OLIMEX_ESP32_POE",
    "OLIMEX/ESP32-POE DOCUMENTS/ESP32-POE-user-manual.pdf",
)
SINGLE_SOURCE = (
    "the driver-enable pin of the added RS-485: our choice, a free GPIO of EXT2",
    "GPIO 35 and 39 can measure battery and supply through dividers, which jumpers take off",
)
CHIP = "esp32"
RAM = ""
UARTS = ((1, 4, 36, 32),)
TERMINALS_OUT = (("GPIO13", 13), ("GPIO14", 14), ("GPIO16", 16), ("GPIO33", 33))
TERMINALS_IN = (("GPIO34", 34), ("GPIO35", 35))
RELAY_ACTIVE = 1
INPUTS_INVERTED = True
I2C = None
EXPANDERS = ()
HIGH = ()
ETHERNET = (
    ("power", 12),
    ("MDC", 23),
    ("MDIO", 18),
    ("clock", 17),
    ("TXD0", 19),
    ("TX_EN", 21),
    ("TXD1", 22),
    ("RXD0", 25),
    ("RXD1", 26),
    ("CRS_DV", 27),
)
RTC = None
LED = None
BUZZER = None
RESERVED = ((2, "the SD card"), (15, "the SD card"), (39, "the measurement of the supply"))
STRAPPING = ()
PULSES = (
    ("GPIO13", "floats until the firmware runs", "10 kohm to ground at the input of the driver"),
    (
        "GPIO14",
        "the clock of the SD card, pulled up at reset: leave the slot empty",
        "1 kohm to ground at the input of the driver, stronger than the pull-up",
    ),
    ("GPIO16", "floats until the firmware runs", "10 kohm to ground at the input of the driver"),
    ("GPIO33", "floats until the firmware runs", "10 kohm to ground at the input of the driver"),
)
WATCHDOG_MS = 8_000
