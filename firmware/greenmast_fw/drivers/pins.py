"""Relays and auxiliary contacts on GPIO.

Owns the translation between main contacts and coils: the core speaks of contacts (1: closed), a coil is
energised only when the contacts must leave their idle state. Every scan writes every output again, so that a
glitch does not last.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Protocol

    from greenmast_fw.core.snapshot import Image

    class Pin(Protocol):
        def value(self, x: int = ...) -> "int | None": ...


class Outputs:
    """`rows`: (number in `points.OUTPUTS`, output pin at its inactive level, 1: the contacts idle closed)."""

    def __init__(self, rows: "Sequence[tuple[int, Pin, int]]") -> None:
        self._rows = rows

    def apply(self, closed: "bytes | bytearray") -> None:
        """Drive every coil so that contacts `i` become `closed[i]`."""
        for number, pin, idle in self._rows:
            pin.value(closed[number] ^ idle)


class Inputs:
    """`rows`: (point number, input pin). All are one source of the image, fresh at every `read_into`."""

    def __init__(self, rows: "Sequence[tuple[int, Pin]]", image: "Image", inverted: bool) -> None:
        self._rows = rows
        self._image = image
        self._inverted = 1 if inverted else 0
        self._source = image.add_source(0, [row[0] for row in rows])

    def read_into(self) -> None:
        """Read every input into the image."""
        image = self._image
        for number, pin in self._rows:
            image.put(number, (pin.value() or 0) ^ self._inverted)
        image.refresh(self._source)
