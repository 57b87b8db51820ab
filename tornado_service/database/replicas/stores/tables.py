"""The tables that replicas share, and statements that several modules use.

Moments are those of the database's clock: the clocks of replicas may differ.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    DateTime,
    Index,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    func,
    literal_column,
)

#: The database's clock: ``now()`` would be the beginning of the transaction.
CLOCK = func.clock_timestamp()

#: Microseconds since 1970, for ids that grow even if the tables are lost; the same everywhere in a
#: statement.
MICROSECONDS: ColumnElement[int] = literal_column(
    "(extract(epoch from statement_timestamp()) * 1000000)::bigint", BigInteger
)

metadata = MetaData()

#: One row for each channel. Its lock orders the events of the channel: ids are given in the order
#: of commits. Events up to ``floor_id`` may have been deleted, all later ones are there.
channels = Table(
    "tornado_service_channels",
    metadata,
    Column("service", Text, primary_key=True),
    Column("channel", Text, primary_key=True),
    Column("last_id", BigInteger, nullable=False),
    Column("floor_id", BigInteger, nullable=False),
)

#: The events of channels. Sender and number tell whether an event is there already, if a replica
#: sends it again after it has lost the connection during a commit.
events = Table(
    "tornado_service_events",
    metadata,
    Column("service", Text, primary_key=True),
    Column("channel", Text, primary_key=True),
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("name", Text, nullable=False),
    Column("data", Text, nullable=False),
    Column("sender", Text, nullable=False),
    Column("number", BigInteger, nullable=False),
    Column("sent_at", DateTime(timezone=True), nullable=False, server_default=CLOCK),
    UniqueConstraint("sender", "number"),
    Index("tornado_service_events_age", "service", "sent_at"),
)

#: Digests of tokens that are signed out.
sign_outs = Table(
    "tornado_service_sign_outs",
    metadata,
    Column("service", Text, primary_key=True),
    Column("token", Text, primary_key=True),
    Column("signed_out_at", DateTime(timezone=True), nullable=False, server_default=CLOCK),
    Index("tornado_service_sign_outs_age", "service", "signed_out_at"),
)

#: The last leader of each app, with a number that grows.
leaders = Table(
    "tornado_service_leaders",
    metadata,
    Column("service", Text, primary_key=True),
    Column("app", Text, primary_key=True),
    Column("term", BigInteger, nullable=False),
    Column("instance", Text, nullable=False),
)

#: The last run of each job that only the leader runs. One without an end has to be repeated.
jobs = Table(
    "tornado_service_jobs",
    metadata,
    Column("service", Text, primary_key=True),
    Column("app", Text, primary_key=True),
    Column("job", Text, primary_key=True),
    Column("instance", Text, nullable=False),
    Column("started_at", DateTime(timezone=True), nullable=False),
    Column("is_finished", Boolean, nullable=False),
)

#: The claims of replicas, which all have the same value.
claims = Table(
    "tornado_service_claims",
    metadata,
    Column("service", Text, primary_key=True),
    Column("app", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("instance", Text, primary_key=True),
    Column("value", Text, nullable=False),
    Column("confirmed_at", DateTime(timezone=True), nullable=False),
)


def seconds_ago(seconds: float) -> ColumnElement[datetime]:
    """A moment of the database's clock."""
    return CLOCK - func.make_interval(0, 0, 0, 0, 0, 0, seconds)
