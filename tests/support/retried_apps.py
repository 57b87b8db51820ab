"""Apps whose start needs a database or the hub; some are badly written."""

from __future__ import annotations

import sqlite3
from typing import Any, ClassVar

from prometheus_client import Gauge
from sqlalchemy import Connection, create_engine
from sqlalchemy.exc import OperationalError
from traitlets import Unicode

from tests.support.wishes import Base, Wishes, WishesAPI
from tornado_service import APIHandler, ServiceApp, Sessions

#: Where they are, for the settings.
APPS = __name__


class Counted(ServiceApp):
    """Counts its starts."""

    starts: ClassVar[list[Any]]

    def __init_subclass__(cls) -> None:
        cls.starts = []


class Kept(Counted, Wishes):
    """Its database is opened as documented."""

    def start(self) -> None:
        self.starts.append(self)
        self.sessions = self.open_database(Base.metadata)


class Two(Counted, Wishes):
    """Two databases, and metrics; the second one is unavailable."""

    second_url = Unicode().tag(config=True)
    opened: ClassVar[list[Sessions]] = []

    def start(self) -> None:
        self.starts.append(self)
        gauge = Gauge("wishes", "Wishes that there are.", registry=self.registry)
        gauge.set_function(lambda: len(self.wishes()))
        self.opened.append(self.open_database(Base.metadata))
        self.open_database(Base.metadata, setting="second_url")
        self.sessions = self.opened[-1]


class Names(APIHandler):
    app: AsksHub

    def get(self) -> list[str]:
        return self.app.names


class AsksHub(Counted):
    name = "asks-hub"
    service_scopes = frozenset({"list:users"})

    def handlers(self) -> list[tuple[Any, ...]]:
        return [("api/names", Names)]

    async def start(self) -> None:
        self.starts.append(self)
        self.names = [user.name async for user in self.hub.users()]


class InHandlers(Counted, Wishes):
    """Its handlers depend on what is in its database."""

    def handlers(self) -> list[tuple[Any, ...]]:
        self.starts.append(self)
        self.sessions = self.open_database(Base.metadata)
        return [("api/wishes", WishesAPI)]

    def start(self) -> None:
        pass


class OwnEngine(Counted):
    """Opens a database itself; ``way`` is how it handles the error."""

    name = "own-engine"
    url = Unicode().tag(config=True)
    way = Unicode("plain").tag(config=True)

    def start(self) -> None:
        self.starts.append(self)
        if self.way == "driver":
            sqlite3.connect(self.url.removeprefix("sqlite:///")).close()
            return
        engine = create_engine(self.url)
        try:
            engine.connect().close()
        except OperationalError as error:
            if self.way == "plain":
                raise
            if self.way == "from":
                raise RuntimeError("The grades cannot be read.") from error
            raise RuntimeError("The grades cannot be read.")  # noqa: B904 - as authors do
        finally:
            engine.dispose()


class Mistaken(Counted, Wishes):
    """Each ``way`` is a mistake that retrying does not fix."""

    way = Unicode().tag(config=True)

    def start(self) -> None:
        self.starts.append(self)
        getattr(self, self.way)()

    def raises(self) -> None:
        raise ZeroDivisionError

    def upgrades_wrongly(self) -> None:
        self.open_database(Base.metadata, upgrade)

    def queries_a_missing_table(self) -> None:
        engine = create_engine("sqlite://")
        try:
            with engine.connect() as connection:
                connection.exec_driver_sql("SELECT * FROM nothing")
        finally:
            engine.dispose()

    def hides_it(self) -> None:
        """The app sets its own reason."""
        try:
            raise sqlite3.OperationalError("database is locked")
        except sqlite3.OperationalError:
            raise RuntimeError("Set c.Mistaken.way.") from None


def upgrade(connection: Connection) -> None:
    connection.exec_driver_sql("ALTER TABLE wishes ADD COLUMN text VARCHAR")
