"""The database that replicas share: its tables, and transactions in threads."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from sqlalchemy import Connection, false, func, select
from sqlalchemy.exc import ProgrammingError

from ...database import Database
from ...errors import DatabaseUnavailable, DatabaseUnusable, driver_message
from ...schema import Schema
from ..notifications import SETTING, check_driver, notification_channel
from .tables import metadata

#: Seconds that a statement may take.
STATEMENT_TIMEOUT = 5.0

#: Seconds that a transaction waits for a lock.
LOCK_TIMEOUT = 3.0

#: Seconds after which PostgreSQL rolls back the transaction of a replica that is frozen or no
#: longer reachable, so that its locks keep nobody else.
IDLE_TIMEOUT = 5.0


class SharedDatabase:
    """Runs transactions of one replica. No method may be called on the event loop.

    Args:
        url: the database, PostgreSQL by the driver psycopg2 or psycopg.
        service: the service's name.
        instance: the name of this replica.

    Raises:
        DatabaseUnusable: the URL is not that of such a database; the message says what to change.
    """

    def __init__(self, url: str, service: str, instance: str) -> None:
        self.service = service
        self.instance = instance
        self._database = Database(url, Schema(SETTING, metadata), STATEMENT_TIMEOUT)
        if self._database.dialect.name != "postgresql":
            raise DatabaseUnusable(
                f"{SETTING} is not PostgreSQL: write postgresql+psycopg2://user:password@host/name."
            )
        check_driver(self._database.dialect.driver)
        self._is_prepared = False

    def prepare(self) -> None:
        """Create missing tables, one replica at a time.

        Raises:
            DatabaseUnavailable: the database is not available.
            DatabaseUnusable: a table is of another version.
        """
        if self._is_prepared:
            return
        try:
            if not self._has_tables():
                self._database.prepare(thorough=False)
        except DatabaseUnavailable as error:
            # without the advice for settings of apps
            raise DatabaseUnavailable(driver_message(error.__cause__ or error)) from error
        self._is_prepared = True

    def _has_tables(self) -> bool:
        """Whether all tables and columns exist, without a lock that another replica may hold."""
        try:
            with self.reading() as connection:
                for table in metadata.sorted_tables:
                    connection.execute(select(table).where(false()))
        except ProgrammingError:
            return False
        return True

    def distrust(self) -> None:
        """Look for missing tables again, after an error."""
        self._is_prepared = False

    def reading(self) -> AbstractContextManager[Connection]:
        """A transaction with a consistent snapshot."""
        return self._database.reading()

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that locks only what it writes."""
        with self._database.transaction(is_writer=True) as connection:
            limits = {
                "lock_timeout": LOCK_TIMEOUT,
                "idle_in_transaction_session_timeout": IDLE_TIMEOUT,
            }
            connection.execute(
                select(
                    *(
                        func.set_config(name, str(int(seconds * 1000)), True)
                        for name, seconds in limits.items()
                    )
                )
            )
            yield connection

    def notify(self, connection: Connection, *payload: Any) -> None:
        """Notify all replicas, this one included, when the transaction is committed."""
        name = notification_channel(self.service)
        connection.execute(select(func.pg_notify(name, json.dumps(payload))))

    def close(self) -> None:
        self._database.close()
