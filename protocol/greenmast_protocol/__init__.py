"""What board and host share, once."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TypeVar

    T = TypeVar("T")


def const(value: "T") -> "T":
    """`_NAME = const(5)`: mpy-cross folds such names away; for CPython it is the value itself."""
    return value
