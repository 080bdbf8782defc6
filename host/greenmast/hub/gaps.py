"""Gaps: records that a board has made and the store does not have. Reads only.

Found in the numbers themselves, so that it does not matter who gave them up, when, or which hub was running.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Engine, and_, func, select

from greenmast.hub.store import messages, sequences, sites

MAX_GAPS = 1_000


@dataclass(frozen=True, slots=True)
class Gap:
    """Numbers `first` .. `last` of a boot. `after_s`, `before_s`: Unix s of the records on both sides.

    `awaited`: the board may still have them. `after_s` is None where nothing earlier of that boot is stored.
    """

    boot: int
    first: int
    last: int
    after_s: int | None
    before_s: int
    awaited: bool

    @property
    def count(self) -> int:
        """How many records are missing."""
        return self.last - self.first + 1


def of_site(engine: Engine, site: str) -> list[Gap] | None:
    """The newest MAX_GAPS gaps of a site, oldest first; None for an unknown site."""
    with engine.connect() as connection:
        site_id = connection.execute(select(sites.c.id).where(sites.c.name == site)).scalar()
        if site_id is None:
            return None
        pairs = (
            select(
                messages.c.boot,
                messages.c.seq,
                messages.c.at,
                func.lag(messages.c.seq, 1, 0)
                .over(partition_by=messages.c.boot, order_by=messages.c.seq)
                .label("before"),
                func.lag(messages.c.at)
                .over(partition_by=messages.c.boot, order_by=messages.c.seq)
                .label("before_at"),
            )
            .where(messages.c.site == site_id)
            .subquery()
        )
        rows = connection.execute(
            select(pairs, sequences.c.ack)
            .join_from(
                pairs,
                sequences,
                and_(sequences.c.site == site_id, sequences.c.boot == pairs.c.boot),
                isouter=True,
            )
            .where(pairs.c.seq - pairs.c.before > 1)
            .order_by(pairs.c.at.desc(), pairs.c.boot.desc(), pairs.c.seq.desc())
            .limit(MAX_GAPS)
        ).all()
    return [
        Gap(row.boot, row.before + 1, row.seq - 1, row.before_at, row.at, row.seq - 1 > (row.ack or 0))
        for row in reversed(rows)
    ]
