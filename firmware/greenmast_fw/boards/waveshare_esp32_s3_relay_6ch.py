"""Waveshare ESP32-S3-Relay-6CH: six relays on GPIO, isolated RS-485, DIN rail, 7..36 V."""

NAME = "waveshare-esp32-s3-relay-6ch"
TEXT = "six relays, isolated RS-485, no inputs, Wi-Fi only, 7..36 V DC"
SOURCES = (
    "devices.esphome.io/devices/waveshare-6ch-relay",
    "pastebin.com/GVd8FyFv (relay test sketch)",
    "www.waveshare.com/wiki/ESP32-S3-Relay-6CH",
)
SINGLE_SOURCE = (
    "external RAM: ESPHome says an N8 module, others 16 MB with 8 MB of RAM; the table counts on none",
    "RS-485 pins and automatic direction: ESPHome and projects built on it",
)
CHIP = "esp32s3"
RAM = ""
UARTS = ((1, 17, 18, None),)
TERMINALS_OUT = (("CH1", 1), ("CH2", 2), ("CH3", 41), ("CH4", 42), ("CH5", 45), ("CH6", 46))
TERMINALS_IN = ()
RELAY_ACTIVE = 1
INPUTS_INVERTED = True
I2C = None
EXPANDERS = ()
HIGH = ()
ETHERNET = ()
RTC = None
LED = 38
BUZZER = 21
RESERVED = ((0, "the boot button"),)
STRAPPING = (45, 46)
PULSES = (
    ("CH1", "GPIO 1 has a low-level glitch of about 60 us at power-up", "none needed: low is off"),
    ("CH2", "GPIO 2 has a low-level glitch of about 60 us at power-up", "none needed: low is off"),
    (
        "CH5",
        "GPIO 45 is a strapping pin (supply of the flash): pulled down, but read and left floating at reset",
        "time relay, on-delay 1 s, in the coil circuit; or an output that harms nobody",
    ),
    (
        "CH6",
        "GPIO 46 is a strapping pin (start mode, ROM messages): pulled down, but left floating at reset",
        "time relay, on-delay 1 s, in the coil circuit; or an output that harms nobody",
    ),
)
WATCHDOG_MS = 8_000
