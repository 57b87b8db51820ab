"""A name may have had several accounts; the first full sample is noted."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

#: Tables that refer to users, and their columns.
CHILDREN = {
    "activity_sessions": "user_id, server, started, last_seen, last_activity, ended",
    "activity_visits": "hour, user_id",
    "activity_user_days": "day, user_id, seconds, sessions",
}


def upgrade() -> None:
    """Drop the unique constraint on names; until now the first sample was a full one."""
    if op.get_context().dialect.name == "sqlite":
        _make_again()
    else:
        op.drop_constraint("activity_users_name_key", "activity_users")
    connection = op.get_bind()
    start = connection.execute(
        sa.text(
            'SELECT min("start") FROM activity_coverage'
            " WHERE EXISTS (SELECT 1 FROM activity_meta WHERE key = 'last_full')"
        )
    ).scalar()
    if start is not None:
        note = sa.text("INSERT INTO activity_meta (key, value) VALUES ('first_full', :value)")
        connection.execute(note, {"value": str(start)})


def _make_again() -> None:
    """SQLite cannot drop a constraint, nor a table to which others refer: copy all of them.

    https://www.sqlite.org/lang_altertable.html#otheralter
    """
    op.drop_index("activity_sessions_ended", "activity_sessions")
    for table in ("activity_users", *CHILDREN):
        op.rename_table(table, f"{table}_old")  # references follow
    op.create_table(
        "activity_users",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("name", sa.String, nullable=False),
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
    op.create_table(
        "activity_visits",
        sa.Column("hour", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("user_id", sa.Integer, sa.ForeignKey("activity_users.id"), primary_key=True),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "activity_user_days",
        sa.Column("day", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("user_id", sa.Integer, sa.ForeignKey("activity_users.id"), primary_key=True),
        sa.Column("seconds", sa.Integer, nullable=False),
        sa.Column("sessions", sa.Integer, nullable=False),
        sqlite_with_rowid=False,
    )
    columns = {"activity_users": "id, name, first_seen, created, last_activity, deleted"} | CHILDREN
    for table, names in columns.items():
        op.execute(f"INSERT INTO {table} ({names}) SELECT {names} FROM {table}_old")  # noqa: S608
    for table in (*CHILDREN, "activity_users"):
        op.drop_table(f"{table}_old")
    op.create_index("activity_sessions_ended", "activity_sessions", ["ended"])
