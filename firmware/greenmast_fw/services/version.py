"""What this firmware is. A host that meets another point table reads but does not command."""

from greenmast_protocol import points

FIRMWARE = "0.1.0"
PROTOCOL = 1


def identity(boot: int) -> "dict[str, object]":
    """The part of `hello` that does not depend on the site."""
    return {
        "product": "greenmast",
        "firmware": FIRMWARE,
        "protocol": PROTOCOL,
        "boot": boot,
        "table": points.TABLE_HASH,
    }
