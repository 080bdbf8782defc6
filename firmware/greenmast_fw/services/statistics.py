"""Counters since boot, gathered from the services that count. Loaded when somebody asks."""

from greenmast_protocol import modbus_frame

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from greenmast_fw.services.view import View


def collect(view: "View") -> "dict[str, Any]":
    """{"scans", "scan_gap_max_ms", "scan_late_ms", "switches", "output_errors", "modbus", "mqtt",
    "telemetry"}.

    "modbus" has {"requests", "errors", "stray_bytes", "refused": {verdict of `modbus_frame`: exchanges}}.
    """
    scan, outbox = view.scan, view.outbox
    requests = errors = stray = 0
    refused: "dict[str, int]" = {}
    for master in view.masters:
        stray += master.stray_bytes
        for code in master.stats:
            count = master.stats[code]
            requests += count
            if code != modbus_frame.OK:
                errors += count
                name = modbus_frame.verdict_name(code)
                refused[name] = refused.get(name, 0) + count
    client = view.uplink.client if view.uplink else None
    mqtt = client.stats if client else None
    return {
        "scans": scan.scans,
        "scan_gap_max_ms": scan.gap_max_ms,
        "scan_late_ms": scan.late_ms,
        "switches": scan.switches,
        "output_errors": scan.outputs.errors,
        "modbus": {"requests": requests, "errors": errors, "stray_bytes": stray, "refused": refused},
        "mqtt": {
            "published": mqtt.published if mqtt else 0,
            "acknowledged": mqtt.acknowledged if mqtt else 0,
            "reconnects": mqtt.reconnects if mqtt else 0,
            "errors": mqtt.errors if mqtt else 0,
            "error": repr(client.error) if client and client.error else "",
            "connected": client.connected if client else False,
        },
        "telemetry": {
            "seq": outbox.seq,
            "acked": outbox.acked[1] if outbox.acked[0] == outbox.boot else 0,
            "dropped": outbox.dropped,
            "erases": outbox.reports.erases + outbox.events.erases,
        },
    }
