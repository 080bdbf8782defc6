"""Boards by name: each module is the pin map and wiring of one product."""

NAMES = ("virtual",)


def load(name: str) -> object:
    """The module of the board `name`. Raises KeyError for an unknown one."""
    if name not in NAMES:
        raise KeyError(name)
    return getattr(__import__("greenmast_fw.boards." + name).boards, name)
