"""Sessions: how the code of an app reads and writes its database."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from sqlalchemy import Connection
from sqlalchemy.orm import Session

from .database import Database
from .errors import DatabaseUnavailable
from .outage import OutageTracker


class Sessions:
    """Gives SQLAlchemy's sessions, each of them one transaction, to code that runs in a thread.

    Made by ``ServiceApp.open_database``.
    """

    def __init__(self, database: Database, outages: OutageTracker) -> None:
        self._outages = outages
        self._database = database
        self._is_closed = False

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session that sees one moment of the database, whatever is written meanwhile.

        What it has loaded may be used afterwards. Writing in it fails.

        Raises:
            DatabaseUnavailable: the database cannot be used at the moment, which may pass; also
                of what is called in the session.
            RuntimeError: on the event loop, which all share, or after the app has stopped.
        """
        with self._session(self._database.reading, is_writer=False) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session of the only writer, of all processes; it waits 5 s for another.

        What was done in it is committed at its end, or nothing of it if something is raised.
        Keep it short: ask the hub before, tell others afterwards.

        Raises:
            DatabaseUnavailable: the database cannot be used at the moment, which may pass; also
                of what is called in the session.
            RuntimeError: on the event loop, which all share, or after the app has stopped.
        """
        with self._session(self._database.writing, is_writer=True) as session:
            yield session

    @property
    def trouble(self) -> str:
        """Why the database cannot be used at the moment, for admins; empty while it can."""
        return self._outages.problem

    def close(self) -> None:
        """Give no more of them. The service does this when the app has stopped."""
        self._is_closed = True
        self._database.close()

    @contextmanager
    def _session(
        self, transaction: Callable[[], AbstractContextManager[Connection]], *, is_writer: bool
    ) -> Iterator[Session]:
        forbid_event_loop()
        if self._is_closed:
            raise RuntimeError("The app has stopped, and its database is closed.")
        with self._outages.track(is_writer=is_writer) as begun:
            if not self._database.is_same_file:  # what is written to it now would be lost
                raise DatabaseUnavailable(
                    "the file was moved or replaced: put it back, or restart the service to begin"
                    " with what is there"
                )
            # what was loaded is still known when the response is made of it
            with transaction() as bound, Session(bound, expire_on_commit=False) as session:
                begun()
                yield session
                session.flush()


def forbid_event_loop() -> None:
    """Raise ``RuntimeError`` on the event loop, which a database would block."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise RuntimeError(
        "A database would hold up the event loop: write the method as `def` and not `async def`,"
        " so that it runs in a thread, or move the database calls into a function for"
        " `await asyncio.to_thread(function)`."
    )
