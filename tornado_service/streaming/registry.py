"""Answers that stay open: how many there may be, and when they end."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, cast

from tornado.web import HTTPError
from traitlets import Float, Integer
from traitlets.config import LoggingConfigurable

from ..hub.client import HubUnavailable

if TYPE_CHECKING:
    from tornado.web import RequestHandler

    from ..auth.identity_cache import Identity, SignInKey
    from ..auth.service_auth import ServiceAuth
    from ..telemetry.metrics import Metrics

#: When the hub is asked about a caller again, as a share of the time for which its word counts:
#: not all callers at once, and early enough for the call to end within that time.
ASK_AFTER = (0.75, 0.9)

#: Seconds between two calls about one caller whom the hub does not confirm.
PAUSE = 5.0

#: How many callers are asked about at once; the hub has visitors to answer, too.
AT_ONCE = 4

#: Seconds after which somebody who was refused may try again.
RETRY_AFTER = 30

#: The two kinds of answers, as they are counted.
KINDS = ("events", "sockets")


class End(Enum):
    """Why a stream ends: for its page, and as a code of web sockets.

    https://www.iana.org/assignments/websocket/websocket.xhtml#close-code-number
    """

    SIGNED_OUT = ("signed-out", False, 1008)
    NO_ACCESS = ("no-access", False, 1008)
    HUB_AWAY = ("hub-away", True, 1013)
    STOPPING = ("stopping", True, 1001)
    FAILED = ("failed", False, 1011)

    def __init__(self, reason: str, may_return: bool, code: int) -> None:
        self.reason = reason
        self.may_return = may_return
        self.code = code


class Stream(Protocol):
    """A response that stays open: the handler of its request."""

    stream_kind: ClassVar[str]
    current_user: Any

    def may_stay(self, user: Identity) -> bool:
        """Whether the caller may go on listening."""

    def end(self, why: End) -> None:
        """End it in order, and say why."""

    def cut(self) -> None:
        """Close the connection."""


class TooMany(HTTPError):
    """429 or 503: no more streams, for now."""

    retry_after = RETRY_AFTER


class Caller:
    """Somebody who has streams open by one token."""

    watch: asyncio.Task[None]
    expiry: asyncio.TimerHandle

    def __init__(self, identity: Identity, ask: Callable[[], Awaitable[Identity | None]]) -> None:
        self.identity = identity
        self.ask = ask
        self.trouble: HubUnavailable | None = None
        self.streams: set[Stream] = set()


class Streams(LoggingConfigurable):
    """Event streams and web sockets: bounded, and ended with the sign-in they belong to."""

    per_user = Integer(
        10,
        help="""How many event streams and web sockets one user may have open; for more the answer
        is 429. Default: 10.""",
        min=1,
    ).tag(config=True)

    in_all = Integer(
        2000,
        help="""How many event streams and web sockets may be open; for more the answer is 503.
        Default: 2000.""",
        min=1,
    ).tag(config=True)

    heartbeat = Float(
        15.0,
        help="""Seconds between signs of life, in either direction: a reader who has taken nothing
        for two of them is gone. Proxies on the way must wait longer than that. Default: 15.""",
        min=0.1,
    ).tag(config=True)

    def __init__(self, auth: ServiceAuth, metrics: Metrics, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._auth = auth
        self.metrics = metrics
        self._by_owner: Counter[tuple[str, str]] = Counter()
        self._by_kind: Counter[str] = Counter()
        self._callers: dict[bytes, Caller] = {}
        self._asking = asyncio.Semaphore(AT_ONCE)
        self._is_closing = False
        auth.identities.on_word = self._told
        for kind in KINDS:
            metrics.show_streams(kind, partial(self._by_kind.__getitem__, kind))

    def __len__(self) -> int:
        return self._by_kind.total()

    @contextmanager
    def keep(self, stream: Stream) -> Iterator[None]:
        """Count a stream as open, and end it when its caller's sign-in does.

        Args:
            stream: the handler of the request.

        Raises:
            HTTPError: 401, nobody is signed in (any more); 403, access was lost meanwhile.
            TooMany: there are as many as there may be.
        """
        if stream.current_user is None:
            raise HTTPError(401, "This is for people and programs that are signed in.")
        key, ask = self._auth.sign_in_of(cast("RequestHandler", stream))
        user = self._take_current_user(stream, key)
        owner = (str(user.get("kind")), user["name"])
        self._find_room(owner)
        caller = self._callers.get(key.token)
        if caller is None:
            caller = self._callers[key.token] = Caller(user, ask)
            self._expire_later(caller)
            caller.watch = asyncio.get_running_loop().create_task(self._watch(key, caller))
        caller.streams.add(stream)
        self._by_owner[owner] += 1
        self._by_kind[stream.stream_kind] += 1
        try:
            yield
        finally:
            self._by_kind[stream.stream_kind] -= 1
            self._by_owner[owner] -= 1
            if not self._by_owner[owner]:
                del self._by_owner[owner]
            caller.streams.discard(stream)
            if not caller.streams and self._callers.get(key.token) is caller:
                del self._callers[key.token]
                caller.expiry.cancel()
                caller.watch.cancel()

    def _take_current_user(self, stream: Stream, key: SignInKey) -> Identity:
        """See that the caller may still listen: while the stream was prepared, nobody told it."""
        then: Identity = stream.current_user
        user = self._auth.identities.current(key, then)
        if user is None:
            raise HTTPError(401, "Not signed in, or your session has expired.")
        if user is not then and not stream.may_stay(user):
            raise HTTPError(403, "Your access to this has ended.")
        stream.current_user = user
        return user

    def _find_room(self, owner: tuple[str, str]) -> None:
        if self._is_closing:
            raise TooMany(503, "The service is being stopped. Try again soon.")
        if self._by_owner[owner] >= self.per_user:
            raise TooMany(
                429,
                "You have %d live connections open, which is as many as one user may have."
                " Close a page that has one.",
                self.per_user,
            )
        if len(self) >= self.in_all:
            raise TooMany(503, "Too many live connections are open. Try again later.")

    async def _watch(self, key: SignInKey, caller: Caller) -> None:
        """Ask again before what the hub said of a caller has become old."""
        pause = 0.0
        while True:
            share = random.uniform(*ASK_AFTER)  # noqa: S311 - no secret
            await asyncio.sleep(max(self._rest(caller.identity, share), pause))
            if self._rest(caller.identity, ASK_AFTER[0]) <= 0:
                await self._ask_again(key, caller)
                pause = PAUSE * random.uniform(1, 1.1)  # noqa: S311

    def _rest(self, identity: Identity, share: float) -> float:
        """Seconds until a share of the time is over for which the hub's word counts."""
        return 0.0 if identity.dropped else self._auth.cache_max_age * share - _age(identity)

    async def _ask_again(self, key: SignInKey, caller: Caller) -> None:
        async with self._asking:
            try:
                self._told(key, await caller.ask())
            except HubUnavailable as error:  # what it said last is still good, for a while
                caller.trouble = error

    def _expire_later(self, caller: Caller) -> None:
        """End the streams when what the hub said last counts no more, whatever is under way."""
        counts = max(self._auth.cache_max_age + self._auth.stale_grace, 2 * PAUSE)
        rest = counts - _age(caller.identity)
        caller.expiry = asyncio.get_running_loop().call_later(rest, self._expire, caller)

    def _expire(self, caller: Caller) -> None:
        if caller.trouble is not None:
            caller.trouble.log_reason(self.log, f"streams of {caller.identity['name']} end")
        self._end(caller, End.HUB_AWAY)

    def _told(self, key: SignInKey, user: Identity | None) -> None:
        """Take what has become known of a caller, whoever asked: nobody is who was refused."""
        caller = self._callers.get(key.token)
        if caller is None:
            return
        if user is None:
            self._end(caller, End.SIGNED_OUT)
            return
        caller.identity = user
        caller.expiry.cancel()
        self._expire_later(caller)
        for stream in list(caller.streams):
            if stream.may_stay(user):
                stream.current_user = user
            else:
                self._end_one(stream, End.NO_ACCESS)

    def _end(self, caller: Caller, why: End) -> None:
        for stream in list(caller.streams):
            self._end_one(stream, why)

    def _end_one(self, stream: Stream, why: End) -> None:
        try:
            stream.end(why)
        except Exception:  # of an author's on_finish: the others are to end, too
            self.log.exception("%s cannot be ended in order", type(stream).__name__)
            stream.cut()

    def close(self) -> None:
        """End all, and let no more in, as the service is being stopped."""
        self._is_closing = True
        for caller in self._callers.values():
            self._end(caller, End.STOPPING)

    def cut(self) -> None:
        """Close the connections of those that have not ended by themselves."""
        for caller in self._callers.values():
            for stream in list(caller.streams):
                stream.cut()


def _age(identity: Identity) -> float:
    return time.monotonic() - identity.confirmed
