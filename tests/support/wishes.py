"""Apps with a database of their own, as authors write them; some badly."""

from __future__ import annotations

import secrets
import time
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from tornado.httpclient import AsyncHTTPClient
from traitlets import Unicode

from tornado_service import APIHandler, PageHandler, ServiceApp, Sessions, periodic
from tornado_service.app import TornadoService
from tornado_service.testing import Fetch, StartService

#: Seconds after which a database counts as hanging.
LIMIT = 1.0

#: Where they are, for the settings.
APPS = __name__


class Base(DeclarativeBase):
    pass


class Wish(Base):
    __tablename__ = "wishes"

    id: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str]


class WishesAPI(APIHandler):
    app: Wishes

    def get(self) -> list[str]:
        return self.app.wishes()

    def post(self) -> None:
        with self.app.sessions.writing() as session:
            session.add(Wish(text=self.get_query_argument("text")))


class PairAPI(APIHandler):
    """Wishes that exist in pairs, or not at all."""

    app: Wishes

    def put(self, number: int) -> None:
        with self.app.sessions.writing() as session:
            session.add(Wish(text=f"{number} first"))
            session.flush()
            session.add(Wish(text=f"{number} second {secrets.token_hex(2000)}"))


class TimeAPI(APIHandler):
    """It needs no database."""

    def get(self) -> float:
        return time.time()


class StatementAPI(APIHandler):
    """Any SQL statement."""

    app: Wishes

    def get(self) -> None:
        with self.app.sessions.reading() as session:
            session.execute(text(self.get_query_argument("sql"))).all()

    def post(self) -> None:
        with self.app.sessions.writing() as session:
            session.execute(text(self.get_query_argument("sql")))


class WishesPage(PageHandler):
    app: Wishes

    def get(self) -> None:
        self.write(f"<h1>{len(self.app.wishes())} wishes</h1>")


class Wishes(ServiceApp):
    name = "wishes"

    database_url = Unicode(help="Where the wishes are.").tag(config=True)

    def handlers(self) -> list[tuple[Any, ...]]:
        return [
            ("", WishesPage),
            ("api/wishes", WishesAPI),
            (r"api/pairs/(?P<number>\d+)", PairAPI),
            ("api/time", TimeAPI),
            ("api/statement", StatementAPI),
        ]

    def start(self) -> None:
        self.sessions = self.open_database(Base.metadata)

    def wishes(self) -> list[str]:
        with self.sessions.reading() as session:
            return list(session.scalars(select(Wish.text).order_by(Wish.id)))


class Periodic(Wishes):
    """It queries its database repeatedly."""

    @periodic(0.05)
    def count(self) -> None:
        self.wishes()


class Hasty(Wishes):
    """It opens its database on the loop."""

    async def start(self) -> None:
        self.sessions = self.open_database(Base.metadata)


class Unset(ServiceApp):
    """It has no setting that names a database."""

    name = "unset"

    def start(self) -> None:
        self.open_database(Base.metadata)


class Unready(Wishes):
    """It fails after it has opened its database."""

    opened: list[Sessions] = []

    def start(self) -> None:
        super().start()
        self.opened.append(self.sessions)
        raise ZeroDivisionError


def app_of(service: TornadoService) -> Wishes:
    (mount,) = service.app_manager
    assert isinstance(mount.app, Wishes)
    return mount.app


def add(app: Wishes, *texts: str) -> Wish:
    with app.sessions.writing() as session:
        session.add_all(wishes := [Wish(text=text) for text in texts])
    return wishes[-1]


def settings_for(url: str, name: str = "Wishes") -> dict[str, dict[str, Any]]:
    return {"TornadoService": {"apps": [f"{APPS}:{name}"]}, name: {"database_url": url}}


async def started(
    start_service: StartService, client: AsyncHTTPClient, url: str, name: str = "Wishes"
) -> tuple[TornadoService, Fetch]:
    """Start a service with an app of these, and with ``LIMIT``."""
    settings: dict[str, Any] = settings_for(url, name)
    settings["TornadoService"]["database_timeout"] = LIMIT
    service = await start_service(**settings)
    return service, Fetch(client, f"http://127.0.0.1:{service.port}", service.prefix)
