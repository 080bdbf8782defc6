"""The board's two rings, and what says how the reports in them are to be read. Loaded to mount them."""

import binascii

from greenmast_fw.drivers import partition
from greenmast_fw.services import compact
from greenmast_fw.storage import sectors

TYPE_CHECKING = False
if TYPE_CHECKING:
    from greenmast_fw.core.snapshot import Image
    from greenmast_fw.storage.ring import Ring

# A point of any site takes seven bytes at most, an event's six numbers seven each.
_POINT_MAX = _NUMBER_MAX = 7


def reports(count: int) -> "Ring":
    """The ring of reports of a site with `count` points."""
    return sectors.mount(partition.find(partition.OUTBOX), compact.REPORT_HEAD + 2 + _POINT_MAX * count)


def events() -> "Ring":
    """The ring of events."""
    return sectors.mount(partition.find(partition.EVENTS), compact.EVENT_HEAD + 7 * _NUMBER_MAX)


def layout(image: "Image") -> int:
    """Says which devices the points beyond the table belong to."""
    return binascii.crc32(repr(image.blocks()).encode()) & 0xFFFF


def all_of(image: "Image") -> "tuple[Ring, Ring, int]":
    """Reports, events and layout of a site."""
    return reports(image.count), events(), layout(image)
