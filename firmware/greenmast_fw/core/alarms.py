"""From conditions to alarms and their life: raised, acknowledged, cleared, shelved, hidden under their cause.

Rules (ISA-18.2, EEMUA 191)
- An alarm is raised when its condition has held for its on-delay, cleared when it has been absent for its
  off-delay. One that clears before anybody has acknowledged it stays in the list until somebody does; the
  oldest of these make room.
- While the alarm named as its cause is on, an alarm is not raised; one that is already on is hidden and comes
  back as it was if it outlasts its cause. A hidden one that clears needs no acknowledgement.
- Shelving silences an alarm for a time: it is followed, not told of. Still on at the end, it is raised anew.
- So many alarms raised within so long are a flood, which is an alarm itself.
- Two relays: one for critical and major alarms, one for the rest. They follow what is on, acknowledged or
  not, neither shelved nor hidden. A cause weighs as much as what it hides. A site that wants to hear of a
  dead board wires them with `idle` = "closed": without coil current they report.
- What was on before a reset stays on, without being raised again, until the devices have had time to speak.

Conditions that the core cannot see (a silent device, a watchdog reset) are reported by those who can. Owns no
condition; the table is in `greenmast_protocol.alarms`.
"""

from greenmast_protocol import alarms as table

NORMAL = table.STATES.index("normal")
ACTIVE = table.STATES.index("active")
ACKNOWLEDGED = table.STATES.index("acknowledged")
CLEARED = table.STATES.index("cleared")
SHELVED = table.STATES.index("shelved")
SUPPRESSED = table.STATES.index("suppressed")

# (from, event, to): what can happen to one; drawn in the documents, checked by the tests.
TRANSITIONS = (
    (NORMAL, "condition, on-delay over", ACTIVE),
    (NORMAL, "raised with its cause", SUPPRESSED),
    (ACTIVE, "acknowledged", ACKNOWLEDGED),
    (ACTIVE, "off-delay over", CLEARED),
    (ACTIVE, "acknowledged as it ends", NORMAL),
    (ACTIVE, "cause raised", SUPPRESSED),
    (ACKNOWLEDGED, "off-delay over", NORMAL),
    (ACKNOWLEDGED, "cause raised", SUPPRESSED),
    (CLEARED, "acknowledged, or ten newer ones", NORMAL),
    (CLEARED, "condition, on-delay over", ACTIVE),
    (CLEARED, "raised with its cause", SUPPRESSED),
    (SUPPRESSED, "cause over, not acknowledged", ACTIVE),
    (SUPPRESSED, "cause over, acknowledged", ACKNOWLEDGED),
    (SUPPRESSED, "off-delay over", NORMAL),
    (NORMAL, "shelved", SHELVED),
    (ACTIVE, "shelved", SHELVED),
    (ACKNOWLEDGED, "shelved", SHELVED),
    (CLEARED, "shelved", SHELVED),
    (SUPPRESSED, "shelved", SHELVED),
    (SHELVED, "time over, still on", ACTIVE),
    (SHELVED, "time over, under its cause", SUPPRESSED),
    (SHELVED, "time over, not on", NORMAL),
)

COUNT = len(table.ALARMS)
# Packed, as heap is scarce: off- and on-delay in seconds, two bytes each; the cause's number.
_DELAY_S = b"".join([row[3].to_bytes(2, "big") + row[2].to_bytes(2, "big") for row in table.ALARMS])
_NO_CAUSE = 255
_CAUSE = bytes([table.index(row[4]) if row[4] else _NO_CAUSE for row in table.ALARMS])
_MAJOR = bytes([1 if row[1] in (table.CRITICAL, table.MAJOR) else 0 for row in table.ALARMS])
_FLOOD = table.index("alarm_flood")

_CLEARED_MAX = 10
_SETTLE_MS = 30_000


