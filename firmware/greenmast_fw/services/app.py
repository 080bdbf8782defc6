"""Puts the firmware together: from a setup to running tasks.

Owns the order of construction and the wiring between services; decides nothing about the site. What it
imports stays loaded, as the tasks are made of it; the module itself is forgotten when it has done its work.
"""

import machine

from greenmast_fw.core import site as site_facts
from greenmast_fw.core.controller import Controller
from greenmast_fw.core.snapshot import Image
from greenmast_fw.drivers import clock, stdio
from greenmast_fw.drivers.modbus_line import Line
from greenmast_fw.drivers.modbus_master import Master, RtuMaster
from greenmast_fw.drivers.pins import Inputs, Outputs
from greenmast_fw.drivers.wall import Wall
from greenmast_fw.services import keeper, overlay, supervisor
from greenmast_fw.services.console import Console
from greenmast_fw.services.health import Health
from greenmast_fw.services.journal import Journal
from greenmast_fw.services.keeper import Keeper
from greenmast_fw.services.outbox import Outbox
from greenmast_fw.services.poll import BusPoller
from greenmast_fw.services.rpc import Rpc
from greenmast_fw.services.scan import Scan
from greenmast_fw.services.telemetry import Telemetry
from greenmast_fw.services.uplink import Uplink
from greenmast_fw.services.view import View
from greenmast_protocol import instances

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any

    from greenmast_fw.services.setup import Setup, Wires
    from greenmast_fw.storage.ring import Ring

_PARITY = {"N": None, "E": 0, "O": 1}


def build(boot: int, setup: "Setup") -> "Coroutine[None, None, None]":
    """What runs for ever."""
    config, board, params, devices, wires, kept, trial_s = setup
    period_ms = params["scan.period_ms"]
    journal = Journal()
    controller = controller_of(params, config, kept, journal)
    several = instances.Instances(instances.count(list(controller.site.roles)), len(devices))
    image = Image(several)
    outputs, chips, inputs = _pins(wires, board, image, 2 * period_ms)
    masters: "list[Master]" = []
    pollers = []
    uarts = list(board.UARTS)
    for bus in config["buses"]:
        here = [devices[i] for i, device in enumerate(config["devices"]) if device["bus"] == bus["name"]]
        masters.append(_tcp_master(bus["tcp"]) if bus.get("tcp") else _master(bus, uarts.pop(0)))
        pollers.append(BusPoller(masters[-1], here, image, period_ms, params["scan.stale_periods"]))
    if wires[1]:
        from greenmast_fw.services import remote  # most sites do without

        outputs.extend(remote.rows(wires[1], pollers))
    names = [bus["name"] for bus in config["buses"]]
    health = Health(
        image,
        several,
        [
            masters[names.index(device["bus"])].unit(devices[i][0])
            for i, device in enumerate(config["devices"])
        ],
    )
    site = config["site"]
    wall = Wall(site.get("zone", [0]), machine.RTC())
    reports, events, layout = overlay.run(_rings, image)
    outbox = Outbox(boot, reports, events, image, layout, wall)
    boot = outbox.boot
    watchdog = machine.WDT(timeout=board.WATCHDOG_MS)
    driven = Outputs(outputs, chips)
    scan = Scan(image, controller, driven, inputs, pollers, health, watchdog, journal, period_ms, boot, wall)
    scan.outbox = outbox
    telemetry = Telemetry(scan, outbox, params["telemetry.period_s"], params["telemetry.full_s"])
    identity = {
        "board": site["board"],
        "site": site["id"],
        "name": site["name"],
        "boot": boot,
        "revision": config["revision"],
    }
    view = View(identity, scan, masters, outbox, wall, telemetry)
    rpc = Rpc(view)
    console = Console(rpc, stdio.Stdin(), stdio.writer(), clock.sleep_ms)
    journal.sink = console.log
    tasks = [("scan", scan.run), ("console", console.run), ("telemetry", telemetry.run)]
    view.keeper = Keeper(scan, outbox, journal)
    tasks.append(("keeper", view.keeper.run))
    for i, poller in enumerate(pollers):
        tasks.append(("bus %d" % (i + 1), poller.run))
    if trial_s:
        from greenmast_fw.services.trial import Trial  # most boots do without

        view.keeper.trial = Trial(trial_s, view.restart, journal)
    if config.get("network"):
        try:
            tasks.append(("network", overlay.run(_netif, config["network"], board).run))
        except (KeyError, ImportError) as error:  # control does not need it
            journal.write("network", "not on this board: %r" % error)
    if site.get("time_server"):
        from greenmast_fw.services.timekeeper import Timekeeper  # and without it

        tasks.append(("time", Timekeeper(wall, site["time_server"], journal).run))
    if config["mqtt"]:
        mqtt = config["mqtt"]
        tls = overlay.run(_tls, journal) if mqtt.get("tls") else None
        uplink = Uplink(mqtt, site["id"], rpc, scan, outbox, wall, tls)
        view.uplink = uplink
        tasks.append(("mqtt", uplink.client.run))
        tasks.append(("uplink", uplink.run))
        tasks.append(("outbox", uplink.run_outbox))
    journal.write("app", "boot %d, reset cause %d" % (boot, machine.reset_cause()))
    return supervisor.run(journal, tasks)


