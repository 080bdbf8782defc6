"""A plan from the host: hour by hour a reserve, a permission to charge, a wish for the genset.

Rules
- Hours count on monotonic time from the plan's receipt, or from the start it names: no clock is needed. A
  reset does not stop a plan; time without power is not counted.
- A list that the plan has not, or that is over, says nothing: there the policy decides.
- At its expiry the plan is over as a whole.

Knows neither policy nor site: what a plan says is weighed by `policy`.
"""

# An hour is one integer: reserve, charge and genset in 10, 2 and 2 bits, all ones where there is none.
_NO_RESERVE = 1_023
_NOTHING = 3
_HOUR_S = 3_600


def from_command(args: "dict[str, object]") -> "list[int]":
    """What `Plan` takes, from the checked arguments of plan.set; no hours when there is no list."""
    reserve: "list[int]" = args.get("reserve", [])  # type: ignore[assignment]
    charge: "list[int]" = args.get("charge", [])  # type: ignore[assignment]
    genset: "list[int]" = args.get("genset", [])  # type: ignore[assignment]
    kept: "list[int]" = [0, args.get("start_in_s", 0), args["expires_s"]]  # type: ignore[list-item]
    for i in range(max(len(reserve), len(charge), len(genset))):
        hour = (reserve[i] if i < len(reserve) else _NO_RESERVE) << 4
        hour |= (charge[i] if i < len(charge) else _NOTHING) << 2
        kept.append(hour | (genset[i] if i < len(genset) else _NOTHING))
    return kept


class Plan:
    """`reserve` (permille), `charge`, `genset`: what the present hour says; None: nothing.

    `kept`: as `from_command` and `memory` give it. `early_ms`: how much of the first step lies before it.
    """

    def __init__(self, kept: "list[int]", early_ms: int) -> None:
        self._age_s, self._start_s, self._expires_s = kept[:3]
        self._hours = kept[3:]
        self._ms = -early_ms  # less than a second, not yet in the age
        self._hour = -1
        self._read()

    def step(self, dt_ms: int) -> bool:
        """Returns whether the plan has expired."""
        self._ms += dt_ms
        self._age_s += self._ms // 1000
        self._ms %= 1000
        if self._age_s >= self._expires_s:
            return True
        hour = (self._age_s - self._start_s) // _HOUR_S
        if hour != self._hour:
            self._hour = hour
            self._read()
        return False

    def _read(self) -> None:
        hour = self._hours[self._hour] if 0 <= self._hour < len(self._hours) else 0x3FFF
        reserve = hour >> 4
        charge = hour >> 2 & 3
        genset = hour & 3
        self.reserve = None if reserve == _NO_RESERVE else min(reserve, 1_000)
        self.charge = None if charge == _NOTHING else charge
        self.genset = None if genset == _NOTHING else genset

    def left_s(self) -> int:
        """Until what the plan says may change: its start, its next hour, its expiry."""
        age = self._age_s
        if age < self._start_s:
            return self._start_s - age
        return min(_HOUR_S - (age - self._start_s) % _HOUR_S, self._expires_s - age)

    def memory(self) -> "list[int]":
        """What must survive a reset; at most 171 integers."""
        return [self._age_s, self._start_s, self._expires_s] + self._hours
