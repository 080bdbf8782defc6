"""How a reading is distrusted: one quality code per point, and the first one stays."""


def distrust(codes: bytearray, points: "tuple[int, ...]", code: int) -> None:
    """Distrust `points` for `code`, as far as they are not distrusted already."""
    for i in points:
        if not codes[i]:
            codes[i] = code


def trust(codes: bytearray, points: "tuple[int, ...]", code: int) -> None:
    """Distrust `points` no longer for `code`; another reason stays."""
    for i in points:
        if codes[i] == code:
            codes[i] = 0
