"""The board: notices, kept in a file."""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, Field, TypeAdapter


class NewNotice(BaseModel):
    """What somebody wants to be read."""

    text: str = Field(min_length=1, max_length=1000)
    level: Literal["info", "warning"] = "info"
    hours: int = Field(24, ge=1, le=24 * 366, description="For how long it is shown.")
    group: str = Field("", description="Only for members of this group of the hub; empty: for all.")


class Notice(BaseModel):
    """A notice on the board."""

    id: str
    text: str
    level: Literal["info", "warning"]
    group: str
    author: str
    posted: datetime
    until: datetime


_FILE = TypeAdapter(tuple[Notice, ...])


class Board:
    """Notices in a file, which is read once, and written anew at each change.

    What changes it waits for the disk, so it belongs into a thread; ``shown`` does not.

    Args:
        file: where they are kept. It need not be there yet.

    Raises:
        OSError: it cannot be read.
        ValueError: what is in it are no notices. It is left as it is.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock = threading.Lock()
        self._notices: tuple[Notice, ...] = ()
        if file.exists():
            self._notices = _FILE.validate_json(file.read_bytes())

    def shown(self, groups: Iterable[str] | None = None) -> list[Notice]:
        """Those whose time is not over, the newest first.

        Args:
            groups: of the reader; without them, the notices for all groups.
        """
        now = _now()
        found = [notice for notice in reversed(self._notices) if notice.until > now]
        if groups is None:
            return found
        return [notice for notice in found if notice.group in {"", *groups}]

    def add(self, new: NewNotice, author: str) -> Notice:
        """Put one up."""
        now = _now()
        notice = Notice(
            id=secrets.token_hex(8),
            author=author,
            posted=now,
            until=now + timedelta(hours=new.hours),
            **new.model_dump(include={"text", "level", "group"}),
        )
        with self._lock:
            self._keep((*self._notices, notice))
        return notice

    def remove(self, notice_id: str) -> list[Notice]:
        """Take one down, if it is there."""
        return self._remove(lambda notice: notice.id == notice_id)

    def remove_past(self) -> list[Notice]:
        """Take down those whose time is over."""
        now = _now()
        return self._remove(lambda notice: notice.until <= now)

    def _remove(self, is_due: Callable[[Notice], bool]) -> list[Notice]:
        with self._lock:
            due = [notice for notice in self._notices if is_due(notice)]
            if due:
                self._keep(tuple(notice for notice in self._notices if notice not in due))
        return due

    def _keep(self, notices: tuple[Notice, ...]) -> None:
        """Write them first: what is shown is what will be there after a restart."""
        new = self._file.with_name(f"{self._file.name}.new")
        new.write_bytes(_FILE.dump_json(notices, indent=1))
        os.replace(new, self._file)
        self._notices = notices


def _now() -> datetime:
    return datetime.now(timezone.utc)
