"""The board's way to the network: Wi-Fi, Ethernet or cellular (PPP), brought up and kept up.

The only user of `network`. Owns when an interface is started again; must not know what runs over it. MQTT and
time work over whatever is there, so a network that another program has set up needs nothing of this.
"""

import random

from greenmast_fw.drivers import clock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_LOOK_MS = 1_000
_JOIN_LOOKS = 30  # as many seconds until an attempt has failed
_PAUSE_MS = 2_000
_DOUBLINGS_MAX = 5
_MODEM_LOOKS = 100
_MODEM_LOOK_MS = 100


class Netif:
    """One interface; `run` it as a task. `starts` counts attempts, `error` is the last one's, if any."""

    def __init__(self, interface: "Any", arguments: "tuple[str, ...] | None", modem: "Any" = None) -> None:
        """`arguments`: of the interface's `connect`; None: it needs none. `modem`: UART to dial on first."""
        self._interface = interface
        self._arguments = arguments
        self._modem = modem
        self.starts = 0
        self.error: "Exception | None" = None

    async def run(self) -> None:
        """Keep it up for ever."""
        failures = 0
        while True:
            self.starts += 1
            try:
                failures = 0 if await self._session() else min(failures + 1, _DOUBLINGS_MAX)
                self._interface.active(False)
            except (OSError, RuntimeError) as error:  # the port has both
                self.error = error
                failures = min(failures + 1, _DOUBLINGS_MAX)
            await clock.sleep_ms((_PAUSE_MS << failures) + random.getrandbits(10))

    async def _session(self) -> bool:
        """Start it, and watch it until it is lost. Whether it was there at all. Raises OSError."""
        interface = self._interface
        if self._modem is not None:
            await self._dial()
        interface.active(True)
        if self._arguments is not None:
            interface.connect(*self._arguments)
        looks = 0
        while not interface.isconnected():
            looks += 1
            if looks > _JOIN_LOOKS:
                return False
            await clock.sleep_ms(_LOOK_MS)
        while interface.isconnected():
            await clock.sleep_ms(_LOOK_MS)
        return True

    async def _dial(self) -> None:
        """Have the modem open a data connection (3GPP TS 27.007: context 1 is the APN's). Raises OSError."""
        for command in ("ATZ", 'AT+CGDCONT=1,"IP","%s"' % self._modem[1], "ATD*99#"):
            uart = self._modem[0]
            uart.write(command.encode() + b"\r")
            heard = b""
            looks = 0
            while b"OK\r" not in heard and b"CONNECT" not in heard:
                looks += 1
                if looks > _MODEM_LOOKS or b"ERROR" in heard or b"NO CARRIER" in heard:
                    raise OSError("modem: %s: %r" % (command, heard))
                await clock.sleep_ms(_MODEM_LOOK_MS)
                heard += uart.read(64) or b""


def make(wanted: "dict[str, Any]", board: "Any") -> Netif:
    """The interface that the configuration wants: `kind` "wifi" (ssid, key), "ethernet" (phy: its chip's
    address, 0) or "ppp" (apn).

    The board's table says what is wired: `ETHERNET`, (signal, GPIO) rows of an RMII or SPI chip; `MODEM`,
    (UART number, TX, RX, baud). Raises KeyError for what this board does not have.
    """
    import machine
    import network

    kind = wanted["kind"]
    if kind == "wifi":
        return Netif(network.WLAN(network.WLAN.IF_STA), (wanted["ssid"], wanted["key"]))
    wiring = getattr(board, "ETHERNET" if kind == "ethernet" else "MODEM", None)
    if not wiring:
        raise KeyError(kind)
    if kind == "ppp":
        number, tx, rx, baud = wiring
        uart = machine.UART(number, baud, tx=tx, rx=rx, timeout=0)
        return Netif(network.PPP(uart), (), (uart, wanted["apn"]))
    pins = {signal: machine.Pin(pin) for signal, pin in wiring}
    chip = {"phy_addr": wanted.get("phy", 0)}  # type: dict[str, Any]
    if "MDC" in pins:  # an LAN8720, which gets its clock from the ESP32
        chip.update({"phy_type": network.PHY_LAN8720, "mdc": pins["MDC"], "mdio": pins["MDIO"]})
        chip.update({"ref_clk": pins["clock"], "ref_clk_mode": machine.Pin.OUT, "power": pins.get("power")})
    else:
        spi = machine.SPI(1, baudrate=20_000_000, sck=pins["SCK"], mosi=pins["MOSI"], miso=pins["MISO"])
        chip.update({"phy_type": network.PHY_W5500, "spi": spi, "cs": pins["CS"], "int": pins["INT"]})
        chip.update({"reset": pins["RST"]})
    return Netif(network.LAN(**chip), None)
