"""KinCony KC868-A8S: eight relays and eight isolated inputs behind PCF8574s, RS-485, Ethernet, GSM socket."""

NAME = "kincony-kc868-a8s"
TEXT = "eight relays and eight isolated inputs (I2C), RS-485, Ethernet, 12 V DC"
SOURCES = (
    "devices.esphome.io/devices/kincony-kc868-a8s",
    "a Modbus project's KC868-A8S.h (RS485 TX 33, RX 32, no driver enable)",
)
SINGLE_SOURCE = ("the lettering of the terminals: an air handler project's wiring diagram (R1-R8, IN1-IN8)",)
CHIP = "esp32"
RAM = ""
UARTS = ((1, 33, 32, None),)
TERMINALS_OUT = (
    ("R1", 100),
    ("R2", 101),
    ("R3", 102),
    ("R4", 103),
    ("R5", 104),
    ("R6", 105),
    ("R7", 106),
    ("R8", 107),
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
)
RELAY_ACTIVE = 0
INPUTS_INVERTED = True
I2C = (5, 4, 100_000)
EXPANDERS = (("pcf8574", 0x24, "out"), ("pcf8574", 0x22, "in"))
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
LED = 12
BUZZER = 2
RESERVED = (
    (0, "the download button"),
    (13, "the GSM socket"),
    (15, "the GSM socket"),
    (16, "the 433 MHz receiver"),
)
STRAPPING = ()
PULSES = ()
WATCHDOG_MS = 8_000
