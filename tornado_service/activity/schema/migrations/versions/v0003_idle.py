"""Profiles of servers, and when they were idle; null, not known, in all rows so far."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add columns, which neither database copies a table for."""
    for name in ("profile", "observed", "idle"):
        op.add_column("activity_sessions", sa.Column(name, sa.String))
    for name in ("observed_seconds", "idle_seconds"):
        op.add_column("activity_user_days", sa.Column(name, sa.Integer))
