"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "activity_users",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("name", sa.String, nullable=False, unique=True),
        sa.Column("first_seen", sa.BigInteger, nullable=False),
        sa.Column("created", sa.BigInteger),
        sa.Column("last_activity", sa.BigInteger),
        sa.Column("deleted", sa.BigInteger),
    )
    op.create_table(
        "activity_sessions",
        sa.Column("user_id", sa.Integer, sa.ForeignKey("activity_users.id"), primary_key=True),
        sa.Column("server", sa.String, primary_key=True),
        sa.Column("started", sa.BigInteger, primary_key=True),
        sa.Column("last_seen", sa.BigInteger, nullable=False),
        sa.Column("last_activity", sa.BigInteger),
        sa.Column("ended", sa.BigInteger),
        sqlite_with_rowid=False,
    )
    op.create_index("activity_sessions_ended", "activity_sessions", ["ended"])
    op.create_table(
        "activity_visits",
        sa.Column("hour", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("user_id", sa.Integer, sa.ForeignKey("activity_users.id"), primary_key=True),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "activity_samples",
        sa.Column("slot", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("taken", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "activity_coverage",
        sa.Column("start", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("end", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "activity_user_days",
        sa.Column("day", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("user_id", sa.Integer, sa.ForeignKey("activity_users.id"), primary_key=True),
        sa.Column("seconds", sa.Integer, nullable=False),
        sa.Column("sessions", sa.Integer, nullable=False),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "activity_day_totals",
        sa.Column("day", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("covered", sa.Integer, nullable=False),
        sa.Column("seconds", sa.BigInteger, nullable=False),
        sa.Column("peak", sa.Integer, nullable=False),
        sa.Column("sessions", sa.Integer, nullable=False),
        sa.Column("slots", sa.JSON, nullable=False),
    )
    op.create_table(
        "activity_meta",
        sa.Column("key", sa.String, primary_key=True),
        sa.Column("value", sa.String, nullable=False),
    )
