"""Long-lived responses: limits and expiry."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from functools import partial
from typing import Any, ClassVar, Protocol, cast

from tornado.web import HTTPError, RequestHandler
from traitlets import Float, Integer
from traitlets.config import LoggingConfigurable

from ..auth.identity_cache import Identity, IdentityKey
from ..auth.service_auth import ServiceAuth
from ..hub.client import HubUnavailable
from ..telemetry.metrics import Metrics

#: When to check a user with the hub again, as a share of the lifetime of the hub's response:
#: spread over users, and early enough for the call to end within that time.
RECHECK_AT = (0.75, 0.9)

#: Seconds between two calls for a user whom the hub does not confirm.
MIN_RECHECK_INTERVAL = 5.0

#: Concurrent checks of users, as the hub has other requests to serve.
MAX_CONCURRENT_RECHECKS = 4

#: Seconds after which a refused client may retry.
RETRY_AFTER = 30

#: The two kinds of streams, as labels of metrics.
STREAM_KINDS = ("events", "sockets")


class CloseReason(Enum):
    """Why a stream ends: for its page, and as a close code of WebSockets.

    https://www.iana.org/assignments/websocket/websocket.xhtml#close-code-number
    """

    SIGNED_OUT = ("signed-out", False, 1008)
    NO_ACCESS = ("no-access", False, 1008)
    HUB_UNAVAILABLE = ("hub-away", True, 1013)
    STOPPING = ("stopping", True, 1001)
    FAILED = ("failed", False, 1011)

    def __init__(self, label: str, may_reconnect: bool, code: int) -> None:
        self.label = label
        self.may_reconnect = may_reconnect
        self.code = code


class Stream(Protocol):
    """A response that stays open: the handler of its request."""

    stream_kind: ClassVar[str]
    current_user: Any

    def is_still_allowed(self, user: Identity) -> bool:
        """Whether the user still has access."""

    def close_with_reason(self, reason: CloseReason) -> None:
        """Close it gracefully, with a reason for the client."""

    def abort(self) -> None:
        """Abort the connection."""


class TooManyStreams(HTTPError):
    """429 or 503: the limit of streams is reached."""

    retry_after = RETRY_AFTER


class StreamOwner:
    """A user with open streams, by one token."""

    recheck_task: asyncio.Task[None]
    expiry_timer: asyncio.TimerHandle

    def __init__(
        self, identity: Identity, fetch_identity: Callable[[], Awaitable[Identity | None]]
    ) -> None:
        self.identity = identity
        self.fetch_identity = fetch_identity
        self.last_error: HubUnavailable | None = None
        self.streams: set[Stream] = set()


class Streams(LoggingConfigurable):
    """Event streams and WebSockets: limits their number, and ends them with their session."""

    per_user = Integer(
        10,
        help="""Maximum number of open event streams and WebSockets of one user; beyond it, the
        response is 429. Default: 10.""",
        min=1,
    ).tag(config=True)

    in_all = Integer(
        2000,
        help="""Maximum number of open event streams and WebSockets; beyond it, the response is 503.
        Default: 2000.""",
        min=1,
    ).tag(config=True)

    heartbeat = Float(
        15.0,
        help="""Seconds between heartbeats, in either direction. A reader that receives nothing for
        two of them is disconnected. Timeouts of proxies must be longer. Default: 15.""",
        min=0.1,
    ).tag(config=True)

    def __init__(self, auth: ServiceAuth, metrics: Metrics, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._auth = auth
        self.metrics = metrics
        self._streams_per_user: Counter[tuple[str, str]] = Counter()
        self._by_kind: Counter[str] = Counter()
        self._owners: dict[bytes, StreamOwner] = {}
        self._recheck_slots = asyncio.Semaphore(MAX_CONCURRENT_RECHECKS)
        self._is_closing = False
        auth.identities.subscribe(self._apply_identity)
        for kind in STREAM_KINDS:
            metrics.show_streams(kind, partial(self._by_kind.__getitem__, kind))

    def __len__(self) -> int:
        return self._by_kind.total()

    @contextmanager
    def register(self, stream: Stream) -> Iterator[None]:
        """Register an open stream, and end it when its user's session ends.

        Raises:
            HTTPError: 401, not or no longer signed in; 403, access was lost meanwhile.
            TooManyStreams: a limit is reached.
        """
        if stream.current_user is None:
            raise HTTPError(401, "Sign in first.")
        key, fetch_identity = self._auth.identity_lookup(cast("RequestHandler", stream))
        user = self._refresh_current_user(stream, key)
        user_key = (str(user.get("kind")), user["name"])
        self._check_limits(user_key)
        owner = self._owners.get(key.token)
        if owner is None:
            owner = self._owners[key.token] = StreamOwner(user, fetch_identity)
            self._schedule_expiry(owner)
            owner.recheck_task = asyncio.get_running_loop().create_task(
                self._recheck_periodically(key, owner)
            )
        owner.streams.add(stream)
        self._streams_per_user[user_key] += 1
        self._by_kind[stream.stream_kind] += 1
        try:
            yield
        finally:
            self._by_kind[stream.stream_kind] -= 1
            self._streams_per_user[user_key] -= 1
            if not self._streams_per_user[user_key]:
                del self._streams_per_user[user_key]
            owner.streams.discard(stream)
            if not owner.streams and self._owners.get(key.token) is owner:
                del self._owners[key.token]
                owner.expiry_timer.cancel()
                owner.recheck_task.cancel()

    def _refresh_current_user(self, stream: Stream, key: IdentityKey) -> Identity:
        """Check that the user still has access: it may have ended since the request began."""
        then: Identity = stream.current_user
        user = self._auth.identities.current(key, then)
        if user is None:
            raise HTTPError(401, "Not signed in, or your session has expired.")
        if user is not then and not stream.is_still_allowed(user):
            raise HTTPError(403, "Your access to this has ended.")
        stream.current_user = user
        return user

    def _check_limits(self, user_key: tuple[str, str]) -> None:
        if self._is_closing:
            raise TooManyStreams(503, "The service is being stopped. Try again soon.")
        if self._streams_per_user[user_key] >= self.per_user:
            raise TooManyStreams(
                429,
                "You have %d live connections open, which is as many as one user may have."
                " Close a page that has one.",
                self.per_user,
            )
        if len(self) >= self.in_all:
            raise TooManyStreams(503, "Too many live connections are open. Try again later.")

    async def _recheck_periodically(self, key: IdentityKey, owner: StreamOwner) -> None:
        pause = 0.0
        while True:
            share = random.uniform(*RECHECK_AT)  # noqa: S311 - not a secret
            await asyncio.sleep(max(self._seconds_until(owner.identity, share), pause))
            if self._seconds_until(owner.identity, RECHECK_AT[0]) <= 0:
                await self._recheck(key, owner)
                pause = MIN_RECHECK_INTERVAL * random.uniform(1, 1.1)  # noqa: S311

    def _seconds_until(self, identity: Identity, share: float) -> float:
        """Seconds until a share of the cache's ``max_age`` has passed."""
        return 0.0 if identity.is_invalidated else self._auth.cache_max_age * share - _age(identity)

    async def _recheck(self, key: IdentityKey, owner: StreamOwner) -> None:
        async with self._recheck_slots:
            try:
                self._apply_identity(key, await owner.fetch_identity())
            except HubUnavailable as error:  # the previous response stays valid for a while
                owner.last_error = error

    def _schedule_expiry(self, owner: StreamOwner) -> None:
        """End the streams when the hub's last model of the user expires."""
        counts = max(self._auth.cache_max_age + self._auth.stale_grace, 2 * MIN_RECHECK_INTERVAL)
        rest = counts - _age(owner.identity)
        owner.expiry_timer = asyncio.get_running_loop().call_later(rest, self._expire, owner)

    def _expire(self, owner: StreamOwner) -> None:
        if owner.last_error is not None:
            owner.last_error.log_reason(self.log, f"streams of {owner.identity['name']} end")
        self._close_all(owner, CloseReason.HUB_UNAVAILABLE)

    def _apply_identity(self, key: IdentityKey, user: Identity | None) -> None:
        owner = self._owners.get(key.token)
        if owner is None:
            return
        if user is None:
            self._close_all(owner, CloseReason.SIGNED_OUT)
            return
        owner.identity = user
        owner.expiry_timer.cancel()
        self._schedule_expiry(owner)
        for stream in list(owner.streams):
            if stream.is_still_allowed(user):
                stream.current_user = user
            else:
                self._close_stream(stream, CloseReason.NO_ACCESS)

    def _close_all(self, owner: StreamOwner, reason: CloseReason) -> None:
        for stream in list(owner.streams):
            self._close_stream(stream, reason)

    def _close_stream(self, stream: Stream, reason: CloseReason) -> None:
        try:
            stream.close_with_reason(reason)
        except Exception:  # from an app's on_finish: the others must end, too
            self.log.exception("%s cannot be ended in order", type(stream).__name__)
            stream.abort()

    def close(self) -> None:
        """End all streams and refuse new ones, as the service is being stopped."""
        self._is_closing = True
        for owner in self._owners.values():
            self._close_all(owner, CloseReason.STOPPING)

    def abort(self) -> None:
        """Abort the connections of the remaining streams."""
        for owner in self._owners.values():
            for stream in list(owner.streams):
                stream.abort()


def _age(identity: Identity) -> float:
    return time.monotonic() - identity.confirmed_at
