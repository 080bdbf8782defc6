"""How the site's Modbus devices answer, as points: `device.N.*` of each, `device.*` of all.

Owns the sums. The counters are the masters' (see `modbus_master`), in the order of the site's devices. One
device a scan, so that no scan takes noticeably longer; one that has not been asked yet has no values.
"""

from array import array

from greenmast_fw.drivers import modbus_master
from greenmast_fw.services import poll
from greenmast_protocol import points

TYPE_CHECKING = False
if TYPE_CHECKING:
    from greenmast_fw.core.snapshot import Image
    from greenmast_protocol.instances import Instances

# The points of a device, in the table's order: its counters' places, then whether it answers.
_REQUESTS = points.index("device.requests")
_REPLY = modbus_master.REPLY_MS
_ONLINE = _REPLY + 1
_SIZE = _ONLINE + 1
_COUNT_MAX = 0x3FFFFFFF
_STALE_MS = 3_600_000  # never: they are refreshed by the scan itself


class Health:
    """`units`: the counters of each device (`Master.unit`). `several`: has the points of as many devices."""

    def __init__(self, image: "Image", several: "Instances", units: "list[array[int]]") -> None:
        self._image = image
        self._units = units
        self._first = several.of_device(_REQUESTS, "device", 0)
        own = list(range(self._first, self._first + _SIZE * len(units)))
        self._source = image.add_source(_STALE_MS, own + list(range(_REQUESTS, _REQUESTS + _SIZE)))
        self._next = 0  # the device to look at
        self._sums = array("i", (0, 0, 0, 0, 1))

    def step(self) -> None:
        """Look at one device; after the last, at the sums."""
        if not self._units:
            return
        image, sums = self._image, self._sums
        unit = self._units[self._next]
        if unit[modbus_master.REQUESTS]:
            i = self._first + _SIZE * self._next
            online = 1 if unit[modbus_master.UNANSWERED] < poll.SILENT_SCANS else 0
            for place in range(_ONLINE):
                image.put(i + place, unit[place])
                if place < _REPLY:
                    sums[place] = min(sums[place] + unit[place], _COUNT_MAX)
            image.put(i + _ONLINE, online)
            sums[_REPLY] = max(sums[_REPLY], unit[_REPLY])
            sums[_ONLINE] &= online
            image.refresh(self._source)
        self._next += 1
        if self._next < len(self._units):
            return
        self._next = 0
        if sums[modbus_master.REQUESTS]:
            for place in range(_SIZE):
                image.put(_REQUESTS + place, sums[place])
        for place in range(_ONLINE):
            sums[place] = 0
        sums[_ONLINE] = 1
