"""What an app has in common with the same app on other replicas of the service."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, ClassVar, cast

from traitlets.config import LoggingConfigurable

from .parent import AppParent

if TYPE_CHECKING:
    from ..database.replicas.claims import Claim
    from ..database.replicas.leadership import Leadership
    from ..streaming.channel import Channel


class ReplicatedApp(LoggingConfigurable):
    """The part of ``ServiceApp`` that is about several replicas of the service."""

    name: ClassVar[str]

    _leadership: Leadership | None = None
    _channels: tuple[Channel, ...] = ()
    _claims: tuple[Claim, ...] = ()

    #: The event loop, while the app is ready.
    _loop: asyncio.AbstractEventLoop | None = None

    @property
    def _service(self) -> AppParent:
        return cast(AppParent, self.parent)

    @property
    def leadership(self) -> Leadership:
        """Whether this replica of the service leads this app: ``self.leadership.is_leader``.

        One replica leads at a time, once its app is ready. For periodic work of one replica, see
        ``periodic(…, once=True)``. Without a database that replicas share, this process leads.
        """
        if self._leadership is None:
            self._leadership = self._service.replicas.leadership(self.name)
            if self._loop is not None:
                self._leadership.activate(self._loop)
        return self._leadership

    def open_channel(self, name: str, history: int = 1000) -> Channel:
        """Open a channel: its events reach the listeners of all replicas of the service.

        Without a database that replicas share, it is a ``Channel`` of this process. Call it in
        ``start`` or ``handlers``.

        Args:
            name: the channel's name in the app, which is the same on all replicas.
            history: the number of events that a disconnected or slow listener may miss and still
                get.

        Raises:
            ValueError: the app has opened a channel of this name, or an argument is invalid.
        """
        channel = self._service.replicas.channel(self.name, name, history)
        self._channels = (*self._channels, channel)
        return channel

    def claim(self, key: str, value: Any, of_database: bool = False) -> Claim:
        """Claim a value, such as a setting that shapes stored data, for all replicas.

        ``claim.is_held`` is False while another replica has claimed another value, which
        ``claim.conflict`` has, or as long as that is unknown. Without a database that replicas
        share, it is True.

        Args:
            key: what is claimed, a name in the app.
            value: any JSON value.
            of_database: whether it counts for all services that share the database, as those that
                would write to the same tables.
        """
        claim = self._service.replicas.claim(self.name, key, value, of_database)
        self._claims = (*self._claims, claim)
        return claim

    @property
    def shared_database_url(self) -> str:
        """The database that the service's replicas share, ``TornadoService.database_url``.

        Empty without one, and for an app that is used without a service.
        """
        return str(getattr(self.parent, "database_url", ""))

    @property
    def replica_count(self) -> int:
        """The number of the service's replicas, ``TornadoService.replica_count``."""
        return int(getattr(self.parent, "replica_count", 1))

    def join_replicas(self) -> None:
        """Compete to lead, if the app needs that. The service calls this when the app is ready."""
        self._loop = asyncio.get_running_loop()
        if self._leadership is not None:
            self._leadership.activate(self._loop)

    def leave_replicas(self) -> None:
        """Resign, and close claims and channels. The service calls this when the app has ended."""
        if self._leadership is not None:
            self._leadership.close()
        for claim in self._claims:
            claim.close()
        for channel in self._channels:
            channel.close()
