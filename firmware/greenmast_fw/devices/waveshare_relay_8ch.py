"""Waveshare Modbus RTU Relay 8CH, models with inputs: eight relays and eight inputs.

What hangs on a channel is the site's business (`binding`). It has no watchdog: relays stay as they are when
nobody speaks to it, and are off after its own power failed. Its relays are read back, so that this shows.
"""

from greenmast_fw.devices.profile import U16

NAME = "waveshare-relay-8ch"
ROLE = "io"
TEXT = "Waveshare Modbus RTU Relay 8CH (models with inputs)"
SOURCES = (
    "Waveshare wiki, Modbus RTU Relay Development Protocol V2",
    "kdudkov/mb_gate",
)
SINGLE_SOURCE = ()
LINK = (9600, "N", 1, 1)
TIMEOUT_MS = 200
GAP_MS = 0
READ_MAX = 8
INPUTS = 0

READS = (
    (2, 0x0000, 8, 1),
    (1, 0x0000, 8, 1),
)
ROWS = ()
WRITES = ()
SWITCHES = tuple([("io", 5, channel, (0xFF00,), (0,)) for channel in range(8)])
PROBE = (
    (1, 0x0000, 8, ()),
    (3, 0x4000, 1, ((0, U16, 1, 255),)),  # its own address
    (3, 0x8000, 1, ((0, U16, 1, 9999),)),  # version
)
IDENTITY = (("firmware", 3, 0x8000, 1, U16),)
