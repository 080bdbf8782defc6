"""Code that is needed now and then is loaded for one call and dropped again: heap is scarce on the board."""

import gc
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    T = TypeVar("T")


def run(function: "Callable[..., T]", *args: object) -> "T":
    """The result of `function(*args)`. Modules that it has imported and nobody else had are forgotten."""
    before = set(sys.modules)
    try:
        return function(*args)
    finally:
        gc.collect()
        while _forget_one(before):
            pass
        gc.collect()


def _forget_one(before: "set[str]") -> bool:
    """Forget a module that is not among these, if there is one. Needs no memory: there may be none left."""
    for name in sys.modules:
        if name not in before and name.startswith("greenmast_"):
            forget(name)
            return True
    return False


def forget(name: str) -> None:
    """Drop the module `name`, which nobody will need again."""
    del sys.modules[name]
    parent, _, leaf = name.rpartition(".")
    if parent in sys.modules and hasattr(sys.modules[parent], leaf):
        delattr(sys.modules[parent], leaf)
