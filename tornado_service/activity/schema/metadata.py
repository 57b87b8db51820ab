"""Notes of the store about itself, one row each."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from ..domain.calendar import ONE_DAY, day_bounds, local_date
from . import tables
from .upsert import upsert

#: Notes that are no numbers.
TEXTS = frozenset({"zone", "report_mailed", "report_tried"})


@dataclass(frozen=True)
class StoreMetadata:
    """All notes. Times: whole seconds since 1970."""

    zone: str = ""  # time zone of the roll-ups' days
    rolled: int | None = None  # time up to which roll-ups are right
    sessions_from: int | None = None  # sessions that ended before have been dropped; ``None``: none
    #: the first full sample: its users, and those seen before it, are not new
    first_full: int | None = None
    last_full: int | None = None  # the latest full sample
    next_user: int = 1  # an id that was never used
    revision: int = 0  # changes when days that were over for long change
    report_mailed: str = ""  # the last month whose report was mailed, as ``2026-10``
    report_tried: str = ""  # the last month whose report was to be mailed
    report_claimed: int | None = None  # when a process began to mail it; 0: none does

    @classmethod
    def load(cls, connection: Connection) -> StoreMetadata:
        rows = connection.execute(select(tables.meta.c.key, tables.meta.c.value))
        values: dict[str, Any] = {
            key: value if key in TEXTS else int(value) for key, value in rows.all()
        }
        return cls(**values)

    def first_open_day(self, zone: ZoneInfo) -> date:
        """The first day to roll up; dropped sessions cannot be rolled up again."""
        kept = self.sessions_from or 0
        day = local_date(max(self.rolled or 0, kept), zone)
        return day if day_bounds(day, zone).start >= kept else day + ONE_DAY

    def save(self, connection: Connection, **values: Any) -> StoreMetadata:
        now, before = replace(self, **values), asdict(self)
        changed = {key: value for key, value in asdict(now).items() if before[key] != value}
        upsert(connection, tables.meta, [(key, str(value)) for key, value in changed.items()])
        return now
