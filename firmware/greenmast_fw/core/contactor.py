"""The bank of contactors: what was commanded, what is proven, and where the two disagree.

Rules
- A position is *proven* by feedback. An output without feedback counts as having followed its command after
  the feedback limit. While nobody can tell, `closed` is None, and None never counts as open.
- `open_ms` counts from the first scan that proves the contacts open, never from the command: dead time hangs
  on it.
- A feedback that contradicts the command on two scans and for longer than the limit is a fault: commanded
  open and closed is WELDED (until proven open), commanded closed and open is FAIL_TO_CLOSE (until it agrees).
- Feedback that keeps changing unasked is CHATTER, and proves nothing until it has been calm.
- Until its feedback has been read for the first time a contactor stays as the hardware left it.

Decides nothing: who opens what, and when, is the business of `source`, `loads` and `protection`.
"""

from greenmast_fw.core import site as outputs
from greenmast_protocol import points

OK = 0
WELDED = 1
FAIL_TO_CLOSE = 2
CHATTER = 3

COUNT = len(points.FEEDBACKS)
_FIRST = points.index("feedback." + points.FEEDBACKS[0])
_END = _FIRST + COUNT

_CHANGE_MS = 10_000  # calm that makes up for one unasked change
_CHATTER_MS = 45_000  # five changes in quick succession
_CHATTER_MAX_MS = 60_000
_SATURATED_MS = 3_600_000  # longer than any limit that is compared with these timers


class Contactors:
    """Lists by output number, as long as `points.FEEDBACKS`.

    `command`: what went out. `closed`: the proven position, None when unknown. `fault`: see above.
    `since_ms`: since the command changed. `open_ms`: proven open.
    """

    def __init__(self, params: "dict[str, int]", site: "outputs.Site") -> None:
        self._site = site
        self.command = bytearray(site.idle[:COUNT])
        self.closed: "list[int | None]" = [None] * COUNT
        self.fault = bytearray(COUNT)
        self.since_ms = [_SATURATED_MS] * COUNT  # since the command changed
        self.open_ms = [0] * COUNT  # proven open
        self.proven = bytearray(COUNT)  # position known at least once since the reset
        self.known = False  # so for all of them
        self.changed: "tuple[int, ...]" = ()  # whose fault came or went in this scan
        self.faulty = False  # any fault at all
        self._mismatch_ms = [-1] * COUNT  # -1: no contradiction
        self._chatter_ms = [0] * COUNT
        self._quiet = False
        self._seen: "tuple[int | None, ...]" = (None,) * COUNT
        for i in range(COUNT):
            if not site.exists[i]:
                self.closed[i] = 0
                self.open_ms[i] = _SATURATED_MS
        self.configure(params)

    def configure(self, params: "dict[str, int]") -> None:
        """Take over new parameters; positions and timers stay."""
        self._feedback_ms = params["source.feedback_ms"]

    def read(self, v: "tuple[int | None, ...]", dt_ms: int) -> None:
        """Take in the feedback of this scan."""
        seen = v[_FIRST:_END]
        if self.changed:
            self.changed = ()
        if self._quiet and seen == self._seen:
            self._pass(dt_ms)
            return
        quiet = True
        site = self._site
        for i in range(COUNT):
            if site.exists[i] and not self._read_one(i, seen[i], dt_ms):
                quiet = False
        self._quiet = quiet
        self._seen = seen
        if not self.known:
            for i in range(COUNT):
                if self.closed[i] is not None:
                    self.proven[i] = 1
            self.known = all(self.proven)

    def _pass(self, dt_ms: int) -> None:
        """Nothing but time passes, for those of whom it is asked: the AC contactors."""
        since_ms = self.since_ms
        open_ms = self.open_ms
        closed = self.closed
        for i in range(2):
            if since_ms[i] < _SATURATED_MS:
                since_ms[i] += dt_ms
            if closed[i] == 0 and open_ms[i] < _SATURATED_MS:
                open_ms[i] += dt_ms

    def _read_one(self, i: int, seen: "int | None", dt_ms: int) -> bool:
        """Returns whether only time can pass for `i` until its feedback or its command changes."""
        since = self.since_ms[i]
        if since < _SATURATED_MS:
            since += dt_ms
            self.since_ms[i] = since
        command = self.command[i]
        chatter = self._chatter_ms[i]
        if self._site.has_feedback[i]:
            if chatter:
                chatter = chatter - dt_ms if chatter > dt_ms else 0
            last = self._seen[i]
            if seen != last and seen is not None and last is not None and since > self._feedback_ms + dt_ms:
                chatter += _CHANGE_MS
                if chatter > _CHATTER_MAX_MS:
                    chatter = _CHATTER_MAX_MS
            self._chatter_ms[i] = chatter
            self._judge(i, command, seen, chatter, dt_ms)
        else:
            seen = command if since >= self._feedback_ms else None
        if self.fault[i] == CHATTER:
            seen = None
        if seen != 0:
            self.open_ms[i] = 0
        elif self.closed[i] == 0 and self.open_ms[i] < _SATURATED_MS:
            self.open_ms[i] += dt_ms
        self.closed[i] = seen
        return (
            since > self._feedback_ms
            and seen is not None
            and chatter == 0
            and self._mismatch_ms[i] < 0
            and self.fault[i] == OK
        )

    def _judge(self, i: int, command: int, seen: "int | None", chatter: int, dt_ms: int) -> None:
        """Compare feedback with command."""
        fault = self.fault[i]
        mismatch = self._mismatch_ms[i]
        if seen is None:
            pass  # an unread input contradicts nothing and proves nothing
        elif seen == command:
            mismatch = -1
            if fault == FAIL_TO_CLOSE or (fault == WELDED and seen == 0):
                fault = OK
        elif mismatch < 0:
            mismatch = 0
        else:
            mismatch = mismatch + dt_ms if mismatch < _SATURATED_MS else mismatch
            if mismatch >= self._feedback_ms:
                fault = FAIL_TO_CLOSE if command else WELDED
        self._mismatch_ms[i] = mismatch
        if fault == OK and chatter >= _CHATTER_MS:
            fault = CHATTER
        elif fault == CHATTER and chatter == 0:
            fault = OK
        if fault != self.fault[i]:
            self.fault[i] = fault
            self.changed += (i,)
            self.faulty = any(self.fault)

    def write(self, out: bytearray) -> None:
        """Note the commands that go out after this step."""
        command = self.command
        for i in range(COUNT):
            if out[i] != command[i]:
                command[i] = out[i]
                self.since_ms[i] = 0
                self._mismatch_ms[i] = -1
                self._quiet = False
                if not self._site.has_feedback[i]:
                    self.closed[i] = None
                    self.open_ms[i] = 0
