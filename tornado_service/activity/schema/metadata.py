"""What the store notes about itself, one row each."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from ..domain.calendar import ONE_DAY, day_bounds, local_date
from . import tables
from .upsert import upsert


@dataclass(frozen=True)
class StoreMetadata:
    """All notes. Times: whole seconds since 1970.

    Attributes:
        zone: whose days the roll-ups are.
        rolled: up to when roll-ups are made and right.
        sessions_from: what ended before has been dropped; ``None``: nothing has.
        first_full: the first sample of all users: who was in it, or seen before it, was there
            before; ``None``: there is none yet.
        last_full: the newest one.
        next_user: an id that nobody ever had.
        revision: another one: days that were over for long are other than they were.
    """

    zone: str = ""
    rolled: int | None = None
    sessions_from: int | None = None
    first_full: int | None = None
    last_full: int | None = None
    next_user: int = 1
    revision: int = 0

    @classmethod
    def load(cls, connection: Connection) -> StoreMetadata:
        """Read them."""
        rows = connection.execute(select(tables.meta.c.key, tables.meta.c.value))
        values: dict[str, Any] = {
            key: value if key == "zone" else int(value) for key, value in rows.all()
        }
        return cls(**values)

    def first_open_day(self, zone: ZoneInfo) -> date:
        """The first day to be rolled up: what has been dropped cannot be, again."""
        kept = self.sessions_from or 0
        day = local_date(max(self.rolled or 0, kept), zone)
        return day if day_bounds(day, zone).start >= kept else day + ONE_DAY

    def save(self, connection: Connection, **values: Any) -> StoreMetadata:
        """Write those that are other than they were."""
        now, before = replace(self, **values), asdict(self)
        news = {key: value for key, value in asdict(now).items() if before[key] != value}
        rows = [{"key": key, "value": str(value)} for key, value in news.items()]
        upsert(connection, tables.meta, rows)
        return now
