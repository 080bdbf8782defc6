"""What this firmware is. A host that meets another point table reads but does not command."""

FIRMWARE = "0.1.0"
PROTOCOL = 1
