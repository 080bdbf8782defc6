"""Puts the firmware together: from a configuration document to running tasks.

Owns the order of construction and the wiring between services; decides nothing about the site. Without a good
configuration the board is in safe mode: outputs stay idle, the console answers.
"""

import gc

import machine
from greenmast_protocol import params as parameters
from greenmast_protocol import points

from greenmast_fw import boards
from greenmast_fw.core import site as site_facts
from greenmast_fw.core.controller import Controller
from greenmast_fw.core.snapshot import Image
from greenmast_fw.devices import binding
from greenmast_fw.drivers import clock, stdio
from greenmast_fw.drivers.modbus_line import Line
from greenmast_fw.drivers.modbus_master import RtuMaster
from greenmast_fw.drivers.pins import Inputs, Outputs
from greenmast_fw.drivers.wall import Wall
from greenmast_fw.services.console import Console
from greenmast_fw.services.journal import Journal
from greenmast_fw.services.poll import BusPoller
from greenmast_fw.services.rpc import Rpc
from greenmast_fw.services.scan import Scan
from greenmast_fw.services.supervisor import Supervisor
from greenmast_fw.services.telemetry import Telemetry
from greenmast_fw.services.uplink import Uplink
from greenmast_fw.services.view import View

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from greenmast_fw.core.decision import Decision

_PARITY = {"N": None, "E": 0, "O": 1}


class Buses:
    """All Modbus lines of the site with their pollers."""

    def __init__(self, config: "Any", board: "Any", image: Image, period_ms: int) -> None:
        wanted = [(d["role"], d["profile"], d["address"]) for d in config["devices"]]
        self.devices = binding.bind(wanted)
        self.masters: "list[RtuMaster]" = []
        self.pollers: "list[BusPoller]" = []
        for bus, uart in zip(config["buses"], board.UARTS):
            number, tx, rx, de = uart
            port = machine.UART(
                number, bus["baud"], 8, _PARITY[bus["parity"]], 1, tx=tx, rx=rx, timeout=0, rxbuf=512
            )
            driver = None if de is None else machine.Pin(de, machine.Pin.OUT, value=0).value
            self.masters.append(RtuMaster(Line(port, bus["baud"], driver)))
            here = [self.devices[i] for i, d in enumerate(config["devices"]) if d["bus"] == bus["name"]]
            self.pollers.append(BusPoller(self.masters[-1], here, image, period_ms))

    def setpoint(self, name: str, value: int) -> None:
        """Hold a setpoint of the core at the device that has it; a site without such a device has none."""
        for poller in self.pollers:
            for station in poller.stations:
                for row in station.device.profile.WRITES:
                    if row[0] == name and station.device.role == name.split(".")[0]:
                        poller.write(station.device, name, value)


def _pins(config: "Any", board: "Any", image: Image) -> "tuple[Outputs, Inputs]":
    out, feedback = machine.Pin.OUT, machine.Pin.IN
    outputs = []
    inputs = []
    for name, row in config["outputs"].items():
        pin = machine.Pin(row["pin"], out, value=0)
        outputs.append((points.OUTPUTS.index(name), pin, 1 if row["idle"] == "closed" else 0))
        if row["feedback"] is not None:
            pin = machine.Pin(row["feedback"], feedback, machine.Pin.PULL_UP)
            inputs.append((points.index("feedback." + name), pin))
    return Outputs(outputs), Inputs(inputs, image, board.INPUTS_INVERTED)


class App:
    """The whole firmware of one boot."""

    def __init__(self, config: "Any", boot: int) -> None:
        """`config`: a document that `config.problems` has nothing against. Raises KeyError for an unknown
        board or profile."""
        self._boot = boot
        board: "Any" = boards.load(config["site"]["board"])
        params = parameters.complete(config["params"])
        period_ms = params["scan.period_ms"]
        image = Image()
        outputs, inputs = _pins(config, board, image)
        self.buses = Buses(config, board, image, period_ms)
        controller = Controller(params, site_facts.from_config(config))
        watchdog = machine.WDT(timeout=board.WATCHDOG_MS)
        self.scan = Scan(
            image, controller, outputs, inputs, self.buses.setpoint, watchdog, period_ms, boot
        )
        wall = Wall()
        self.telemetry = Telemetry(
            self.scan, wall, boot, params["telemetry.period_s"], params["telemetry.full_s"]
        )
        self.view = View(
            config, image, controller, self.scan, self.buses.masters, self.telemetry, wall, boot
        )
        self.journal = Journal(self.scan.uptime_s)
        self.scan.on_decision = self._on_decision
        self.rpc = Rpc(self.view)
        self.console = Console(self.rpc, stdio.Stdin(), stdio.writer(), clock.sleep_ms)
        self.journal.sink = self.console.log
        if config["mqtt"]:
            self.view.uplink = Uplink(config["mqtt"], config["site"]["id"], boot, self.rpc, self.telemetry)

    async def run(self) -> None:
        """Run everything for ever."""
        tasks = [("scan", self.scan.run), ("console", self.console.run), ("telemetry", self.telemetry.run_collect)]
        for i, poller in enumerate(self.buses.pollers):
            tasks.append(("bus %d" % (i + 1), poller.run))
        uplink = self.view.uplink
        if uplink:
            tasks.append(("mqtt", uplink.run_client))
            tasks.append(("uplink", uplink.run))
            tasks.append(("outbox", uplink.run_telemetry))
        gc.collect()
        self.journal.write("app", "boot %d, reset cause %d" % (self._boot, machine.reset_cause()))
        await Supervisor(self.journal).run(tasks)

    def _on_decision(self, decision: "Decision") -> None:
        for event in decision.events:
            self.journal.write("core", str(event))
