"""Which masters take malformed replies for answers: the cases of `malformed`, put to each on its own line.

After every case the master reads once more and gets a good reply: what belongs to the case must not be taken
for it. A case counts as accepted when it gave any registers, right by luck or not, or when its bytes did so
to the request behind it.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from greenmast.bench.bus_masters import Maker
from greenmast.bench.malformed import (
    ADDRESS,
    BAUD,
    CASES,
    COUNT,
    FUNCTION,
    GOOD_VALUES,
    OTHER,
    OTHER_VALUES,
    TIMEOUT_MS,
    UNIT,
)
from greenmast.bench.scripted_slave import ScriptedSlave, unpaced_line

_REQUEST = [UNIT, FUNCTION, ADDRESS, COUNT]
_SETTLE_S = 0.3  # of the slave, which may still be speaking


def count(makers: dict[str, Maker]) -> dict[str, Any]:
    """{"cases", "masters": {name: {"accepted": [case], "wrong_values": [case], "next_lost": n}}}.

    `wrong_values`: of those accepted, the ones that gave registers which the slave did not mean for that
    request. `next_lost`: good replies to the request behind a case that the master refused.
    """
    with ThreadPoolExecutor(len(makers)) as pool:  # all wait most of the time
        masters = dict(zip(makers, pool.map(_judge, makers.values()), strict=True))
    return {"cases": len(CASES), "masters": masters}


def _judge(maker: Maker) -> dict[str, Any]:
    accepted, wrong = [], []
    lost = 0
    for case in CASES:
        with (
            unpaced_line() as (ours, path),
            ScriptedSlave(ours, (case.pieces, ((0.0, OTHER),))),
            maker(path, BAUD, UNIT, TIMEOUT_MS / 1000) as master,
        ):
            given = master.read(_REQUEST)
            after = master.read(_REQUEST)
            time.sleep(_SETTLE_S if case.pieces and case.pieces[-1][0] else 0.0)
        is_foreign = after is not None and after != OTHER_VALUES
        if given is not None or is_foreign:
            accepted.append(case.name)
        if is_foreign or given not in (None, GOOD_VALUES):
            wrong.append(case.name)
        lost += after is None
    return {"accepted": accepted, "wrong_values": wrong, "next_lost": lost}
