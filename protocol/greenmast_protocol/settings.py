"""All parameters of a site on the board: numbers in the order of the table instead of a dict of names.

`settings["grid.return_delay_s"]` works as with a dict; where the name is known when the board's firmware is
linked, its place takes the name's place and the name costs no heap.
"""

from array import array

from greenmast_protocol import params

_TEXT = ("\n" + "\n".join(params.NAMES) + "\n").encode()
_DEFAULTS = b"".join([(row[1] & 0xFFFFFFFF).to_bytes(4, "little") for row in params.PARAMS])


class Settings:
    """The parameters `given` by name over the defaults."""

    def __init__(self, given: "dict[str, int]") -> None:
        self._numbers = array("i", _DEFAULTS)
        for name in given:
            self._numbers[_place(name)] = given[name]

    def __getitem__(self, key: "str | int") -> int:
        """A value by name, or by its place in the table. Raises KeyError for a name that is none."""
        return self._numbers[key if isinstance(key, int) else _place(key)]

    def get(self, name: str, default: int) -> int:
        """The value of `name`, or `default` where there is no such parameter."""
        return self[name] if _find(name) >= 0 else default


def _place(name: str) -> int:
    at = _find(name)
    if at < 0:
        raise KeyError(name)
    return _TEXT.count(b"\n", 0, at)


def _find(name: str) -> int:
    return _TEXT.find(("\n" + name + "\n").encode())
