"""Lithium iron phosphate: charging ends with a taper; a full battery is not held at a high voltage.

Rules
- No hold above 3.45 V per cell once the battery is full, whatever float voltage is set.
- Recharged below 95 %, or when its voltage has come down to the flat part of its curve.
- Never charged when cold: lithium would plate (the limit itself is in `limits`).
- There is nothing to equalise: the BMS balances.
"""

from greenmast_fw.core.stages import EQUALISE, FLOAT, Stages

_HOLD_CELL_MV = 3_450


class Lfp(Stages):
    """As `Stages`."""

    freezes = True
    _rest_cell_mv = 3_290
    _sag_cell_mv = 3_280
    _recharge_permille = 950

    def configure(self, params: "dict[str, int]") -> None:
        """Take over new parameters; stage and timers stay."""
        Stages.configure(self, params)
        self._float_mv = min(self._float_mv, _HOLD_CELL_MV * self._cells)
        self._set()

    def restore(self, kept: "list[int]") -> None:
        """Resume from `memory`; one of a site that equalised goes on at float."""
        Stages.restore(self, [FLOAT, 0] if kept[0] == EQUALISE else kept)
