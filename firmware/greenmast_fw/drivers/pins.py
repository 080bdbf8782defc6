"""Relays and auxiliary contacts, on GPIO or behind an expander.

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

    class Chip(Protocol):
        """See `expander.Chip`."""

        def write(self) -> bool: ...
        def read(self) -> bool: ...


class Outputs:
    """`rows`: (number in `points.OUTPUTS`, output pin at its inactive level, its level for open contacts).

    `chips`: those that some of the pins belong to. `errors`: how often one did not confirm its outputs.
    """

    def __init__(self, rows: "Sequence[tuple[int, Pin, int]]", chips: "Sequence[Chip]" = ()) -> None:
        self._rows = rows
        self._chips = chips
        self.errors = 0
        self.failed = False

    def apply(self, closed: "bytes | bytearray") -> None:
        """Drive every coil so that contacts `i` become `closed[i]`."""
        for number, pin, open_level in self._rows:
            pin.value(closed[number] ^ open_level)
        self.failed = False
        for chip in self._chips:
            if not chip.write():
                self.failed = True
                self.errors += 1


class Inputs:
    """`rows`: (point number, input pin, its level where the point is 0). All are one source of the image.

    They are fresh after every `read_into`; those of a `chip` when it has answered, and stale `limit_ms` after
    that.
    """

    def __init__(
        self,
        rows: "Sequence[tuple[int, Pin, int]]",
        image: "Image",
        chip: "Chip | None" = None,
        limit_ms: int = 0,
    ) -> None:
        self._rows = rows
        self._image = image
        self._chip = chip
        self._source = image.add_source(limit_ms, [row[0] for row in rows])
        self.failed = False

    def read_into(self) -> None:
        """Read every input into the image."""
        if self._chip is not None:
            self.failed = not self._chip.read()
            if self.failed:
                return
        image = self._image
        for number, pin, zero_level in self._rows:
            image.put(number, (pin.value() or 0) ^ zero_level)
        image.refresh(self._source)
