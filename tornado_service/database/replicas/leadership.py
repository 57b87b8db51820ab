"""Leadership: which replica does an app's work that only one may do at a time."""

from __future__ import annotations

import asyncio
import time
from hashlib import sha256
from typing import Protocol

from .watched import Watched

#: Seconds after the last response of the database for which a leader may be sure to lead.
#: Less than ``session.IDLE_TIMEOUT``: the database ends its session, and so frees the lock, later.
CONFIRMED_FOR = 6.0


class LockHolder(Protocol):
    """The connection to the database that holds the locks of a replica.

    Attributes:
        instance: the name of the replica.
        confirmed_at: when a request began to which the database has responded, on the monotonic
            clock.
    """

    instance: str
    confirmed_at: float

    def add_candidate(self, candidate: SharedLeadership) -> None:
        """Try to get the lock of an app, and hold it."""

    def wake(self) -> None:
        """Look at the candidates now."""


class Leadership(Watched):
    """Whether this replica leads an app.

    At most one replica leads an app at a time, and another takes over within 10 seconds if the
    leader dies, freezes or loses the database. One that is cut off from the database while that
    restarts or fails over learns of its successor up to 6 seconds late: writers compare the
    ``term``. Without a shared database there is one process, which leads.

    Attributes:
        instance: the name of this replica.
    """

    def __init__(self, instance: str) -> None:
        super().__init__()
        self.instance = instance
        self._may_lead = True

    @property
    def is_leader(self) -> bool:
        """Whether this replica leads now. It may end at any time: ask before each step."""
        return self._may_lead

    @property
    def _value(self) -> bool:
        return self.is_leader

    @property
    def term(self) -> int:
        """A number that is larger for each new leader of the app; 0 without a shared database.

        A writer stores it with its data, and refuses to write if a larger one is stored already:
        then another replica has become the leader meanwhile (a "fencing token").
        """
        return 0

    @property
    def leader(self) -> str:
        """The name of the leading replica, as far as this one knows; empty if there is none."""
        return self.instance if self.is_leader else ""

    @property
    def may_lead(self) -> bool:
        """Whether this replica may lead. If set to False, it resigns, and does not try again."""
        return self._may_lead

    @may_lead.setter
    def may_lead(self, value: bool) -> None:
        self._may_lead = value
        self._notify()

    def activate(self, loop: asyncio.AbstractEventLoop) -> None:
        """Compete from now on. The service calls this when the app is ready.

        Args:
            loop: the event loop, for subscribers.
        """
        self._bind(loop)

    def close(self) -> None:
        """Resign for good. The service calls this when the app has stopped."""
        self._callbacks.clear()


class LocalLeadership(Leadership):
    """The leadership of the only process: it leads, unless it may not."""


class SharedLeadership(Leadership):
    """The leadership of one of several replicas: an advisory lock of PostgreSQL.

    Args:
        session: holds the lock.
        service: the service's name.
        app: the app's name.
    """

    def __init__(self, session: LockHolder, service: str, app: str) -> None:
        super().__init__(session.instance)
        self.app = app
        self.key = lock_key(f"{service}/{app}")
        self._session = session
        self._term = 0
        self._leader = ""
        self._is_active = False

    @property
    def is_leader(self) -> bool:
        """Whether this replica leads now.

        False as well if the database has not responded for ``CONFIRMED_FOR`` seconds, so that a
        process that was frozen does not act as the leader that it was.
        """
        age = time.monotonic() - self._session.confirmed_at
        return self._term > 0 and self._may_lead and age < CONFIRMED_FOR

    @property
    def _seconds_left(self) -> float | None:
        return self._session.confirmed_at + CONFIRMED_FOR - time.monotonic()

    @property
    def term(self) -> int:
        return self._term

    @property
    def leader(self) -> str:
        is_former = self._leader == self.instance and not self.is_leader
        return "" if is_former else self._leader

    @property
    def is_candidate(self) -> bool:
        """Whether the session should hold the lock."""
        return self._is_active and self._may_lead

    @property
    def is_held(self) -> bool:
        """Whether the session holds the lock."""
        return self._term > 0

    @property
    def is_over(self) -> bool:
        """Whether the app has ended, and the lock is free."""
        return not (self._is_active or self.is_held)

    @property
    def may_lead(self) -> bool:
        """Whether this replica may lead. If set to False, it resigns, and does not try again."""
        return self._may_lead

    @may_lead.setter
    def may_lead(self, value: bool) -> None:
        self._may_lead = value
        self._notify()
        self._session.wake()

    def activate(self, loop: asyncio.AbstractEventLoop) -> None:
        super().activate(loop)
        self._is_active = True
        self._session.add_candidate(self)

    def close(self) -> None:
        super().close()
        self._is_active = False
        self._session.wake()

    def record(self, term: int, leader: str) -> None:
        """Record the result of an attempt.

        Args:
            term: that of this replica if it leads, else 0.
            leader: the name of the leading replica.
        """
        self._term, self._leader = term, leader
        self._notify()

    def refresh(self) -> None:
        """Record that the database has responded, and so that this replica still leads."""
        self._notify()


def lock_key(name: str) -> int:
    """The key of an advisory lock.

    https://www.postgresql.org/docs/current/explicit-locking.html#ADVISORY-LOCKS
    """
    return int.from_bytes(sha256(name.encode()).digest()[:8], "big", signed=True)
