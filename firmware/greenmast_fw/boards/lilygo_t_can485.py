"""LILYGO T-CAN485: RS-485 and CAN on a bare ESP32; outputs and inputs on its header, for a driver board."""

NAME = "lilygo-t-can485"
TEXT = "RS-485, four outputs and two inputs on a header (3.3 V, no relays), Wi-Fi only, 5..12 V DC"
SOURCES = (
    "github.com/Xinyuan-LilyGO/T-CAN485 example/Arduino/RS485, esphome/rs485.yaml",
    "github.com/GitNik1/VEBus Examples/ReadAllVariableInfos/config.h",
    "a T-CAN485 pinout guide of a SignalK gateway (header)",
)
SINGLE_SOURCE = (
    "GPIO 36 and 39 on the header: the gateway's guide only; they are not among the terminals",
    "GPIO 17: LILYGO's ESPHome file calls it automatic direction, VEBus /RE; both drive it high",
)
CHIP = "esp32"
RAM = ""
UARTS = ((1, 22, 21, None),)
TERMINALS_OUT = (("IO18", 18), ("IO25", 25), ("IO32", 32), ("IO33", 33))
TERMINALS_IN = (("IO34", 34), ("IO35", 35))
RELAY_ACTIVE = 1
INPUTS_INVERTED = True
I2C = None
EXPANDERS = ()
HIGH = (16, 17, 19)  # 5 V of the transceiver; its receiver and direction; out of shut-down
ETHERNET = ()
RTC = None
LED = 4
BUZZER = None
RESERVED = (
    (2, "the SD card"),
    (13, "the SD card"),
    (14, "the SD card"),
    (15, "the SD card"),
    (23, "CAN"),
    (26, "CAN"),
    (27, "CAN"),
)
STRAPPING = ()
PULSES = (
    ("IO18", "floats until the firmware runs", "10 kohm to ground at the input of the driver"),
    ("IO25", "floats until the firmware runs", "10 kohm to ground at the input of the driver"),
    ("IO32", "floats until the firmware runs", "10 kohm to ground at the input of the driver"),
    ("IO33", "floats until the firmware runs", "10 kohm to ground at the input of the driver"),
)
WATCHDOG_MS = 8_000
