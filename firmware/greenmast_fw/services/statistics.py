"""Counters since boot, gathered from the services that count. Loaded when somebody asks."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from greenmast_fw.services.view import View


def collect(view: "View") -> "dict[str, Any]":
    """{"scans", "scan_gap_max_ms", "scan_late_ms", "switches", "modbus", "mqtt", "telemetry"}."""
    scan, outbox = view.scan, view.outbox
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
            "seq": outbox.seq,
            "acked": outbox.acked[1] if outbox.acked[0] == outbox.boot else 0,
            "dropped": outbox.dropped,
            "erases": outbox.reports.erases + outbox.events.erases,
        },
    }
