"""Quality of a value: what every point carries from the register to the operator's screen.

A value is GOOD, STALE (older than its limit, or never read) or INVALID for one of the reasons below.
Whatever is not GOOD has no value for the controller: missing is None, never 0.
"""

GOOD = 0
STALE = 1
SENTINEL = 2  # the device says that it does not know (GenComm reserves eight such values)
NOT_A_NUMBER = 3
OUT_OF_RANGE = 4
RATE = 5  # changed faster than it can
FROZEN = 6  # bit-identical while it should move
CONTRADICTED = 7  # other evidence excludes it
UNSUPPORTED = 8  # the device does not have it

NAMES = (
    "good",
    "stale",
    "sentinel",
    "not_a_number",
    "out_of_range",
    "rate",
    "frozen",
    "contradicted",
    "unsupported",
)
