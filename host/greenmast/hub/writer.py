"""Batches of parsed messages into the store, one transaction each. Knows no MQTT; the acknowledgement rule is
`sequence`'s.

What `write` returns may be acknowledged: it is committed. A failed transaction leaves nothing behind, in
memory neither, so the same batch can be written again. A batch written twice is stored once.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Engine, Table, and_, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import SQLAlchemyError

from greenmast.hub.messages import Freed, Notice, Record
from greenmast.hub.sequence import Sequence
from greenmast.hub.store import latest, messages, points, samples, sequences, sites

PATIENCE_MS = 60_000


@dataclass(slots=True)
class Written:
    """What one batch came to. `acks` maps site -> {boot: highest number that the board may free}.

    `complete` maps each site that has spoken to whether the unbroken run of its boot holds a full report.
    """

    records: int = 0
    rows: int = 0
    duplicates: int = 0
    given_up: int = 0
    acks: dict[str, dict[int, int]] = field(default_factory=dict)
    complete: dict[str, bool] = field(default_factory=dict)


class Writer:
    """The one writer of a database; not for use by several threads at once."""

    def __init__(self, engine: Engine, *, patience_ms: int = PATIENCE_MS) -> None:
        self._engine = engine
        self._patience_ms = patience_ms
        self._upsert: Any = postgresql.insert if engine.dialect.name == "postgresql" else sqlite.insert
        self._ids: dict[str, dict[str, int]] = {"sites": {}, "points": {}}
        self._sequences: dict[tuple[int, int], Sequence] = {}
        self._last_ms: dict[tuple[int, int], int] = {}
        self._fulls: dict[tuple[int, int], int] = {}  # the last full report of each boot

    def write(self, batch: Iterable[Record | Freed | Notice], now_ms: int) -> Written:
        """Commits `batch` in order of arrival; `now_ms` is monotonic. SQLAlchemyError: nothing is stored."""
        records = [item for item in batch if isinstance(item, Record)]
        freed = [item for item in batch if isinstance(item, Freed)]
        notices = [item for item in batch if isinstance(item, Notice)]
        try:
            with self._engine.begin() as connection:
                self._name(
                    connection,
                    sites,
                    [r.site for r in records] + [f.site for f in freed] + [n.site for n in notices],
                )
                written = Written()
                if records or freed:
                    self._write_records(connection, records, freed, now_ms, written)
                for notice in notices:
                    self._write_notice(connection, notice, written)
        except SQLAlchemyError:
            self._forget()
            raise
        return written

    def _forget(self) -> None:
        """Memory may be ahead of the rolled-back database: read everything anew."""
        self._ids = {"sites": {}, "points": {}}
        self._sequences.clear()
        self._fulls.clear()

    def _name(self, connection: Connection, table: Table, names: Iterable[str]) -> None:
        """Makes sure that every name has a number in `self._ids[table]`."""
        known = self._ids[table.name]
        missing = sorted(set(names) - known.keys())
        if not missing:
            return
        connection.execute(self._upsert(table).on_conflict_do_nothing(), [{"name": name} for name in missing])
        for row in connection.execute(select(table.c.id, table.c.name).where(table.c.name.in_(missing))):
            known[row.name] = row.id

    def _write_records(
        self,
        connection: Connection,
        records: list[Record],
        freed: list[Freed],
        now_ms: int,
        written: Written,
    ) -> None:
        fresh = self._insert_messages(connection, records) if records else []
        written.records = len(fresh)
        written.rows = self._insert_samples(connection, fresh)
        written.duplicates = len(records) - len(fresh)
        self._update_latest(connection, fresh)
        self._update_sequences(connection, records, freed, now_ms, written)
        self._update_sites(connection, fresh)
        for record in records:  # the last one of a site counts
            written.complete[record.site] = self._is_complete(connection, record.site, record.boot)

    def _insert_messages(self, connection: Connection, records: list[Record]) -> list[tuple[int, Record]]:
        """Inserts those that are new; returns them with their row numbers, in order of arrival."""
        site_ids = self._ids["sites"]
        rows = [
            {
                "site": site_ids[r.site],
                "boot": r.boot,
                "seq": r.seq,
                "kind": r.kind,
                "at": r.said_s,
                "ts": r.ts,
                "trusted": r.trusted,
                "full": r.full,
                "received_ms": r.received_ms,
                "problem": r.problem,
                "body": r.body,
            }
            for r in records
        ]
        statement = (
            self._upsert(messages)
            .on_conflict_do_nothing(index_elements=["site", "boot", "seq"])
            .returning(messages.c.id, messages.c.site, messages.c.boot, messages.c.seq)
        )
        numbers = {(row.site, row.boot, row.seq): row.id for row in connection.execute(statement, rows)}
        fresh = []
        for record in records:
            number = numbers.pop((site_ids[record.site], record.boot, record.seq), None)
            if number is not None:
                fresh.append((number, record))
        return fresh

    def _insert_samples(self, connection: Connection, fresh: list[tuple[int, Record]]) -> int:
        self._name(connection, points, {name for _, record in fresh for name in record.values})
        site_ids, point_ids = self._ids["sites"], self._ids["points"]
        rows = [
            {
                "site": site_ids[record.site],
                "point": point_ids[name],
                "at": record.said_s,
                "message": number,
                "value": value,
                "quality": quality,
            }
            for number, record in fresh
            for name, (value, quality) in record.values.items()
        ]
        if rows:
            connection.execute(insert(samples), rows)
        return len(rows)

    def _update_latest(self, connection: Connection, fresh: list[tuple[int, Record]]) -> None:
        """The last told value of each point; a late record of the same boot does not overwrite it."""
        site_ids, point_ids = self._ids["sites"], self._ids["points"]
        rows: dict[tuple[int, int], dict[str, Any]] = {}
        for _, record in fresh:
            for name, (value, quality) in record.values.items():
                key = (site_ids[record.site], point_ids[name])
                before = rows.get(key)
                if before is not None and before["boot"] == record.boot and before["seq"] > record.seq:
                    continue
                rows[key] = {
                    "site": key[0],
                    "point": key[1],
                    "value": value,
                    "quality": quality,
                    "boot": record.boot,
                    "seq": record.seq,
                    "ts": record.ts,
                    "trusted": record.trusted,
                    "received_s": record.received_ms // 1000,
                }
        if not rows:
            return
        statement = self._upsert(latest)
        new = statement.excluded
        statement = statement.on_conflict_do_update(
            index_elements=["site", "point"],
            set_={c.name: new[c.name] for c in latest.c if not c.primary_key},
            where=or_(new.boot != latest.c.boot, new.seq > latest.c.seq),
        )
        connection.execute(statement, list(rows.values()))

    def _update_sequences(
        self,
        connection: Connection,
        records: list[Record],
        freed: list[Freed],
        now_ms: int,
        written: Written,
    ) -> None:
        site_ids = self._ids["sites"]
        for record in records:  # the known ones too: what they say of lost ones may be news
            sequence = self._sequence(connection, site_ids[record.site], record.boot)
            if record.lost:
                written.given_up += sequence.give_up(record.seq - record.lost, record.seq - 1)
            sequence.add(record.seq)
            if record.full:
                key = (site_ids[record.site], record.boot)
                self._fulls[key] = max(record.seq, self._full(connection, *key))
        for item in freed:
            sequence = self._sequence(connection, site_ids[item.site], item.boot)
            written.given_up += sequence.give_up(1, item.seq)
        rows = []
        told = [(record.site, record.boot) for record in records] + [(item.site, item.boot) for item in freed]
        for site, boot in dict.fromkeys(told):
            key = (site_ids[site], boot)
            sequence = self._sequence(connection, *key)
            written.given_up += sequence.age_hole(now_ms - self._last_ms.get(key, now_ms), self._patience_ms)
            self._last_ms[key] = now_ms
            written.acks.setdefault(site, {})[boot] = sequence.ack
            rows.append(
                {
                    "site": key[0],
                    "boot": boot,
                    "ack": sequence.ack,
                    "first": sequence.first,
                    "run_first": sequence.run_first(),
                }
            )
        statement = self._upsert(sequences)
        names = ("ack", "first", "run_first")
        statement = statement.on_conflict_do_update(
            index_elements=["site", "boot"], set_={name: statement.excluded[name] for name in names}
        )
        connection.execute(statement, rows)

    def _sequence(self, connection: Connection, site: int, boot: int) -> Sequence:
        key = (site, boot)
        if key in self._sequences:
            return self._sequences[key]
        row = connection.execute(
            select(sequences.c.ack, sequences.c.first).where(
                and_(sequences.c.site == site, sequences.c.boot == boot)
            )
        ).one_or_none()
        if row is None:
            sequence = Sequence()
        else:
            later = select(messages.c.seq).where(
                and_(messages.c.site == site, messages.c.boot == boot, messages.c.seq > row.ack)
            )
            sequence = Sequence(row.ack, row.first)
            for seq in connection.execute(later).scalars():
                sequence.add(seq)
        self._sequences[key] = sequence
        return sequence

    def _full(self, connection: Connection, site: int, boot: int) -> int:
        """Number of the last full report of a boot, 0 for none."""
        key = (site, boot)
        if key not in self._fulls:
            of_boot = and_(messages.c.site == site, messages.c.boot == boot, messages.c.full.is_(True))
            self._fulls[key] = (
                connection.execute(select(func.max(messages.c.seq)).where(of_boot)).scalar() or 0
            )
        return self._fulls[key]

    def _is_complete(self, connection: Connection, site: str, boot: int) -> bool:
        key = (self._ids["sites"][site], boot)
        full = self._full(connection, *key)
        return 0 < full >= self._sequence(connection, *key).first

    def _update_sites(self, connection: Connection, fresh: list[tuple[int, Record]]) -> None:
        """The last record of each site's current boot, and when the board last spoke."""
        last: dict[str, Record] = {}
        for _, record in fresh:
            before = last.get(record.site)
            if before is None or before.boot != record.boot or before.seq < record.seq:
                last[record.site] = record
        for site, record in last.items():
            number = self._ids["sites"][site]
            received_s = record.received_ms // 1000
            connection.execute(
                update(sites)
                .where(
                    sites.c.id == number,
                    or_(sites.c.boot.is_(None), sites.c.boot != record.boot, sites.c.seq < record.seq),
                )
                .values(
                    boot=record.boot,
                    seq=record.seq,
                    ts=record.ts,
                    trusted=record.trusted,
                    received_s=received_s,
                )
            )
            self._seen(connection, number, min(record.said_s, received_s))

    def _seen(self, connection: Connection, site: int, at_s: int) -> None:
        earlier = or_(sites.c.seen_s.is_(None), sites.c.seen_s < at_s)
        connection.execute(update(sites).where(sites.c.id == site, earlier).values(seen_s=at_s))

    def _write_notice(self, connection: Connection, notice: Notice, written: Written) -> None:
        number = self._ids["sites"][notice.site]
        values: dict[str, Any] = {notice.topic: json.dumps(notice.body)}
        if notice.topic == "state":
            values["online"] = notice.body["online"]
            boot = notice.body.get("boot")
            if notice.body["online"] and type(boot) is int:
                written.complete[notice.site] = self._is_complete(connection, notice.site, boot)
            else:  # nobody there who could be asked
                written.complete[notice.site] = True
        connection.execute(update(sites).where(sites.c.id == number).values(**values))
        if notice.is_contact:
            self._seen(connection, number, notice.received_ms // 1000)
