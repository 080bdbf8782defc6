"""The reserve: the state of charge below which energy is kept for outages.

Rules
- Who says it, highest first: command (expires), disaster mode, plan, the parameters.
- A command and disaster mode act at once. What plan or parameters say is approached by 20 permille a minute,
  so that neither the beginning nor the end of a plan switches anything by itself.

Knows nothing of what the reserve is good for.
"""

from greenmast_protocol import reasons

PRESET = reasons.code("preset")
DISASTER = reasons.code("disaster")
PLAN = reasons.code("plan")
MANUAL = reasons.code("manual")

_MS_PER_PERMILLE = 3_000


class Reserve:
    """`permille`: in force. `target`: where it goes. `code`: who says so. `command_ms`: left of a command."""

    def __init__(self, preset: int) -> None:
        self.permille = preset
        self.target = preset
        self.code = PRESET
        self.command_ms = 0
        self._command = 0
        self._ms = 0  # not yet in a movement

    def command(self, permille: int, for_ms: int) -> None:
        """Set it by command, for a time."""
        self._command = permille
        self.command_ms = for_ms

    def step(self, dt_ms: int, preset: int, plan: "int | None", disaster: "int | None") -> None:
        """What the parameters, the plan and disaster mode say; None: nothing."""
        if self.command_ms:
            self.command_ms = self.command_ms - dt_ms if self.command_ms > dt_ms else 0
        target = preset
        code = PRESET
        if self.command_ms:
            target = self._command
            code = MANUAL
        elif disaster is not None:
            target = max(preset, disaster)
            code = DISASTER
        elif plan is not None:
            target = plan
            code = PLAN
        self.target = target
        self.code = code
        now = self.permille
        if code == MANUAL or code == DISASTER or now == target:
            self.permille = target
            self._ms = 0
            return
        self._ms += dt_ms
        way = self._ms // _MS_PER_PERMILLE
        self._ms %= _MS_PER_PERMILLE
        self.permille = min(now + way, target) if now < target else max(now - way, target)

    def left_s(self) -> int:
        """Until it has reached its target."""
        return abs(self.target - self.permille) * _MS_PER_PERMILLE // 1000

    def memory(self) -> "list[int]":
        """What must survive a reset."""
        return [self.permille, self._command, self.command_ms]

    def restore(self, kept: "list[int]") -> None:
        """Resume from `memory`."""
        self.permille, self._command, self.command_ms = kept[:3]
