"""The records. Times: whole seconds since 1970, UTC, the hub's clock.

Those of which a year has hundreds of thousands are tuples, which are made in half the time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from operator import attrgetter
from typing import NamedTuple

#: Seconds after the beginning of a sample up to which a user in it may have been created: the hub
#: sends the users in pages, one after the other.
SAMPLE_TIME = 60

#: Later than all times.
FAR_FUTURE = 2**42

#: What tells one run of a server from all others: user, server, start.
SessionKey = tuple[int, str, int]


@dataclass(frozen=True)
class ServerSnapshot:
    """A running server in one sample."""

    name: str  # empty for the default server
    started: int  # exact, as the hub tells it
    last_activity: int | None = None
    pending: bool = False
    profile: str | None = None  # empty: it has none; ``None``: the hub does not show it


@dataclass(frozen=True)
class UserSnapshot:
    """A user in one sample; ``created`` and ``last_activity`` where the token may see them."""

    name: str
    created: int | None = None
    last_activity: int | None = None
    servers: tuple[ServerSnapshot, ...] = ()


@dataclass(frozen=True)
class Sample:
    """What the hub listed at one moment."""

    taken: int
    is_full: bool  # whether all users are in it, or only those with a running server
    users: tuple[UserSnapshot, ...]
    has_pseudonyms: bool = False  # the users' names are pseudonyms, not those of the hub


class Interval(NamedTuple):
    """From ``start`` up to but not including ``end``."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Account:
    """An account of the hub that was seen at least once."""

    id: int
    name: str  # the hub's name, or a pseudonym; a deleted account's may be another one's, too
    first_seen: int
    created: int | None = None
    last_activity: int | None = None
    deleted: int | None = None  # time of the first sample without it

    def exists_at(self, moment: int) -> bool:
        return self.deleted is None or self.deleted >= moment

    def matches_creation(self, created: int | None) -> bool:
        """Whether this may be the account of its name that the hub says was created then.

        ``None``: the hub does not tell.
        """
        if self.created is None and created is not None:
            # else somebody else had the name then
            return created <= self.first_seen + SAMPLE_TIME
        return self.created == created


def accounts_by_name(people: Iterable[Account]) -> dict[str, Account]:
    """The account that has each name, or had it last."""
    rising = sorted(people, key=attrgetter("id"))
    deleted = {account.name: account for account in rising if account.deleted is not None}
    return deleted | {account.name: account for account in rising if account.deleted is None}


class Session(NamedTuple):
    """One run of one server."""

    user: int
    server: str
    started: int
    last_seen: int  # the last sample with it
    last_activity: int | None = None
    ended: int | None = None  # ``None`` while it runs, as far as is known
    profile: str | None = None  # as in `ServerSnapshot`; the first that the hub showed
    #: the time of which it is known whether the server was idle, and when it was; see `idle`
    observed: str | None = None
    idle: str | None = None

    @property
    def key(self) -> SessionKey:
        return self[:3]

    @property
    def end(self) -> int:
        """When it ended, or until when it is known to have run; never before its start."""
        end = self.last_seen if self.ended is None else self.ended
        return end if end > self.started else self.started


class Visit(NamedTuple):
    """A user was active in an hour (``epoch // 3600``), outside of any known session."""

    user: int
    hour: int


class UserDay(NamedTuple):
    """One user's usage on one day on which they were active."""

    day: date
    user: int
    seconds: int  # running time of their servers; two at a time count twice
    sessions: int  # how many began on that day
    observed: int = 0  # seconds of which it is known whether the server was idle
    idle: int = 0  # seconds of these in which it was


@dataclass(frozen=True)
class DayTotal:
    """One day of the whole hub, or of some users."""

    day: date
    covered: int  # seconds of the day that have data
    seconds: int  # server-seconds
    peak: int  # most concurrent servers
    sessions: int  # how many began
    #: server-seconds of each slot (92, 96 or 100 of them)
    slot_seconds: Sequence[int] = ()
    slot_peaks: Sequence[int] = ()  # most concurrent servers in each slot
