"""KinCony KC868-A16: sixteen transistor outputs and sixteen isolated inputs behind PCF8574s, Ethernet."""

NAME = "kincony-kc868-a16"
TEXT = "sixteen transistor outputs and sixteen isolated inputs (I2C), RS-485, Ethernet, 12 V DC"
SOURCES = (
    "devices.esphome.io/devices/kincony-kc868-a16",
    "a KC868-A16 firmware's Definitions.h (RS485_TX_PIN 13, RS485_RX_PIN 16, ETH_PHY_ADDR 0)",
    "Tasmota notes for KC868-A16 rev 1.6 (order of the PCF8574s)",
)
SINGLE_SOURCE = (
    "address of the Ethernet chip: 0 in three sources, 1 in one; Ethernet is not used by the firmware",
    "that its outputs are transistors (12/24 V DC), not relays: known of the product, not in these sources",
    "the lettering of the terminals",
)
CHIP = "esp32"
RAM = ""
UARTS = ((1, 13, 16, None),)
TERMINALS_OUT = (
    ("OUT1", 100),
    ("OUT2", 101),
    ("OUT3", 102),
    ("OUT4", 103),
    ("OUT5", 104),
    ("OUT6", 105),
    ("OUT7", 106),
    ("OUT8", 107),
    ("OUT9", 108),
    ("OUT10", 109),
    ("OUT11", 110),
    ("OUT12", 111),
    ("OUT13", 112),
    ("OUT14", 113),
    ("OUT15", 114),
    ("OUT16", 115),
)
TERMINALS_IN = (
    ("IN1", 100),
    ("IN2", 101),
    ("IN3", 102),
    ("IN4", 103),
    ("IN5", 104),
    ("IN6", 105),
    ("IN7", 106),
    ("IN8", 107),
    ("IN9", 108),
    ("IN10", 109),
    ("IN11", 110),
    ("IN12", 111),
    ("IN13", 112),
    ("IN14", 113),
    ("IN15", 114),
    ("IN16", 115),
)
RELAY_ACTIVE = 0
INPUTS_INVERTED = True
I2C = (5, 4, 100_000)
EXPANDERS = (
    ("pcf8574", 0x24, "out"),
    ("pcf8574", 0x25, "out"),
    ("pcf8574", 0x22, "in"),
    ("pcf8574", 0x21, "in"),
)
HIGH = ()
ETHERNET = (
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
RESERVED = ((0, "the download button"), (2, "the 433 MHz receiver"), (15, "the 433 MHz sender"))
STRAPPING = ()
PULSES = ()
WATCHDOG_MS = 8_000
