"""What screens and API read from the store. Reads only; `freshness` decides whether a value is fresh."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine, Row, and_, func, select

from greenmast.hub import gaps
from greenmast.hub.freshness import Report, confirmed_s, shown_quality
from greenmast.hub.gaps import Gap
from greenmast.hub.messages import GOOD, QUALITIES
from greenmast.hub.store import latest, messages, points, samples, sequences, sites
from greenmast_protocol import alarms as alarm_table

MAX_BUCKETS = 2_000
STALE_AFTER_S = 400  # a board reports twice within it (`telemetry.period_s`), if only that nothing changes


@dataclass(frozen=True, slots=True)
class PointView:
    """A value as it may be shown: the last one told, its quality now, the age of its last confirmation."""

    value: int | None
    quality: str
    age_s: int
    ts: int
    trusted: bool
    received_s: int


@dataclass(frozen=True, slots=True)
class SiteView:
    """All that is known of a site now. `seen_s_ago` is None when the board itself has never spoken."""

    name: str
    online: bool | None
    seen_s_ago: int | None
    fresh: bool
    boot: int | None
    state: dict[str, Any]
    info: dict[str, Any]
    alarms: list[dict[str, Any]]
    points: dict[str, PointView] = field(default_factory=dict)

    @property
    def in_force(self) -> list[dict[str, Any]]:
        """The alarms that hold now: neither over nor shelved."""
        return [
            alarm for alarm in self.alarms if alarm.get("state", alarm_table.ACTIVE) in alarm_table.IN_FORCE
        ]

    def good(self, name: str) -> int | None:
        """The value of a point if it may pass for fresh, else None."""
        point = self.points.get(name)
        return point.value if point is not None and point.quality == "good" else None


@dataclass(frozen=True, slots=True)
class Bucket:
    """One step of a history: begin in Unix s, extremes and mean of the good values, or None for none."""

    at: int
    low: int | None
    mean: int | None
    high: int | None


class Queries:
    """Reads one database; safe for several threads."""

    def __init__(self, engine: Engine, *, stale_after_s: int = STALE_AFTER_S) -> None:
        self._engine = engine
        self.stale_after_s = stale_after_s

    def sites(self, now_s: int) -> list[SiteView]:
        """Every site, by name, without its points."""
        with self._engine.connect() as connection:
            rows = connection.execute(select(sites).order_by(sites.c.name)).all()
        return [self._site(row, now_s, {}) for row in rows]

    def site(self, name: str, now_s: int) -> SiteView | None:
        """One site with all its points, or None when there is no such site."""
        with self._engine.connect() as connection:
            row = connection.execute(select(sites).where(sites.c.name == name)).one_or_none()
            if row is None:
                return None
            told = connection.execute(
                select(points.c.name, latest)
                .join_from(latest, points, points.c.id == latest.c.point)
                .where(latest.c.site == row.id)
                .order_by(points.c.id)
            ).all()
            run_first = connection.execute(
                select(sequences.c.run_first).where(
                    and_(sequences.c.site == row.id, sequences.c.boot == row.boot)
                )
            ).scalar()
        last = None
        if row.boot is not None and run_first is not None:
            last = Report(row.boot, row.seq, row.ts, row.trusted, row.received_s)
        offline = row.online is False
        views = {}
        for point in told:
            report = Report(point.boot, point.seq, point.ts, point.trusted, point.received_s)
            age_s = max(0, now_s - confirmed_s(report, last, run_first or 0))
            quality = shown_quality(
                QUALITIES[point.quality], age_s, offline=offline, stale_after_s=self.stale_after_s
            )
            views[point.name] = PointView(
                point.value, quality, age_s, point.ts, point.trusted, point.received_s
            )
        return self._site(row, now_s, views)

    def first_report_s(self, site: str, from_s: int) -> int | None:
        """Unix s of the first report at or after `from_s`, or None."""
        of_site = and_(messages.c.site == sites.c.id, sites.c.name == site, messages.c.at >= from_s)
        with self._engine.connect() as connection:
            return connection.execute(select(func.min(messages.c.at)).where(of_site)).scalar()

    def history(self, site: str, point: str, from_s: int, to_s: int, step_s: int) -> list[Bucket] | None:
        """`point` in steps over [from_s, to_s); None for an unknown site, all empty for an unknown point.

        Boards report by exception, so a step without a sample holds the last good value as long as reports
        came in; where the board was silent for longer than a value may stay fresh, nothing is known.
        Raises ValueError for an empty span or more than MAX_BUCKETS steps.
        """
        if step_s < 1 or to_s <= from_s:
            raise ValueError("from must lie before to, and step must be at least 1 s")
        from_s -= from_s % step_s
        if (to_s - from_s) / step_s > MAX_BUCKETS:
            raise ValueError(f"more than {MAX_BUCKETS} steps: take a longer step or a shorter span")
        with self._engine.connect() as connection:
            site_id = connection.execute(select(sites.c.id).where(sites.c.name == site)).scalar()
            if site_id is None:
                return None
            point_id = connection.execute(select(points.c.id).where(points.c.name == point)).scalar()
            of_point = and_(samples.c.site == site_id, samples.c.point == point_id)
            held = connection.execute(
                select(samples.c.value, samples.c.quality)
                .where(of_point, samples.c.at < from_s)
                .order_by(samples.c.at.desc(), samples.c.message.desc())
                .limit(1)
            ).one_or_none()
            begin = samples.c.at - samples.c.at % step_s
            good = samples.c.quality == GOOD
            groups = connection.execute(
                select(
                    begin.label("begin"),
                    func.min(samples.c.value).filter(good).label("low"),
                    func.max(samples.c.value).filter(good).label("high"),
                    func.sum(samples.c.value).filter(good).label("total"),
                    func.count(samples.c.value).filter(good).label("known"),
                    func.max(samples.c.at).label("last_at"),
                )
                .where(of_point, samples.c.at >= from_s, samples.c.at < to_s)
                .group_by(begin)
            ).all()
            # What a step ends with: the samples of its last second, the latest received last.
            ends = connection.execute(
                select(samples.c.at, samples.c.value, samples.c.quality)
                .where(of_point, samples.c.at.in_([group.last_at for group in groups]))
                .order_by(samples.c.message)
            ).all()
            heard = self._heard(connection, site_id, from_s, to_s, step_s)
        by_begin = {group.begin: group for group in groups}
        end_of = {end.at - end.at % step_s: end for end in ends}
        value = held.value if held is not None and held.quality == GOOD else None
        buckets = []
        last_heard = heard.pop(None, None)
        for at in range(from_s, to_s, step_s):
            last_heard = heard.get(at, last_heard)
            group = by_begin.get(at)
            if group is not None:
                mean = int(group.total) // group.known if group.known else None
                buckets.append(Bucket(at, group.low, mean, group.high))
                end = end_of[at]
                value = end.value if end.quality == GOOD else None
            elif last_heard is not None and at - last_heard <= self.stale_after_s:
                buckets.append(Bucket(at, value, value, value))
            else:
                buckets.append(Bucket(at, None, None, None))
        return buckets

    @staticmethod
    def _heard(connection: Any, site: int, from_s: int, to_s: int, step_s: int) -> dict[int | None, int]:
        """Step -> time of its last report; None -> time of the last report before the first step."""
        begin = messages.c.at - messages.c.at % step_s
        of_site = messages.c.site == site
        heard: dict[int | None, int] = {
            row.begin: row.last
            for row in connection.execute(
                select(begin.label("begin"), func.max(messages.c.at).label("last"))
                .where(of_site, messages.c.at >= from_s, messages.c.at < to_s)
                .group_by(begin)
            )
        }
        before = connection.execute(
            select(func.max(messages.c.at)).where(of_site, messages.c.at < from_s)
        ).scalar()
        if before is not None:
            heard[None] = before
        return heard

    def gaps(self, site: str) -> list[Gap] | None:
        """What is missing of a site, oldest first (see `gaps`); None when there is no such site."""
        return gaps.of_site(self._engine, site)

    def _site(self, row: Row[Any], now_s: int, views: dict[str, PointView]) -> SiteView:
        seen_s_ago = None if row.seen_s is None else max(0, now_s - row.seen_s)
        return SiteView(
            name=row.name,
            online=row.online,
            seen_s_ago=seen_s_ago,
            fresh=seen_s_ago is not None and seen_s_ago <= self.stale_after_s and row.online is not False,
            boot=row.boot,
            state=json.loads(row.state or "{}"),
            info=json.loads(row.info or "{}"),
            alarms=json.loads(row.alarms or "[]"),
            points=views,
        )
