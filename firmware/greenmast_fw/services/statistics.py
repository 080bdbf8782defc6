"""Counters since boot, gathered from the services that count. Loaded when somebody asks."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from greenmast_fw.services.view import View


def collect(view: "View") -> "dict[str, Any]":
    """{"scans", "scan_gap_max_ms", "scan_late_ms", "switches", "modbus", "mqtt", "telemetry"}."""
    scan = view.scan
    requests = errors = 0
    for master in view.masters:
        for code in master.stats:
            requests += master.stats[code]
            errors += master.stats[code] if code else 0
    client = view.uplink.client if view.uplink else None
    mqtt = client.stats if client else None
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
            "errors": mqtt.errors if mqtt else 0,
            "error": repr(client.error) if client and client.error else "",
            "connected": client.connected if client else False,
        },
        "telemetry": {
            "seq": view.telemetry.seq,
            "acked": view.telemetry.acked,
            "dropped": view.telemetry.dropped,
        },
    }
