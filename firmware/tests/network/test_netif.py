"""One way to the network, whatever it is: started, watched, started again, and no error gets out."""

import asyncio
import sys

from greenmast_fw.drivers import netif

netif._LOOK_MS = netif._PAUSE_MS = netif._MODEM_LOOK_MS = 1
netif._JOIN_LOOKS = netif._MODEM_LOOKS = 3


class Interface:
    """`plan`: what `isconnected` says, one after another; then the last for ever."""

    plan = [True]

    def __init__(self, *args, **kwargs):
        self.made_with = args or kwargs
        self.calls = []
        self.plan = list(Interface.plan)

    def active(self, on):
        self.calls.append("on" if on else "off")

    def connect(self, *args):
        self.calls.append(args)

    def isconnected(self):
        return self.plan.pop(0) if len(self.plan) > 1 else self.plan[0]


class Wlan(Interface):
    IF_STA = 0


class Broken(Interface):
    def connect(self, *args):
        raise OSError("WiFi Internal Error")


class Network:
    PHY_LAN8720 = "LAN8720"
    PHY_W5500 = "W5500"
    WLAN = Wlan
    LAN = Interface
    PPP = Interface


class Uart:
    answers = [b"\r\nOK\r\n", b"\r\nOK\r\n", b"\r\nCONNECT 115200\r\n"]

    def __init__(self, *args, **kwargs):
        self.made_with = args
        self.written = []
        self.left = list(Uart.answers)

    def write(self, data):
        self.written.append(data)

    def read(self, count):
        return self.left.pop(0) if self.left else None


class Pin:
    OUT = "out"

    def __init__(self, number):
        self.number = number


class Spi:
    def __init__(self, number, **pins):
        self.pins = pins


class Machine:
    UART = Uart
    Pin = Pin
    SPI = Spi


class Board:
    ETHERNET = (("power", 12), ("MDC", 23), ("MDIO", 18), ("clock", 17), ("TXD0", 19))
    MODEM = (1, 17, 18, 115200)


def make(wanted, board=Board):
    held = {name: sys.modules.get(name) for name in ("network", "machine")}
    sys.modules["network"], sys.modules["machine"] = Network, Machine
    try:
        return netif.make(wanted, board)
    finally:
        for name in held:
            if held[name] is None:
                del sys.modules[name]
            else:
                sys.modules[name] = held[name]


def run(made, starts=1):
    """Run it until it has been started so often and a moment longer."""

    async def main():
        task = asyncio.create_task(made.run())
        for _ in range(200):
            await asyncio.sleep_ms(5)
            if made.starts >= starts:
                break
        await asyncio.sleep_ms(20)
        task.cancel()
        try:
            await task
        except asyncio.CancelledError:
            pass

    asyncio.run(main())
    assert made.starts >= starts, made.starts


def test_wifi_joins_the_network_that_the_configuration_names():
    made = make({"kind": "wifi", "ssid": "mast", "key": "secret"})
    run(made)
    assert made._interface.made_with == (0,)
    assert made._interface.calls == ["on", ("mast", "secret")]


def test_ethernet_is_wired_as_the_boards_table_says():
    made = make({"kind": "ethernet", "phy": 1})
    run(made)
    chip = made._interface.made_with
    assert chip["phy_type"] == "LAN8720"
    assert chip["phy_addr"] == 1
    assert [chip[name].number for name in ("mdc", "mdio", "ref_clk", "power")] == [23, 18, 17, 12]
    assert made._interface.calls == ["on"]


def test_ethernet_over_spi_gets_its_pins_too():
    class Board:
        ETHERNET = (("MOSI", 13), ("MISO", 14), ("SCK", 15), ("CS", 16), ("INT", 12), ("RST", 39))

    chip = make({"kind": "ethernet"}, Board)._interface.made_with
    assert chip["phy_type"] == "W5500"
    assert chip["phy_addr"] == 0
    assert [chip[name].number for name in ("cs", "int", "reset")] == [16, 12, 39]
    assert [chip["spi"].pins[name].number for name in ("sck", "mosi", "miso")] == [15, 13, 14]


def test_a_modem_is_dialled_before_ppp_begins():
    made = make({"kind": "ppp", "apn": "m2m"})
    run(made)
    assert made._modem[0].written == [b"ATZ\r", b'AT+CGDCONT=1,"IP","m2m"\r', b"ATD*99#\r"]
    assert made._interface.calls == ["on", ()]


def test_a_modem_that_answers_nothing_or_an_error_is_dialled_again():
    for answers in ([], [b"\r\nERROR\r\n"]):
        Uart.answers, before = answers, Uart.answers
        try:
            made = make({"kind": "ppp", "apn": "m2m"})
        finally:
            Uart.answers = before
        run(made, starts=2)
        assert "modem: ATZ" in str(made.error)
        assert made._interface.calls == []


def test_a_network_that_is_lost_or_never_comes_is_started_again():
    for plan in ([True, True, False], [False]):
        Interface.plan = plan
        try:
            made = make({"kind": "ethernet"})
        finally:
            Interface.plan = [True]
        run(made, starts=2)
        assert made._interface.calls[:3] == ["on", "off", "on"]


def test_an_error_of_the_port_is_kept_and_it_is_tried_again():
    Network.WLAN = Broken
    Broken.IF_STA = 0
    try:
        made = make({"kind": "wifi", "ssid": "mast", "key": "secret"})
    finally:
        Network.WLAN = Wlan
    run(made, starts=2)
    assert "WiFi Internal Error" in str(made.error)


def test_what_a_board_does_not_have_is_refused():
    class Bare:
        pass

    for kind in ("ethernet", "ppp"):
        try:
            make({"kind": kind, "apn": "m2m"}, Bare)
        except KeyError:
            continue
        raise AssertionError(kind)
