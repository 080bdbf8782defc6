"""The process image: what the controller knows, once per scan, as one picture.

Drivers write into an `Image` as replies come in; the scan takes a `Snapshot` of it, which stays as it is
until the next one: a new one for each scan would want a kilobyte in one piece from a heap that has few.
Freshness belongs to a *source* (one Modbus read, the input pins): a source that has not been refreshed within
its limit makes all of its points STALE. Ages are added up from `dt_ms` and saturate, so neither wrapping
ticks nor wall clocks can make an old value young.
"""

from greenmast_protocol import points, quality

TYPE_CHECKING = False
if TYPE_CHECKING:
    from greenmast_protocol.instances import Instances

_AGE_MAX_MS = 0x3FFFFFFF


class Snapshot:
    """One scan's process image.

    `v[i]` is the value of point `i` or None unless GOOD; `q[i]` is its quality code. `minute`: local time in
    minutes since 2000-01-01 00:00 (a Saturday), None unless the clock is trusted; only schedules use it.
    """

    __slots__ = ("minute", "q", "v")

    def __init__(self, v: "tuple[int | None, ...]", q: bytes, minute: "int | None" = None) -> None:
        self.v = v
        self.q = q
        self.minute = minute


class Image:
    """Latest values by point number, written by drivers, read by `snapshot`.

    `instances`: the points beyond the table. `count`: of all points.
    """

    def __init__(self, instances: "Instances | None" = None) -> None:
        self._instances = instances
        self.count = count = points.COUNT + (instances.count if instances else 0)
        self._value: "list[int | None]" = [None] * count
        self._quality = bytearray([quality.STALE] * count)
        self._values: "list[int | None]" = [None] * count  # of the snapshot
        self._codes = bytearray(count)
        self._source = bytearray(count)  # source number of each point; 0: nobody supplies it
        self._limit_ms = [0]
        self._age_ms = [_AGE_MAX_MS]

    def add_source(self, limit_ms: int, indices: "list[int]") -> int:
        """Register a supplier of the points `indices`, stale after `limit_ms`. Returns its number."""
        self._limit_ms.append(limit_ms)
        self._age_ms.append(_AGE_MAX_MS)
        source = len(self._limit_ms) - 1
        for i in indices:
            self._source[i] = source
        return source

    def refresh(self, source: int) -> None:
        """The source has answered: its values count as fresh from now."""
        self._age_ms[source] = 0

    def put(self, i: int, value: int) -> None:
        """Store a value; one outside the point's range becomes INVALID instead."""
        if points.in_range(self.kind(i), value):
            self._value[i] = value
            self._quality[i] = quality.GOOD
        else:
            self.invalid(i, quality.OUT_OF_RANGE)

    def kind(self, i: int) -> int:
        """The point of the table whose range and dead band point `i` has."""
        return self._instances.kind(i) if self._instances and i >= points.COUNT else i

    def blocks(self) -> "list[tuple[str, int, int, int, int]]":
        """What the points beyond the table are, see `Instances`."""
        return self._instances.blocks if self._instances else []

    def name(self, i: int) -> str:
        """Name of point `i`."""
        return self._instances.name(i) if self._instances and i >= points.COUNT else points.name(i)

    def invalid(self, i: int, why: int) -> None:
        """The source answered, but this point has no usable value."""
        self._value[i] = None
        self._quality[i] = why

    def advance(self, dt_ms: int) -> None:
        """Let all sources age."""
        ages = self._age_ms
        for source in range(1, len(ages)):
            age = ages[source] + dt_ms
            ages[source] = age if age < _AGE_MAX_MS else _AGE_MAX_MS

    def age_ms(self, i: int) -> int:
        """Age of point `i`; a point that nobody has ever supplied is as old as can be."""
        return self._age_ms[self._source[i]]

    def has_source(self, i: int) -> bool:
        """Whether anybody supplies point `i`."""
        return self._source[i] > 0

    def snapshot(self, minute: "int | None" = None) -> Snapshot:
        """The picture of this instant, good until the next call; `minute` as for `Snapshot`."""
        values, codes = self._values, self._codes
        for i in range(self.count):
            source = self._source[i]
            if self._age_ms[source] > self._limit_ms[source]:
                values[i] = None
                codes[i] = quality.STALE
            else:
                values[i] = self._value[i]
                codes[i] = self._quality[i]
        return Snapshot(values, codes, minute)  # type: ignore[arg-type]  # nobody writes into them
