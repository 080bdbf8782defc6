"""Waveshare ESP32-S3-ETH-8DI-8RO: eight relays behind a TCA9554, eight isolated inputs, Ethernet, clock."""

NAME = "waveshare-esp32-s3-eth-8di-8ro"
TEXT = "eight relays (I2C), eight isolated inputs, isolated RS-485, Ethernet, clock chip, 7..36 V DC or PoE"
SOURCES = (
    "zephyrproject-rtos/zephyr boards/waveshare/esp32s3_eth_8di_8ro",
    "pastebin.com/GJSj9370 (MicroPython test on the -C variant)",
    "github.com/Pascal-Linssen/esp32s3-8di8ro-controller",
    "www.waveshare.com/wiki/ESP32-S3-ETH-8DI-8RO",
)
SINGLE_SOURCE = (
    "direction of RS-485: Zephyr drives no pin (automatic); a header of the 8DI-8DO variant names GPIO 21",
    "the buzzer's polarity: Zephyr active low, a sketch active high; the firmware leaves it alone",
    "the lettering of the relay terminals",
)
CHIP = "esp32s3"
RAM = "octal"
UARTS = ((1, 17, 18, None),)
TERMINALS_OUT = (
    ("CH1", 100),
    ("CH2", 101),
    ("CH3", 102),
    ("CH4", 103),
    ("CH5", 104),
    ("CH6", 105),
    ("CH7", 106),
    ("CH8", 107),
)
TERMINALS_IN = (
    ("DI1", 4),
    ("DI2", 5),
    ("DI3", 6),
    ("DI4", 7),
    ("DI5", 8),
    ("DI6", 9),
    ("DI7", 10),
    ("DI8", 11),
)
RELAY_ACTIVE = 1
INPUTS_INVERTED = True
I2C = (41, 42, 100_000)
EXPANDERS = (("tca9554", 0x20, "out"),)
HIGH = ()
ETHERNET = (("MOSI", 13), ("MISO", 14), ("SCK", 15), ("CS", 16), ("INT", 12), ("RST", 39))
RTC = ("pcf85063a", 0x51)
LED = 38
BUZZER = 46
RESERVED = ((0, "the boot button"), (45, "the SD card"), (47, "the SD card"), (48, "the SD card"))
STRAPPING = ()
PULSES = ()
WATCHDOG_MS = 8_000
