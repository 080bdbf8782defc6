"""The board as requests see it: what `rpc` may read, gathered from the services that own it. Changes nothing."""

from greenmast_protocol import alarms, points, quality

from greenmast_fw.services import overlay, version

TYPE_CHECKING = False
if TYPE_CHECKING:
    from greenmast_fw.core.controller import Controller
    from greenmast_fw.core.snapshot import Image
    from greenmast_fw.drivers.modbus_master import RtuMaster
    from greenmast_fw.drivers.wall import Wall
    from greenmast_fw.services.scan import Scan
    from greenmast_fw.services.telemetry import Telemetry
    from greenmast_fw.services.uplink import Uplink


class View:
    """See `rpc.Board` for the methods. `uplink` is None on a board without MQTT."""

    def __init__(
        self,
        config: "dict[str, object]",
        image: "Image",
        controller: "Controller",
        scan: "Scan",
        masters: "list[RtuMaster]",
        telemetry: "Telemetry",
        wall: "Wall",
        boot: int,
    ) -> None:
        self._config = config
        self._image = image
        self._controller = controller
        self._scan = scan
        self._masters = masters
        self._telemetry = telemetry
        self._wall = wall
        self._boot = boot
        self._raised: "dict[int, int]" = {}  # alarm -> wall time when it was raised
        self.uplink: "Uplink | None" = None

    def hello(self) -> "dict[str, object]":
        """Who this is."""
        site: "dict[str, object]" = self._config["site"]  # type: ignore[assignment]
        about = version.identity(self._boot)
        about["board"] = site["board"]
        about["site"] = site["id"]
        about["name"] = site["name"]
        about["revision"] = self._config["revision"]
        return about

    def values(self, names: "list[str] | None") -> "dict[str, int | None]":
        """Values by name, None where not good."""
        values, codes = self._scan.values, self._scan.codes
        out: "dict[str, int | None]" = {}
        for name in points.NAMES if names is None else names:
            i = points.index(name)
            out[name] = values[i] if codes[i] == quality.GOOD else None
        return out

    def qualities(self) -> "dict[str, str]":
        """Quality by name, of the points that are not good."""
        codes = self._scan.codes
        return {
            points.NAMES[i]: quality.wire_name(codes[i])
            for i in range(points.COUNT)
            if codes[i] != quality.GOOD
        }

    def ages(self, names: "list[str]") -> "dict[str, int]":
        """Ages in ms, of the points that a device or an input supplies."""
        image = self._image
        return {name: image.age_ms(points.index(name)) for name in names if image.has_source(points.index(name))}

    def explain(self) -> "list[object]":
        """The core's reasons."""
        return overlay.run(self._controller.explain)  # type: ignore[return-value]

    def alarms(self) -> "list[object]":
        """Active alarms: {"id", "name", "ts" (wall time of raising), "trusted"} each."""
        active = self._scan.alarms
        for number in list(self._raised):
            if number not in active:
                del self._raised[number]
        out: "list[object]" = []
        for number in active:
            ts = self._raised.setdefault(number, self._wall.now_s())
            out.append({"id": number, "name": alarms.NAMES[number], "ts": ts, "trusted": self._wall.trusted})
        return out

    def config(self) -> "dict[str, object]":
        """The configuration in force."""
        return self._config

    def statistics(self) -> "dict[str, object]":
        """Counters since boot."""
        scan = self._scan
        requests = errors = 0
        for master in self._masters:
            for code in master.stats:
                requests += master.stats[code]
                errors += master.stats[code] if code else 0
        mqtt = self.uplink.client.stats if self.uplink else None
        return {
            "scans": scan.scans,
            "scan_gap_max_ms": scan.gap_max_ms,
            "scan_late_ms": scan.late_ms,
            "switches": scan.switches,
            "modbus": {"requests": requests, "errors": errors},
            "mqtt": {
                "published": mqtt.published if mqtt else 0,
                "acknowledged": mqtt.acknowledged if mqtt else 0,
                "reconnects": mqtt.reconnects if mqtt else 0,
            },
            "telemetry": {
                "seq": self._telemetry.seq,
                "acked": self._telemetry.acked,
                "dropped": self._telemetry.dropped,
            },
        }
