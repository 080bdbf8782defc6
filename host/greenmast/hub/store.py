"""The hub's tables and how a database is opened. Knows nothing of MQTT; `writer` fills the tables, `queries`
reads them.

SQLite runs in WAL mode, so that screens read while the one writer commits, and with synchronous=FULL: an
acknowledgement lets a board forget a record, so a commit must survive a power cut, not only a crash of the
process. WAL with synchronous=NORMAL may lose the last commits on a power cut. The price, one fsync a commit,
is shared by a whole batch.

Times: `*_ms` and `*_s` are Unix time. `ts` is the board's clock as sent, with its trust flag; `at` is the
time axis of history: the board's clock where it can be believed, else the time of receipt. Values are
integers in the points' units.
"""

from __future__ import annotations

import secrets
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Engine,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    create_engine,
    event,
    insert,
    select,
)
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from greenmast.errors import USAGE, UserError

DEFAULT_URL = "sqlite:///greenmast-hub.sqlite3"

metadata = MetaData()

# Autoincrement on SQLite needs exactly INTEGER; elsewhere 64 bits.
_KEY = BigInteger().with_variant(Integer, "sqlite")

hub = Table("hub", metadata, Column("client_id", String(64), primary_key=True))

sites = Table(
    "sites",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
    Column("online", Boolean),  # None until the board or its will has said so
    Column("seen_s", BigInteger),  # when the board itself last spoke
    Column("boot", BigInteger),  # the last numbered record of the current boot
    Column("seq", BigInteger),
    Column("ts", BigInteger),
    Column("trusted", Boolean),
    Column("received_s", BigInteger),
    Column("state", Text),  # JSON documents as published
    Column("info", Text),
    Column("alarms", Text),
)

points = Table(
    "points",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("name", String(64), nullable=False, unique=True),
)

# One row per numbered record of `tele` and `log`; (site, boot, seq) makes ingest idempotent.
messages = Table(
    "messages",
    metadata,
    Column("id", _KEY, primary_key=True),
    Column("site", ForeignKey("sites.id"), nullable=False),
    Column("boot", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("kind", String(8), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("ts", BigInteger, nullable=False),
    Column("trusted", Boolean, nullable=False),
    Column("full", Boolean, nullable=False),
    Column("received_ms", BigInteger, nullable=False),
    Column("problem", String(32), nullable=False),
    Column("body", Text),  # of log entries and of records that could not be read
    UniqueConstraint("site", "boot", "seq"),
    Index("messages_by_time", "site", "at"),
)

samples = Table(
    "samples",
    metadata,
    Column("site", Integer, primary_key=True, autoincrement=False),
    Column("point", Integer, primary_key=True, autoincrement=False),
    Column("at", BigInteger, primary_key=True, autoincrement=False),
    Column("message", BigInteger, primary_key=True, autoincrement=False),
    Column("value", BigInteger),
    Column("quality", SmallInteger, nullable=False),
    sqlite_with_rowid=False,
)

latest = Table(
    "latest",
    metadata,
    Column("site", Integer, primary_key=True, autoincrement=False),
    Column("point", Integer, primary_key=True, autoincrement=False),
    Column("value", BigInteger),
    Column("quality", SmallInteger, nullable=False),
    Column("boot", BigInteger, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("ts", BigInteger, nullable=False),
    Column("trusted", Boolean, nullable=False),
    Column("received_s", BigInteger, nullable=False),
)

# How far each boot of each site is durable: see `sequence`.
sequences = Table(
    "sequences",
    metadata,
    Column("site", Integer, primary_key=True, autoincrement=False),
    Column("boot", BigInteger, primary_key=True, autoincrement=False),
    Column("ack", BigInteger, nullable=False),
    Column("first", BigInteger, nullable=False),
    Column("run_first", BigInteger, nullable=False),
)


def open_database(url: str) -> Engine:
    """An engine for the database at `url`, all tables made. Raises UserError (exit 2)."""
    try:
        engine = create_engine(url)
        if engine.dialect.name == "sqlite":
            event.listen(engine, "connect", _set_up_sqlite)
        elif engine.dialect.name != "postgresql":
            raise UserError(
                f"--db: {engine.dialect.name} is not supported, only sqlite and postgresql are", USAGE
            )
        metadata.create_all(engine)
    except (ArgumentError, NoSuchModuleError) as error:
        raise UserError(
            f"--db: not a database URL such as {DEFAULT_URL}: {_first_line(error)}", USAGE
        ) from error
    except ImportError as error:
        raise UserError(f"--db: the driver for this URL is not installed: {error.name}", USAGE) from error
    except SQLAlchemyError as error:
        raise UserError(f"--db: cannot open the database: {_first_line(error)}", USAGE) from error
    return engine


def client_id(engine: Engine) -> str:
    """The MQTT client name of this database: the broker's session and the stored rows stay a pair."""
    with engine.begin() as connection:
        known = connection.execute(select(hub.c.client_id)).scalar()
        if known is None:
            known = f"greenmast-hub-{secrets.token_hex(4)}"
            connection.execute(insert(hub).values(client_id=known))
    return str(known)


def _set_up_sqlite(connection: Any, _record: object) -> None:
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=10000", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
