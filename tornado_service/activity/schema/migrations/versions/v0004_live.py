"""The latest sample, for all replicas of a service, and which of them collects."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "activity_live",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("term", sa.BigInteger, nullable=False),
        sa.Column("instance", sa.String, nullable=False),
        sa.Column("taken", sa.BigInteger),
        sa.Column("is_full", sa.Boolean),
        sa.Column("users", sa.JSON),
    )
