"""One round with the time server: ask, judge the answer, set the clock. Loaded for each round.

- What was once known for certain is a floor, kept on flash: no answer below it is believed, ever.
- Expected is what this clock says already, give or take its drift; before it is trusted, a time within a year
  above the floor. Another answer is believed when three rounds in a row agree on it: one that is mad
  for a moment moves nothing.
- The floor follows twice a day, after at least two answers as expected.
"""

import random

from greenmast_fw.drivers import sntp
from greenmast_fw.storage import files

TYPE_CHECKING = False
if TYPE_CHECKING:
    from greenmast_fw.drivers.wall import Wall
    from greenmast_fw.services.journal import Journal

_LIMIT_MS = 3_000
_FIRST_FLOOR_S = 789_004_800  # 2025-01-01
_HOUR_S = 3_600
_YEAR_S = 366 * 86_400
_DRIFT_S = 120
_AGREE_S = 5
_CONFIRM = 3
_STORE_S = 12 * _HOUR_S
_RETRY_S = 15
_DOUBLINGS_MAX = 8
FLOOR = "floor"


async def run(wall: "Wall", server: str, journal: "Journal") -> int:
    """Ask once. Returns how many seconds to wait before the next round."""
    if not wall.floor_s:
        wall.floor_s = _stored_floor()
        if wall.seconds() < wall.floor_s:
            wall.set(wall.floor_s)
    try:
        answer = await sntp.ask(server, _LIMIT_MS)
    except (OSError, ValueError) as error:
        journal.write("time", "%s: %r" % (server, error))
        answer = sntp.NOTHING
    if answer >= 0:
        wall.failures = 0
        return judge(wall, answer, journal)
    wall.failures = min(wall.failures + 1, _DOUBLINGS_MAX)
    if answer == sntp.KISS:
        return _HOUR_S + random.getrandbits(10)
    return (_RETRY_S << wall.failures) // 2 + random.getrandbits(4)


def judge(wall: "Wall", answer: int, journal: "Journal") -> int:
    """Believe an answer or not (see above). Returns as `run` does."""
    if answer < wall.floor_s:
        journal.write("time", "the server is %d s below the floor" % (wall.floor_s - answer))
        wall.strange = 0
        return _HOUR_S
    off_s = answer - wall.seconds()
    if wall.trusted:
        is_expected = -_DRIFT_S <= off_s <= _DRIFT_S
    else:
        is_expected = answer - wall.floor_s <= _YEAR_S
    if not is_expected:
        agrees = wall.strange and -_AGREE_S <= off_s - wall.strange_s <= _AGREE_S
        wall.strange = wall.strange + 1 if agrees else 1
        wall.strange_s = off_s
        wall.agreed = 0
        if wall.strange < _CONFIRM:
            return _RETRY_S
    if not wall.trusted or not is_expected:
        journal.write("time", "set by %d s" % off_s)
    wall.set(answer)
    wall.trusted = True
    wall.strange = 0
    wall.agreed += 1
    if wall.agreed > 1 and answer - wall.floor_s >= _STORE_S:
        wall.floor_s = answer
        _store_floor(answer, journal)
    return _HOUR_S


def _stored_floor() -> int:
    try:
        return max(_FIRST_FLOOR_S, int(files.read(FLOOR) or b"0"))
    except (files.DamagedError, ValueError):
        return _FIRST_FLOOR_S


def _store_floor(floor_s: int, journal: "Journal") -> None:
    try:
        files.store(FLOOR, (b"%d" % floor_s,))
    except OSError as error:
        journal.write("time", "the floor is not stored: %r" % error)
