"""EPEver Tracer AN / BN: solar charge controller, which also knows its battery.

Not the battery's current: its "net" current is that of its own terminals, past which a rectifier charges and
the load draws.

Unmapped registers lie between its blocks and reading across them fails. 32-bit values have the low word
first.
"""

from greenmast_fw.devices.profile import S16, U16, U32_LW

NAME = "epever-tracer-an"
ROLE = "solar"
TEXT = "EPEver Tracer AN solar charge controller"
SOURCES = (
    "EPEver B-series protocol V2.4",
    "kasbert/epsolar-tracer registers and capture",
)
SINGLE_SOURCE = ()
LINK = (115200, "N", 1, 1)
TIMEOUT_MS = 300
GAP_MS = 10
READ_MAX = 32
HOLES = True

READS = (
    (4, 0x3100, 5, 1),
    (4, 0x3312, 2, 10),
    (4, 0x311A, 2, 1),
)
ROWS = (
    ("solar.voltage_mv", 0, 0, U16, 10, 1, 0),
    ("solar.current_ma", 0, 1, U16, 10, 1, 0),
    ("solar.power_w", 0, 2, U32_LW, 1, 100, 0),
    ("solar.energy_wh", 1, 0, U32_LW, 10, 1, 0),
    ("battery.voltage_mv", 0, 4, U16, 10, 1, 0),
    ("battery.soc_permille", 2, 0, U16, 10, 1, 0),  # whole percent, whatever some texts say
    ("battery.temperature_dc", 2, 1, S16, 1, 10, 0),
)
WRITES = ()
SWITCHES = ()
PROBE = (
    # Rated battery voltage and kind of charging; the system voltage; and what it refuses.
    (4, 0x3004, 1, ((0, U16, 1200, 4800),)),
    (4, 0x3008, 1, ((0, U16, 0, 2),)),
    (4, 0x311D, 1, ((0, U16, 1200, 4800),)),
    (3, 0x3100, 1, None),
)
IDENTITY = ()
