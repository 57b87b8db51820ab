"""The replicas of this service, as one service: channels, leadership, claims, sign-outs."""

from __future__ import annotations

import secrets
import socket
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from .channel import Channel

if TYPE_CHECKING:
    from ..database.replicas.claims import Claim
    from ..database.replicas.leadership import Leadership

#: Characters of a channel's name.
MAX_NAME = 200


class Replicas:
    """What the replicas of a service have in common.

    Attributes:
        instance: the name of this replica, unique among all: the host's name and a random part.
        is_shared: whether there is a database through which several replicas are one service.
    """

    is_shared = False

    def __init__(self) -> None:
        self.instance = f"{socket.gethostname()[:40]}-{secrets.token_hex(4)}"

    @property
    def problem(self) -> str:
        """Why the shared database is unavailable, for administrators; else empty."""
        return ""

    @property
    def leaders(self) -> dict[str, str]:
        """The leading replica of each app that needs one, by the app's name."""
        return {}

    def start(self, on_sign_outs: Callable[[list[bytes]], object], remembered: int) -> None:
        """Connect, without waiting. Must be called on the event loop; again has no effect.

        Args:
            on_sign_outs: called there with the digests of tokens signed out at other replicas.
            remembered: the number of signed-out tokens that this replica remembers.
        """

    async def wait_until_connected(self, timeout: float) -> bool:
        """Wait until the database has responded once, or seconds have passed.

        Returns:
            Whether it has responded.
        """
        return True

    def leadership(self, app: str) -> Leadership:
        """A new leadership of an app, which does not compete before ``activate``."""
        raise NotImplementedError

    def channel(self, app: str, name: str, history: int) -> Channel:
        """Open a channel of an app.

        Raises:
            ValueError: the app has opened one of this name, or the name is invalid.
        """
        raise NotImplementedError

    def claim(self, app: str, key: str, value: Any, of_database: bool = False) -> Claim:
        """Claim a value for all replicas, or for all services that share the database."""
        raise NotImplementedError

    async def begin_run(self, app: str, job: str, interval: float) -> float:
        """Begin a run of a job that only the leader runs, if it is due.

        Returns:
            0 if it may run now, else the seconds until then.

        Raises:
            DatabaseUnavailable: the database is not available.
        """
        return 0.0

    def finish_run(self, app: str, job: str) -> None:
        """Record the end of a run, as soon as the database is available: no replica repeats it."""

    async def publish_sign_outs(self, tokens: Iterable[bytes]) -> None:
        """Tell all other replicas that these tokens, given by their digests, are signed out.

        Returns when they are stored, or after a few seconds if the database does not respond: then
        the log has a warning, and they are stored as soon as it does.
        """

    async def close(self) -> None:
        """Resign, and disconnect."""


class LocalReplicas(Replicas):
    """The only process of a service without a shared database: everything is in memory."""

    def leadership(self, app: str) -> Leadership:
        # not loaded for apps that do not need it
        from ..database.replicas.leadership import LocalLeadership

        return LocalLeadership(self.instance)

    def channel(self, app: str, name: str, history: int) -> Channel:
        check_channel_name(name)
        return Channel(history)

    def claim(self, app: str, key: str, value: Any, of_database: bool = False) -> Claim:
        from ..database.replicas.claims import Claim

        return Claim(key, value)


def check_channel_name(name: str) -> None:
    """Check the name of a channel.

    Raises:
        ValueError: it is not short ASCII text.
    """
    if not (0 < len(name) <= MAX_NAME and name.isascii() and name.isprintable()):
        raise ValueError(
            f"A channel cannot have the name {name[:MAX_NAME]!r}: it takes ASCII text of up to"
            f" {MAX_NAME} characters."
        )
