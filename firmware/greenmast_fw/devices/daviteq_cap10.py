"""Daviteq CAP10: capacitive fuel sender in the tank of the genset."""

from greenmast_fw.devices.profile import U16

NAME = "daviteq-cap10"
ROLE = "fuel"
TEXT = "Daviteq CAP10 capacitive fuel level sender"
SOURCES = ("Daviteq CAP10 manual CAP10CNR-MN-EN-01",)
SINGLE_SOURCE = ("genset.fuel_permille",)
LINK = (19200, "N", 1, 30)
TIMEOUT_MS = 300
GAP_MS = 0
READ_MAX = 6

READS = ((4, 0x0000, 1, 1),)  # register 30001: the damped level
ROWS = (("genset.fuel_permille", 0, 0, U16, 1, 1, 0),)
WRITES = ()
SWITCHES = ()
PROBE = (
    # Damped and undamped level, capacity, temperature; its own address, baud rate and parity.
    (4, 0x0000, 6, ((0, U16, 0, 1000), (1, U16, 0, 1000), (3, U16, 0, 1000))),
    (3, 0x0006, 3, ((0, U16, 1, 247), (1, U16, 0, 1), (2, U16, 0, 2))),
)
IDENTITY = (("firmware", 4, 0x0004, 1, U16),)
