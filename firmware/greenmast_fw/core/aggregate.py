"""Several devices of one role as one: the role's points are the aggregate of the good ones.

Rules
- Currents, powers and limits add up over the devices that answer, charge and voltages are their mean. Of
  temperatures and cells the worst counts.
- Energy counters add up only while all answer: a sum that loses a part would run backwards.
- The phases of the grid qualify together: its voltage is that of the worst phase, and unknown while one is.
- A device that does not answer is `lost`: the rest carries on, and the loss shows.

Used at sites that have such devices. Knows no policy.
"""

from greenmast_protocol import points

TYPE_CHECKING = False
if TYPE_CHECKING:
    from greenmast_protocol.instances import Instances

_SUM = 0
_SUM_OF_ALL = 1
_MEAN = 2
_LEAST = 3
_MOST = 4
_FARTHEST = 5  # from `_COMFORT_DC`
_WORST_PHASE = 6

_COMFORT_DC = 250
# Points that are not here are not aggregated: they stay unknown where there are several.
_RULES = (
    ("battery.voltage_mv", _MEAN),
    ("battery.current_ma", _SUM),
    ("battery.soc_permille", _MEAN),
    ("battery.soh_permille", _MEAN),
    ("battery.temperature_dc", _FARTHEST),
    ("battery.cell_min_mv", _LEAST),
    ("battery.cell_max_mv", _MOST),
    ("battery.charge_limit_ma", _SUM),
    ("battery.discharge_limit_ma", _SUM),
    ("solar.voltage_mv", _MEAN),
    ("solar.current_ma", _SUM),
    ("solar.power_w", _SUM),
    ("solar.energy_wh", _SUM_OF_ALL),
    ("rectifier.output_mv", _MEAN),
    ("rectifier.output_ma", _SUM),
    ("rectifier.setpoint_mv", _LEAST),
    ("rectifier.limit_ma", _SUM),
    ("rectifier.ac_present", _MOST),
    ("rectifier.energy_wh", _SUM_OF_ALL),
    ("load.power_w", _SUM),
    ("load.tier1_w", _SUM),
    ("load.tier2_w", _SUM),
    ("load.tier3_w", _SUM),
    ("load.energy_wh", _SUM_OF_ALL),
    ("load.tier1_wh", _SUM_OF_ALL),
    ("load.tier2_wh", _SUM_OF_ALL),
    ("load.tier3_wh", _SUM_OF_ALL),
    ("grid.voltage_mv", _WORST_PHASE),
    ("grid.current_ma", _SUM),
    ("grid.power_w", _SUM),
    ("grid.frequency_chz", _MEAN),
    ("grid.energy_wh", _SUM_OF_ALL),
)


class Aggregate:
    """`strings`: batteries; `good`: those that answer."""

    def __init__(self, params: "dict[str, int]", instances: "Instances") -> None:
        self._rows: "list[tuple[int, int, range]]" = []  # point, rule, points of its devices
        self.strings = self.good = 1
        self._strings: "list[range]" = []
        for role, first, size, devices, at in instances.blocks:
            for name, rule in _RULES:
                if name.startswith(role + "."):
                    i = points.index(name)
                    own = at + i - first
                    self._rows.append((i, rule, range(own, own + size * devices, size)))
            if role == "battery":
                self.strings = self.good = devices
                self._strings = [range(at + n * size, at + (n + 1) * size) for n in range(devices)]
        self.configure(params)

    def configure(self, params: "dict[str, int]") -> None:
        """Take over new parameters."""
        self._middle_mv = (params["grid.voltage_min_mv"] + params["grid.voltage_max_mv"]) // 2

    def step(self, v: "tuple[int | None, ...]") -> "tuple[int | None, ...]":
        """The values of the table's points, made of `v`, which holds those of all devices behind them."""
        out = list(v[: points.COUNT])
        for i, rule, places in self._rows:
            out[i] = self._value(rule, [v[k] for k in places])
        if self._strings:
            self.good = len([1 for own in self._strings if any([v[k] is not None for k in own])])
        return tuple(out)

    def _value(self, rule: int, given: "list[int | None]") -> "int | None":
        good: "list[int]" = [x for x in given if x is not None]
        if not good or (len(good) < len(given) and (rule == _SUM_OF_ALL or rule == _WORST_PHASE)):
            return None
        if rule <= _SUM_OF_ALL:
            return sum(good)
        if rule == _MEAN:
            return sum(good) // len(good)
        if rule == _LEAST:
            return min(good)
        if rule == _MOST:
            return max(good)
        centre = _COMFORT_DC if rule == _FARTHEST else self._middle_mv
        worst = good[0]
        for x in good:
            if abs(x - centre) > abs(worst - centre):
                worst = x
        return worst
