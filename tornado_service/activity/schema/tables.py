"""The tables. All names begin with ``activity_``: the database may be others', too.

Times: whole seconds since 1970, UTC. The migrations make these tables; a test holds both equal.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy import BigInteger, Column, ForeignKey, Integer, String, Table

metadata = sa.MetaData()

#: The accounts that the hub has shown. Ids come from ``meta`` and are never given twice; a name is
#: that of one account at a time. Columns are in the order of `Account`.
users = Table(
    "activity_users",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("name", String, nullable=False),
    Column("first_seen", BigInteger, nullable=False),
    Column("created", BigInteger),
    Column("last_activity", BigInteger),
    Column("deleted", BigInteger),
)

#: One row per run of a server, in the order of `Session`; ``ended`` is null while it runs.
sessions = Table(
    "activity_sessions",
    metadata,
    Column("user_id", Integer, ForeignKey(users.c.id), primary_key=True),
    Column("server", String, primary_key=True),
    Column("started", BigInteger, primary_key=True),
    Column("last_seen", BigInteger, nullable=False),
    Column("last_activity", BigInteger),
    Column("ended", BigInteger),
    Column("profile", String),
    Column("observed", String),
    Column("idle", String),
    # which run, which overlap some days, which are to be dropped
    sa.Index("activity_sessions_ended", "ended"),
    sqlite_with_rowid=False,
)

#: ``hour``: hours since 1970.
visits = Table(
    "activity_visits",
    metadata,
    Column("hour", Integer, primary_key=True, autoincrement=False),
    Column("user_id", Integer, ForeignKey(users.c.id), primary_key=True),
    sqlite_with_rowid=False,
)

#: One row per sample of the last days: the process that writes its slot first stores it.
samples = Table(
    "activity_samples",
    metadata,
    Column("slot", BigInteger, primary_key=True, autoincrement=False),
    Column("taken", BigInteger, nullable=False),
)

#: The time that has data.
coverage = Table(
    "activity_coverage",
    metadata,
    Column("start", BigInteger, primary_key=True, autoincrement=False),
    Column("end", BigInteger, nullable=False),
)

#: ``day``: Python's ordinal of the date, in the zone of ``meta``. ``observed_seconds`` and
#: ``idle_seconds`` are null where it is not known whether servers were idle.
user_days = Table(
    "activity_user_days",
    metadata,
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("user_id", Integer, ForeignKey(users.c.id), primary_key=True),
    Column("seconds", Integer, nullable=False),
    Column("sessions", Integer, nullable=False),
    Column("observed_seconds", Integer),
    Column("idle_seconds", Integer),
    sqlite_with_rowid=False,
)

#: ``slots``: seconds and peak of each quarter of an hour, as two lists.
day_totals = Table(
    "activity_day_totals",
    metadata,
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("covered", Integer, nullable=False),
    Column("seconds", BigInteger, nullable=False),
    Column("peak", Integer, nullable=False),
    Column("sessions", Integer, nullable=False),
    Column("slots", sa.JSON, nullable=False),
)

#: One row, if several replicas of a service share the database: the latest sample's users with a
#: running server, for those that do not collect. ``term`` rises when another replica takes over.
live = Table(
    "activity_live",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("term", BigInteger, nullable=False),
    Column("instance", String, nullable=False),
    Column("taken", BigInteger),
    Column("is_full", sa.Boolean),
    Column("users", sa.JSON),
)

#: See ``meta.py``.
meta = Table(
    "activity_meta",
    metadata,
    Column("key", String, primary_key=True),
    Column("value", String, nullable=False),
)
