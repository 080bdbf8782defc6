"""From conditions to alarms: on- and off-delays, and silence about consequences.

Rules
- An alarm is raised when its condition has held for its on-delay, cleared when it has been absent for its
  off-delay.
- It is not raised while the alarm named as its cause is active; one that is already active then stays.
- Conditions that the core cannot see (a silent device, a watchdog reset) are reported by those who can.

Owns no condition; the table is in `greenmast_protocol.alarms`.
"""

from greenmast_protocol import alarms as table

COUNT = len(table.ALARMS)
_DELAY_MS = tuple(
    [(row[3] * 1000, row[2] * 1000) for row in table.ALARMS]
)  # (off, on): indexed by the condition
_CAUSE = tuple([table.index(row[4]) if row[4] else -1 for row in table.ALARMS])
_MAJOR = bytes([1 if row[1] in (table.CRITICAL, table.MAJOR) else 0 for row in table.ALARMS])


class Alarms:
    """`condition[i]`: what is so now, written by others. `state[i]`: whether alarm `i` is active.

    `active`: numbers of the active ones, ascending. `major`, `minor`: whether any of these weights is active.
    """

    def __init__(self) -> None:
        self.condition = bytearray(COUNT)
        self.state = bytearray(COUNT)
        self.active: "tuple[int, ...]" = ()
        self.major = 0
        self.minor = 0
        self._pending = False
        self._ms = [-1] * COUNT  # condition differs from state for so long; -1: it does not

    def step(self, dt_ms: int) -> "tuple[int, ...]":
        """Let time pass. Returns the numbers of the alarms that have changed."""
        if self.condition == self.state:
            if self._pending:
                self._pending = False
                for i in range(COUNT):
                    self._ms[i] = -1
            return ()
        self._pending = True
        changed = []
        for i in range(COUNT):
            wanted = self.condition[i]
            if wanted == self.state[i]:
                self._ms[i] = -1
                continue
            if wanted and _CAUSE[i] >= 0 and self.state[_CAUSE[i]]:
                self._ms[i] = -1
                continue
            self._ms[i] = 0 if self._ms[i] < 0 else self._ms[i] + dt_ms
            if self._ms[i] >= _DELAY_MS[i][wanted]:
                self.state[i] = wanted
                self._ms[i] = -1
                changed.append(i)
        if changed:
            self._collect()
        return tuple(changed)

    def _collect(self) -> None:
        self.active = tuple([i for i in range(COUNT) if self.state[i]])
        self.major = 1 if any([_MAJOR[i] for i in self.active]) else 0
        self.minor = 1 if any([not _MAJOR[i] for i in self.active]) else 0

    def memory(self) -> "list[int]":
        """What must survive a reset, so that nothing is raised twice: the numbers of the active alarms."""
        return list(self.active)

    def restore(self, kept: "list[int]") -> None:
        """Resume from `memory`."""
        for i in kept:
            if 0 <= i < COUNT:
                self.state[i] = 1
        self._collect()
