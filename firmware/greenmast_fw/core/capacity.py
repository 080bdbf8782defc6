"""How much the battery still holds, learned from what it has given.

Rules
- A discharge that began full is evidence when it reaches the low-voltage knee, or when by the BMS's own word
  more than 60 % has been taken before it is full again: charge counted, over the share of the whole that it
  was. A battery test is a discharge like any other.
- Only measured current counts; a discharge during which the current had to be inferred teaches nothing.
- What is learned moves the capacity half of the way after a knee, a quarter after a swing: one odd discharge
  does not make a battery old. A sample that no battery could give is dropped.
- Capacity in use is the learned one, else the BMS's state of health of the rated one, else the rated one.

Owns no current and no state of charge: `soc` tells it both.
"""

_SWING_MIN = 600
_FULL = 1000
_LEAST, _MOST = 300, 1_200  # permille of the rated capacity that a sample may say
_AGED, _AGED_NO_MORE = 800, 820


class Capacity:
    """`mah`: capacity in use. `soh`: permille, the BMS's where it gives one, None while nobody knows.

    `aged`: the capacity in use has fallen below 800 permille of the rated one.
    """

    def __init__(self, rated_mah: int) -> None:
        self._rated_mah = rated_mah
        self._learned_mah = 0  # 0: nothing learned yet
        self._open = False  # a discharge that began full is being counted
        self._out_mah = 0
        self._deepest_mah = 0  # taken when the BMS said least
        self._swing = 0  # and by how much that was less than full
        self.mah = rated_mah
        self.soh: "int | None" = None
        self.aged = False

    def declare(self, soh: "int | None") -> None:
        """The BMS's state of health, None when it gives none."""
        if self._learned_mah:
            learned = self._learned_mah * 1000 // self._rated_mah
            self.soh = (learned if learned < 1000 else 1000) if soh is None else soh
        else:
            self.soh = soh
            if soh is not None and soh >= _LEAST:
                self._use(self._rated_mah // 1000 * soh)

    def full(self) -> None:
        """The battery is full: one discharge ends, the next begins."""
        if self._open and self._swing >= _SWING_MIN:
            self._learn(self._deepest_mah * 1000 // self._swing, 4)
        self._open = True
        self._out_mah = self._deepest_mah = self._swing = 0

    def take(self, mah: int, soc: "int | None") -> None:
        """`mah` of measured charge have left the battery (negative: entered). `soc`: the BMS's word."""
        if self._open:
            self._out_mah += mah
            if soc is not None and _FULL - soc > self._swing:
                self._swing = _FULL - soc
                self._deepest_mah = self._out_mah

    def empty(self, soc: int) -> None:
        """The low-voltage knee has been reached, which is at `soc`."""
        if self._open:
            self._learn(self._out_mah * 1000 // (_FULL - soc), 2)
            self._open = False

    def void(self) -> None:
        """Charge has moved that nobody measured: the discharge under way teaches nothing."""
        self._open = False

    def _learn(self, mah: int, part: int) -> None:
        if self._likely(mah):
            self._learned_mah = self.mah + (mah - self.mah) // part
            self._use(self._learned_mah)

    def _likely(self, mah: int) -> bool:
        return _LEAST <= mah * 1000 // self._rated_mah <= _MOST

    def _use(self, mah: int) -> None:
        self.mah = mah
        self.aged = mah * 1000 // self._rated_mah < (_AGED_NO_MORE if self.aged else _AGED)

    def memory(self) -> "list[int]":
        """What must survive a reset: the learned capacity and the discharge under way."""
        out = self._out_mah if self._out_mah > 0 else 0
        deepest = self._deepest_mah if self._deepest_mah > 0 else 0
        return [self._learned_mah, 1 if self._open else 0, out, deepest, self._swing]

    def restore(self, kept: "list[int]") -> None:
        """Resume from `memory`."""
        self._open = bool(kept[1])
        self._out_mah, self._deepest_mah, self._swing = kept[2:5]
        if self._likely(kept[0]):  # nor is it when the site has got another battery meanwhile
            self._learned_mah = kept[0]
            self._use(kept[0])
            self.declare(None)
