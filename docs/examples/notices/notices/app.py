"""The app: its settings, and work outside requests."""

from __future__ import annotations

from typing import Any

from traitlets import Float, Unicode

from tornado_service import Channel, HubRefused, HubUnavailable, ServiceApp, periodic

from . import handlers
from .board import Base, Board, NewNotice, Notice


class Notices(ServiceApp):
    """A board of notices, which are removed when they expire."""

    name = "notices"
    title = "Notices"
    service_scopes = frozenset({"list:users"})
    user_scopes = frozenset({handlers.WRITE})

    database_url = Unicode(
        "sqlite:///notices.sqlite",
        help="""Where the notices are kept, as SQLAlchemy has it: a file in the working directory,
        which is the hub's own; or ``postgresql+psycopg2://…``. Default: sqlite:///notices.sqlite.
        """,
    ).tag(config=True)

    clean_interval = Float(
        60, min=1, help="Seconds between two looks for notices whose time is over. Default: 60."
    ).tag(config=True)

    def handlers(self) -> list[tuple[Any, ...]]:
        """Pages and API."""
        return [
            ("", handlers.BoardPage),
            ("remove", handlers.RemovePage),
            ("api/notices", handlers.NoticesAPI),
            ("api/notices/([0-9a-f]+)", handlers.NoticeAPI),
            ("api/events", handlers.NoticeEvents),
        ]

    def start(self) -> None:
        """Open the database, in a thread."""
        self.news = Channel()
        self.sessions = self.open_database(Base.metadata)
        self.board = Board(self.sessions)

    def post(self, new: NewNotice, author: str) -> Notice:
        """Post a notice, and notify all open pages."""
        notice = self.board.add(new, author)
        self.log.info("%s has put up the notice %s", author, notice.id)
        self.news.send(notice.model_dump(mode="json"), event="posted")
        return notice

    def remove(self, notice_id: str, author: str) -> bool:
        """Remove a notice, if it exists, and notify all open pages."""
        removed = self.board.remove(notice_id)
        if removed:
            self.log.info("%s has taken down the notice %s", author, notice_id)
        self._notify_removed(removed)
        return bool(removed)

    @periodic("clean_interval")
    def clean(self) -> None:
        """Remove expired notices."""
        self._notify_removed(self.board.remove_past())

    def _notify_removed(self, notices: list[Notice]) -> None:
        for notice in notices:
            self.news.send({"id": notice.id, "group": notice.group}, event="removed")

    async def running(self) -> int | None:
        """Number of users with a running server; ``None`` if the hub does not return it."""
        try:
            return sum([1 async for _ in self.hub.users("active")])
        except (HubRefused, HubUnavailable):
            return None
