"""Boards by name: each module is the pin map and wiring of one product, a table without imports.

A table has:
- `NAME`, `TEXT` (what it is), `SOURCES`, `SINGLE_SOURCE` (what rests on one source, or on conflicting ones).
- `CHIP` "esp32" or "esp32s3"; `RAM` external RAM: "", "quad" or "octal".
- `UARTS` (number, TX, RX, driver-enable pin or None): bus n of the site file is row n.
- `TERMINALS_OUT`, `TERMINALS_IN`: (terminal as printed on the product, pin). A pin below 100 is a GPIO,
  100 + n bit n of the expanders of that direction, counted through in the order of `EXPANDERS`.
- `RELAY_ACTIVE`: the level that energises the relay of an output terminal; a GPIO that is no terminal is
  active high. `INPUTS_INVERTED`: a closed contact reads 0.
- `I2C` (SCL, SDA, Hz) or None; `EXPANDERS` (chip, address, "out" or "in"); `RTC` (chip, address) or None.
- `HIGH`: GPIOs to be driven high at the start, before a UART is used.
- `ETHERNET` (signal, GPIO): () without; `LED`, `BUZZER`: GPIO or None; `RESERVED` (GPIO, what for): the rest
  that the board uses.
- `STRAPPING`: strapping pins among its terminals; `PULSES` (terminal, why, inhibit): outputs that may move
  while the chip starts, and the hardware that has to keep them from doing harm.
- `WATCHDOG_MS`.
"""

NAMES = (
    "virtual",
    "kincony-kc868-a16",
    "kincony-kc868-a8s",
    "lilygo-t-can485",
    "olimex-esp32-poe-iso",
    "waveshare-esp32-s3-eth-8di-8ro",
    "waveshare-esp32-s3-relay-6ch",
)


def load(name: str) -> object:
    """The table of the board `name`. Raises KeyError for an unknown one."""
    if name not in NAMES:
        raise KeyError(name)
    return __import__("greenmast_fw.boards." + name.replace("-", "_"), None, None, ("NAME",))


def deployed() -> object:
    """The table that is here: a board is deployed with its own only. Raises ImportError without any."""
    for name in NAMES:
        try:
            return load(name)
        except ImportError:
            pass
    raise ImportError("no board table")
