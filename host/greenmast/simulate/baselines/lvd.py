"""The low-voltage disconnect of the loads: contactors that open on bus voltage and nothing else.

Owns the three load tiers: one voltage for all of them, or a voltage each where the product has stages. They
return together, once the rectifier runs or the bus has recovered. Must not know any state of charge.
"""

from __future__ import annotations

from greenmast_protocol import points

_BUS = points.index("dc.bus_mv")
_AC_PRESENT = points.index("rectifier.ac_present")
_RETURN_MS = 60_000
_ABOVE_MV = 400  # the disconnect voltage, for a return with the rectifier running


class Lvd:
    """`connected[n]`: tier n + 1 shall have power; tier 1 is the critical one."""

    def __init__(self, params: dict[str, int], *, staged: bool) -> None:
        self.connected = [True, True, True]
        critical_mv = params["lvd.tier1_mv"]
        self._limit_mv = [critical_mv, critical_mv, critical_mv]
        if staged:
            self._limit_mv = [critical_mv, params["lvd.tier2_mv"], params["lvd.tier3_mv"]]
        self._reconnect_mv = params["lvd.reconnect_mv"]
        self._delay_ms = params["lvd.delay_s"] * 1_000
        self._ms = [0, 0, 0]  # that the bus has been at odds with each tier's position

    def step(self, v: tuple[int | None, ...], dt_ms: int) -> None:
        """Look at the bus; without a reading everything stays as it is."""
        bus_mv = v[_BUS]
        if bus_mv is None:
            return
        ac = v[_AC_PRESENT] == 1
        for n in (0, 1, 2):
            limit_mv = self._limit_mv[n]
            if self.connected[n]:
                odd = bus_mv < limit_mv
                patience_ms = self._delay_ms
            else:
                odd = bus_mv >= (limit_mv + _ABOVE_MV if ac else self._reconnect_mv)
                patience_ms = _RETURN_MS
            if not odd:
                self._ms[n] = 0
                continue
            self._ms[n] += dt_ms
            if self._ms[n] > patience_ms:
                self.connected[n] = not self.connected[n]
                self._ms[n] = 0
