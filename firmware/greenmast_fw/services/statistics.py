"""Counters since boot, gathered from the services that count. Loaded when somebody asks."""

from greenmast_fw.storage import revisions

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from greenmast_fw.services.view import View


def collect(view: "View") -> "dict[str, Any]":
    """{"scans", "scan_gap_max_ms", "scan_late_ms", "switches", "modbus", "mqtt", "telemetry"} and, as
    stored, "config" (see `revisions.report`).
    """
    scan = view.scan
    requests = errors = 0
    for master in view.masters:
        for code in master.stats:
            requests += master.stats[code]
            errors += master.stats[code] if code else 0
    mqtt = view.uplink.client.stats if view.uplink else None
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
            "seq": view.telemetry.seq,
            "acked": view.telemetry.acked,
            "dropped": view.telemetry.dropped,
        },
        "config": revisions.report(),
    }
