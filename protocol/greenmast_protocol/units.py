"""Units of points, by the last part of their names."""

# Unit suffix -> (symbol, divisor to that symbol's unit)
UNITS = {
    "mv": ("V", 1000),
    "ma": ("A", 1000),
    "w": ("W", 1),
    "wh": ("kWh", 1000),
    "chz": ("Hz", 100),
    "permille": ("%", 10),
    "dc": ("°C", 10),
    "kpa": ("kPa", 1),
    "s": ("s", 1),
    "ms": ("ms", 1),
    "b": ("B", 1),
}


def of(name: str) -> str:
    """Unit suffix of a name ("mv", "permille" ...), or "" where the value is a count, a bit or a word."""
    suffix = name.split("_")[-1]
    return suffix if "_" in name and suffix in UNITS else ""