class Alarms:
    """`condition[i]`: what is so now, written by others. `on[i]`: so for its delay. `state[i]`: of its life.

    `active`: numbers of the alarms that are told of and on, ascending. `listed`: (number, state) of all that
    an operator should see. `major`, `minor`: whether any of these weights is active.
    """

    def __init__(self, params: "dict[str, int]") -> None:
        self.condition = bytearray(COUNT)
        self.on = bytearray(COUNT)
        self.state = bytearray(COUNT)
        self.active: "tuple[int, ...]" = ()
        self.listed: "tuple[tuple[int, int], ...]" = ()
        self.major = 0
        self.minor = 0
        self._unseen = bytearray(COUNT)  # raised and not acknowledged
        self._cleared: "list[int]" = []  # those of them that are over, oldest first
        self._shelf: "dict[int, int]" = {}  # number -> ms left
        self._touched = False
        self._ms: "dict[int, int]" = {}  # number -> for so long condition differs from `on`
        self._settle_ms = 0
        self._gaps_ms: "list[int]" = []  # between the last alarms raised, newest first
        self._since_ms = -1  # since the last was raised; -1: long ago
        self.configure(params)

    def configure(self, params: "dict[str, int]") -> None:
        """Take over new parameters."""
        self._flood_gaps = params["alarms.flood_count"] - 1
        self._flood_ms = params["alarms.flood_s"] * 1000

    def step(self, dt_ms: int) -> "tuple[int, ...]":
        """Let time pass. Returns the numbers of the alarms whose state has changed."""
        if self._settle_ms:
            self._settle_ms = self._settle_ms - dt_ms if self._settle_ms > dt_ms else 0
        if self._since_ms >= 0:
            self._watch_flood(dt_ms)
        if self._shelf:
            self._unshelve(dt_ms)
        if self.condition != self.on:
            self._delays(dt_ms)
        elif self._ms:
            self._ms.clear()
        return self._collect() if self._touched else ()

    def _delays(self, dt_ms: int) -> None:
        on = self.on
        ms = self._ms
        for i in range(COUNT):
            wanted = self.condition[i]
            if wanted == on[i] or (self._has_cause_on(i) if wanted else self._settle_ms):
                if i in ms:
                    del ms[i]
                continue
            ms[i] = passed_ms = ms[i] + dt_ms if i in ms else 0
            k = 4 * i + 2 * wanted
            if passed_ms >= (_DELAY_S[k] << 8 | _DELAY_S[k + 1]) * 1000:
                del ms[i]
                self._turn(i, wanted)

    def _has_cause_on(self, i: int) -> int:
        cause = _CAUSE[i]
        return 0 if cause == _NO_CAUSE else self.on[cause]

    def _turn(self, i: int, wanted: int) -> None:
        self.on[i] = wanted
        self._touched = True
        if wanted:
            self._see(i)
            self._unseen[i] = 1
        elif self.state[i] == ACTIVE and self._unseen[i]:
            self._cleared.append(i)
            if len(self._cleared) > _CLEARED_MAX:
                self._see(self._cleared[0])
        else:
            self._unseen[i] = 0

    def _see(self, i: int) -> None:
        """Alarm `i` is known to somebody, or no longer kept for them."""
        self._unseen[i] = 0
        if i in self._cleared:
            self._cleared.remove(i)

    def _unshelve(self, dt_ms: int) -> None:
        """One at a time: a second one that has expired goes with the next step."""
        shelf = self._shelf
        expired = -1
        for i in shelf:
            shelf[i] = shelf[i] - dt_ms if shelf[i] > dt_ms else 0
            if not shelf[i]:
                expired = i
        if expired >= 0:
            del shelf[expired]
            self._unseen[expired] = self.on[expired]
            self._touched = True

    def _watch_flood(self, dt_ms: int) -> None:
        gaps = self._gaps_ms
        self._since_ms += dt_ms
        if self._since_ms > self._flood_ms:
            self._since_ms = -1
            gaps.clear()
        full = len(gaps) >= self._flood_gaps
        self.condition[_FLOOD] = 1 if full and self._since_ms + sum(gaps) <= self._flood_ms else 0

    def _count(self) -> None:
        """One more has been raised."""
        if self._since_ms >= 0:
            self._gaps_ms.insert(0, self._since_ms)
            while len(self._gaps_ms) > self._flood_gaps:
                self._gaps_ms.pop()
        self._since_ms = 0

    def _collect(self) -> "tuple[int, ...]":
        """States from what is on, seen and shelved. Returns the numbers of those that have changed."""
        self._touched = False
        changed = []
        active = []
        listed = []
        self.major = self.minor = 0
        state = self.state
        for i in range(COUNT):
            new = self._state(i)
            if new != state[i]:
                if new == ACTIVE and i != _FLOOD and state[i] in (NORMAL, CLEARED):
                    self._count()
                state[i] = new
                changed.append(i)
            if new == ACTIVE or new == ACKNOWLEDGED:
                active.append(i)
                if _MAJOR[i]:
                    self.major = 1
                else:
                    self.minor = 1
            if new != NORMAL and new != SUPPRESSED:
                listed.append((i, new))
        self.active = tuple(active)
        self.listed = tuple(listed)
        return tuple(changed)

    def _state(self, i: int) -> int:
        if i in self._shelf:
            return SHELVED
        if not self.on[i]:
            return CLEARED if self._unseen[i] else NORMAL
        if self._has_cause_on(i):
            return SUPPRESSED
        return ACTIVE if self._unseen[i] else ACKNOWLEDGED

    # ---- what operators ask ------------------------------------------------------------------------

    def acknowledge(self, i: int) -> bool:
        """Alarm `i` has been seen. Returns False when there is nothing to acknowledge."""
        if self.state[i] not in (ACTIVE, ACKNOWLEDGED, CLEARED):
            return False
        self._see(i)
        self._touched = True
        return True

    def shelve(self, i: int, for_ms: int) -> None:
        """Silence alarm `i` for a time, whether it is on or not."""
        self._see(i)
        self._shelf[i] = for_ms
        self._touched = True

    def of_weight(self, major: int) -> "list[int]":
        """The active ones that drive the major relay, or the minor one."""
        return [i for i in self.active if _MAJOR[i] == major]

    # ---- memory ------------------------------------------------------------------------------------

    def memory(self) -> "list[int]":
        """What must survive a reset, to raise nothing twice: (number, flags, ms on the shelf) each."""
        kept: "list[int]" = []
        for i in range(COUNT):
            if self.on[i] or i in self._shelf:
                kept += (i, self.on[i] + 2 * self._unseen[i], self._shelf.get(i, 0))
        for i in self._cleared:
            if i not in self._shelf:
                kept += (i, 2, 0)
        return kept

    def restore(self, kept: "list[int]") -> None:
        """Resume from `memory`."""
        for k in range(0, len(kept) - 2, 3):
            i, flags, shelf_ms = kept[k : k + 3]
            if i >= COUNT:
                continue
            self.on[i] = flags & 1
            if shelf_ms:
                self._shelf[i] = shelf_ms
            if flags == 2 and not shelf_ms and len(self._cleared) < _CLEARED_MAX:
                self._cleared.append(i)
            self._unseen[i] = 1 if flags == 3 or i in self._cleared else 0
        self._collect()
        self._since_ms = -1
        self._gaps_ms.clear()
        self._settle_ms = _SETTLE_MS
