"""The board: notices, stored in a database."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from tornado_service import Sessions


class Base(DeclarativeBase):
    """The tables."""


class Row(Base):
    """A notice in the database; times are in UTC."""

    __tablename__ = "notices"

    id: Mapped[str] = mapped_column(primary_key=True)
    text: Mapped[str]
    level: Mapped[str]
    group: Mapped[str]
    author: Mapped[str]
    posted: Mapped[datetime]
    until: Mapped[datetime] = mapped_column(index=True)


class NewNotice(BaseModel):
    """A notice to post."""

    text: str = Field(min_length=1, max_length=1000)
    level: Literal["info", "warning"] = "info"
    hours: int = Field(24, ge=1, le=24 * 366, description="For how long it is shown.")
    group: str = Field("", description="Only for members of this group of the hub; empty: for all.")


def _in_utc(time: datetime) -> datetime:
    return time.replace(tzinfo=timezone.utc)


class Notice(BaseModel):
    """A notice on the board."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    text: str
    level: Literal["info", "warning"]
    group: str
    author: str
    posted: Annotated[datetime, AfterValidator(_in_utc)]
    until: Annotated[datetime, AfterValidator(_in_utc)]


class Board:
    """Notices in a database. All methods wait for it, so call them in threads."""

    def __init__(self, sessions: Sessions) -> None:
        self._sessions = sessions

    def shown(self, groups: Iterable[str] | None = None) -> list[Notice]:
        """Current notices, the newest first.

        Args:
            groups: of the reader; ``None`` for the notices of all groups.
        """
        wanted = select(Row).where(Row.until > now()).order_by(Row.posted.desc())
        if groups is not None:
            wanted = wanted.where(Row.group.in_({"", *groups}))
        with self._sessions.reading() as session:
            return [Notice.model_validate(row) for row in session.scalars(wanted)]

    def add(self, new: NewNotice, author: str) -> Notice:
        """Add a notice."""
        posted = now()
        row = Row(
            id=secrets.token_hex(8),
            author=author,
            posted=posted,
            until=posted + timedelta(hours=new.hours),
            **new.model_dump(include={"text", "level", "group"}),
        )
        with self._sessions.writing() as session:
            session.add(row)
        return Notice.model_validate(row)

    def remove(self, notice_id: str) -> list[Notice]:
        """Remove a notice, if it exists."""
        return self._remove(Row.id == notice_id)

    def remove_past(self) -> list[Notice]:
        """Remove expired notices."""
        return self._remove(Row.until <= now())

    def _remove(self, is_due: ColumnElement[bool]) -> list[Notice]:
        with self._sessions.writing() as session:
            due = session.scalars(select(Row).where(is_due)).all()
            for row in due:
                session.delete(row)
        return [Notice.model_validate(row) for row in due]


def now() -> datetime:
    """The time in UTC, without its zone, which not every database stores."""
    return datetime.now(timezone.utc).replace(tzinfo=None)
