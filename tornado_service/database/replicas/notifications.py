"""Notifications of PostgreSQL, by either driver.

https://www.postgresql.org/docs/current/libpq-notify.html
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any, Protocol

from ..errors import DatabaseUnusable

#: The setting with the database's URL, for messages.
SETTING = "c.TornadoService.database_url"


class Notifications(Protocol):
    """The notifications that a connection has received."""

    def read(self) -> list[str]:
        """Take the payloads of those that have arrived, without waiting."""


class _Psycopg2:
    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def read(self) -> list[str]:
        self._connection.poll()
        taken = [notification.payload for notification in self._connection.notifies]
        self._connection.notifies.clear()
        return taken


class _Psycopg:
    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._payloads: list[str] = []
        # for those that arrive with the result of a statement
        connection.add_notify_handler(lambda received: self._payloads.append(received.payload))

    def read(self) -> list[str]:
        libpq = self._connection.pgconn
        libpq.consume_input()
        while (received := libpq.notifies()) is not None:
            self._payloads.append(received.extra.decode())
        taken, self._payloads = self._payloads, []
        return taken


_CLASSES: dict[str, type[_Psycopg | _Psycopg2]] = {"psycopg2": _Psycopg2, "psycopg": _Psycopg}


def notifications_of(driver: str, connection: Any) -> Notifications:
    """The notifications of a connection of a driver.

    Raises:
        DatabaseUnusable: the driver is not supported.
    """
    check_driver(driver)
    return _CLASSES[driver](connection)


def check_driver(driver: str) -> None:
    """Check that notifications of a driver can be read.

    Raises:
        DatabaseUnusable: they cannot.
    """
    if driver not in _CLASSES:
        raise DatabaseUnusable(
            f"{SETTING} takes the driver psycopg2 or psycopg, as in"
            " postgresql+psycopg2://user:password@host/name."
        )


def notification_channel(service: str) -> str:
    """The name under which the replicas of a service listen; PostgreSQL allows 63 bytes."""
    return f"tornado_service_{sha256(service.encode()).hexdigest()[:24]}"
