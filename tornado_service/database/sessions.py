"""Sessions, with which the code of an app reads and writes its database."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from sqlalchemy import Connection
from sqlalchemy.orm import Session

from .database import Database
from .errors import DatabaseUnavailable
from .outage import OutageTracker


class Sessions:
    """Provides SQLAlchemy sessions, each one transaction, to code that runs in a thread.

    Created by ``ServiceApp.open_database``.
    """

    def __init__(self, database: Database, outages: OutageTracker) -> None:
        self._outages = outages
        self._database = database
        self._is_closed = False

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session with a consistent snapshot of the database, whatever is written meanwhile.

        Loaded objects may be used afterwards. Writing in it fails.

        Raises:
            DatabaseUnavailable: the database is temporarily unavailable; also raised by calls in
                the session.
            RuntimeError: on the event loop, or after the app has stopped.
        """
        with self._session(self._database.reading, is_writer=False) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session of the only writer, across all processes; it waits 5 s for another.

        Its changes are committed at the end; an exception rolls all of them back.
        Keep it short: call the hub before, notify listeners afterwards.

        Raises:
            DatabaseUnavailable: the database is temporarily unavailable; also raised by calls in
                the session.
            RuntimeError: on the event loop, or after the app has stopped.
        """
        with self._session(self._database.writing, is_writer=True) as session:
            yield session

    @property
    def trouble(self) -> str:
        """Why the database is unavailable, for administrators; empty if it is available."""
        return self._outages.problem

    def close(self) -> None:
        """Refuse further sessions. The service calls this when the app has stopped."""
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
            if not self._database.is_same_file:  # changes to this file would be lost
                raise DatabaseUnavailable(
                    "the file was moved or replaced: put it back, or restart the service to begin"
                    " with what is there"
                )
            # loaded objects stay usable for the response
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