def controller_of(
    params: "Any", config: "dict[str, Any]", kept: "dict[str, object]", journal: Journal
) -> Controller:
    """The controller of this configuration document, which goes on from its record `kept`."""
    controller = Controller(params, site_facts.from_config(config))
    keeper.resume(controller, kept, journal)
    return controller


def _rings(image: Image) -> "tuple[Ring, Ring, int]":
    from greenmast_fw.services import rings

    return rings.all_of(image)


def _netif(wanted: "dict[str, Any]", board: "Any") -> "Any":
    from greenmast_fw.drivers import netif

    return netif.make(wanted, board)


def _tls(journal: Journal) -> "Any":
    from greenmast_fw.services import credentials

    return credentials.context(journal)


def _master(bus: "dict[str, Any]", uart: "tuple[int, int, int, int | None]") -> Master:
    number, tx, rx, de = uart
    port = machine.UART(number, bus["baud"], 8, _PARITY[bus["parity"]], 1, tx=tx, rx=rx, timeout=0, rxbuf=512)
    drive = None if de is None else machine.Pin(de, machine.Pin.OUT, value=0).value
    return RtuMaster(Line(port, bus["baud"], drive))


def _tcp_master(endpoint: str) -> Master:
    from greenmast_fw.drivers.modbus_tcp import TcpMaster  # a site with lines only does without

    host, _, port = endpoint.rpartition(":")
    return TcpMaster(host, int(port))


def _pins(
    wires: "Wires", board: "Any", image: Image, limit_ms: int
) -> "tuple[list[Any], list[Any], list[Inputs]]":
    """Rows of `Outputs`, its chips, and the inputs; those of a chip are stale after `limit_ms`."""
    chips: "tuple[list[Any], list[Any]]" = ([], [])
    if board.EXPANDERS:
        from greenmast_fw.drivers import expander  # a board without expanders does without

        chips = expander.chips(board)
    outputs = []
    for number, pin, level, rest in wires[0]:
        if pin < 100:
            driver: "Any" = machine.Pin(pin, machine.Pin.OUT, value=rest)
        else:
            driver = expander.Bit(chips[0][(pin - 100) // 8], (pin - 100) % 8)
        outputs.append((number, driver, level))
    inputs = []
    for chip in [None] + chips[1]:
        rows: "list[Any]" = []
        for point, pin, level in wires[2]:
            if pin < 100 and chip is None:
                rows.append((point, machine.Pin(pin, machine.Pin.IN, machine.Pin.PULL_UP), level))
            elif pin >= 100 and chip is chips[1][(pin - 100) // 8]:
                rows.append((point, expander.Bit(chip, (pin - 100) % 8), level))
        if rows:
            inputs.append(Inputs(rows, image, chip, limit_ms if chip else 0))
    return outputs, chips[0], inputs
