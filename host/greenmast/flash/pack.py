"""The parameter table as the board carries it: text that stays in ROM, in place of tuples in the heap.

As tuples the table takes 20 KB of heap for as long as it is loaded. Owns the other form of the module
`greenmast_protocol.params`; its rows come from there.
"""

from __future__ import annotations

from greenmast_protocol import params

_TABLE = "greenmast_protocol/params.py"

_FUNCTIONS = """

def row(name):
    start = ROWS.find("\\n" + name + " ")
    if start < 0 or not name or " " in name:
        return None
    numbers = ROWS[start + 1 : ROWS.find("\\n", start + 1)].split(" ")
    return name, int(numbers[1]), int(numbers[2]), int(numbers[3])


def pairs():
    at = 0
    while at < len(APART):
        end = APART.find("\\n", at)
        lower, upper, distance = APART[at:end].split(" ")
        at = end + 1
        yield lower, upper, int(distance)

"""


def sources() -> dict[str, str]:
    """Path -> source, of what is compiled for the board in place of the module."""
    rows = "\n" + "".join(" ".join(map(str, row)) + "\n" for row in params.PARAMS)
    apart = "".join(" ".join(map(str, pair)) + "\n" for pair in params.PAIRS)
    return {_TABLE: f"ROWS = {rows!r}\nAPART = {apart!r}\n{_FUNCTIONS}"}
