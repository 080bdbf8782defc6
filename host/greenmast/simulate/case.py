"""What is to be simulated: a site, changes to it, a controller, weather, days and a seed.

Owns the meaning of keys that a person may change, and makes the site of a case. Picklable, so that it can go
to other processes and machines; must not import the controller.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import date, datetime, timedelta, timezone
from random import Random
from typing import Any

from greenmast import site as sites
from greenmast.errors import USAGE, UserError
from greenmast.site import Site
from greenmast_protocol import params

GREENMAST = "greenmast"
FORECASTS = ("persistence", "climatology", "perfect")
Value = str | int | float
_YEAR_H = 8_760


@dataclass(frozen=True)
class Case:
    """`controller`: "greenmast" or a baseline. `overrides`: keys of a site file's sections ("solar.kwp") or
    parameters of the controller, by name. `weather`, `load`: paths of files. `plan`: one of FORECASTS, or
    None. `outage_h`: the grid fails for so long from hour `outage_at_h` of the run on.
    """

    site: str
    days: int = 365
    seed: int = 1
    start: date = date(2025, 1, 1)
    controller: str = GREENMAST
    policy: str | None = None
    overrides: tuple[tuple[str, Value], ...] = ()
    weather: str | None = None
    load: str | None = None
    plan: str | None = None
    outage_h: int = 0
    outage_at_h: int = 0

    def with_outage(self, hours: int) -> Case:
        """One that begins at an hour drawn from the seed, after a day with grid and before some."""
        hour = Random(f"{self.seed}:outage").randrange(_YEAR_H)
        return replace(
            self,
            start=date(self.start.year, 1, 1) + timedelta(days=hour // 24),
            days=2 + -(-(hour % 24 + hours) // 24),
            outage_h=hours,
            outage_at_h=24 + hour % 24,
        )

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        found = asdict(self)
        found["start"] = self.start.isoformat()
        found["overrides"] = [list(pair) for pair in self.overrides]
        return found

    def load_site(self, before: tuple[tuple[str, Value], ...] = ()) -> Site:
        """The site with the case's changes over those of `before`. Raises UserError."""
        equipment, settings = split((*before, *self.overrides))
        if self.policy is not None:
            settings["policy.name"] = self.policy
        return sites.load(self.site, settings, equipment)

    def begin(self, site: Site) -> datetime:
        """Local midnight of the first day, in the offset from UTC that holds then: the run keeps it."""
        moment = datetime(self.start.year, self.start.month, self.start.day, tzinfo=site.timezone)
        offset = moment.utcoffset()
        assert offset is not None
        return moment.replace(tzinfo=timezone(offset))


def from_document(document: Mapping[str, Any]) -> Case:
    """The case that `document` is of."""
    fields = dict(document)
    fields["start"] = date.fromisoformat(fields["start"])
    fields["overrides"] = tuple((key, value) for key, value in fields["overrides"])
    return Case(**fields)


def split(overrides: tuple[tuple[str, Value], ...]) -> tuple[dict[str, Value], dict[str, Any]]:
    """(keys of the site's sections, parameters). Raises UserError for a key that is neither."""
    sections: Mapping[str, tuple[str, ...]] = sites.sections()
    equipment: dict[str, Value] = {}
    settings: dict[str, Any] = {}
    for key, value in overrides:
        section, _, name = key.partition(".")
        if name in sections.get(section, ()):
            equipment[key] = value
        elif params.row(key) is not None:
            settings[key] = value
        else:
            known = [*params.NAMES, *(f"{s}.{n}" for s, names in sections.items() for n in names)]
            raise UserError(
                f"{key}: neither a key of the site file nor a parameter{sites.near(key, known)}", USAGE
            )
    return equipment, settings


def value(text: str) -> Value:
    """A word of the command line as a number where it is one."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return text
