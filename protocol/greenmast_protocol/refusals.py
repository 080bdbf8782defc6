"""Why a command is refused: the first rows of the reason table, apart because the board needs their words.

A code is the place in `reasons.NAMES`, where "ok" comes before them. New ones would shift the others,
so there are none: later refusals are reasons, too.
"""

_WORDS = (
    "unknown invalid_value not_authorised expired replayed retained rate_limited mode interlock "
    "not_qualified fuel_low locked_out inhibited min_off min_run starts_per_hour engine_fault "
    "feedback_fault battery_protect no_device busy revision_conflict"
)
NAMES = tuple(_WORDS.split())


def name(code: int) -> str:
    """The word for refusal `code`."""
    return _WORDS.split()[code - 1]
