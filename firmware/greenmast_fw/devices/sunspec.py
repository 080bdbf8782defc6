"""Walking the chain of models of a SunSpec device: says what to read next and is told what came.

The chain begins with "SunS" at one of three addresses; every model begins with its number and length, the
next one follows behind, and number 0xFFFF ends it. Lengths differ between makers and are never assumed. No
bus inside. Source: SunSpec Device Information Model Specification; sunspec/models.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    Data = bytes | bytearray | memoryview

_STEP = 2
COMMON = 1  # the model that says who the device is
END = 0xFFFF
BASES = (40_000, 50_000, 0)
_MARK = 0x5375, 0x6E53  # "SunS"
_MODELS_MAX = 100  # a chain that is longer runs in circles


class Walker:
    """Looks for the first of `models` that has at least `size` registers with its number and length.

    `at`: where to read `step` registers by `function` next, -1 when the walk is over. `start`: where the
    model begins, 0 if it has not been met. `length`: that of the model met last.
    """

    function = 3
    step = _STEP

    def __init__(self, models: "tuple[int, ...]", size: int) -> None:
        self._models = models
        self._size = size
        self.restart()

    def restart(self) -> None:
        """Walk again: the device may have been exchanged or updated."""
        self.start = 0
        self.length = 0
        self._base = 0  # place in BASES
        self._met = -1  # models passed; -1: the mark has not been read
        self.at = BASES[0]

    def took(self, data: "Data") -> None:
        """The data bytes of the registers at `at`."""
        first = data[0] << 8 | data[1]
        second = data[2] << 8 | data[3]
        if self._met < 0:
            if (first, second) != _MARK:
                self.refused()
                return
            second = 0
        elif first == END:
            self.at = -1
            return
        elif first in self._models and second + _STEP >= self._size:
            self.start = self.at
            self.length = second
            self.at = -1
            return
        self.length = second
        self._met += 1
        self.at += _STEP + second
        if self.at > END - _STEP or self._met > _MODELS_MAX:
            self.at = -1

    def refused(self) -> None:
        """There are no registers at `at`: the chain begins elsewhere, or has no end."""
        self._base += 1
        self.at = BASES[self._base] if self._met < 0 and self._base < len(BASES) else -1

    def holds(self, data: "Data") -> bool:
        """Whether what was read from `start` on is still such a model."""
        return (data[0] << 8 | data[1]) in self._models
