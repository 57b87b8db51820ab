"""The users of tokens: one call of the hub for each, then a bounded cache."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable, Iterable, Iterator
from hashlib import sha256
from typing import Any, Generic, NamedTuple, TypeVar

from ..hub.client import HubUnavailable
from ..telemetry.metrics import Metrics

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class IdentityKey(NamedTuple):
    """Digests of a token and of the browser's session at the hub.

    One token may occur in several sessions; sign-outs and refusals apply to the token.
    """

    token: bytes
    session: bytes

    @classmethod
    def of(cls, token: str, session_id: str) -> IdentityKey:
        """The key of a token in a session; the empty session is that of a token in a header."""
        return cls(
            *(sha256(text.encode("utf8", "replace")).digest() for text in (token, session_id))
        )


class Identity(dict[str, Any]):
    """The hub's model of a user, and data with the same lifetime.

    Attributes:
        confirmed_at: when the hub sent it, on the monotonic clock.
        missing_scopes: the scopes that the token lacks, by handler and scopes; computing it takes
            a tenth of the time of a request.
        fetched: what apps have fetched with this token.
    """

    __slots__ = ("confirmed_at", "fetched", "is_invalidated", "missing_scopes")

    def __init__(self, model: dict[str, Any], confirmed_at: float) -> None:
        super().__init__(model)
        self.confirmed_at = confirmed_at
        self.is_invalidated = False
        self.missing_scopes: dict[tuple[type, frozenset[str]], set[str]] = {}
        self.fetched: dict[object, asyncio.Future[Any]] = {}


IdentityListener = Callable[[IdentityKey, Identity | None], None]
Fetch = Callable[[], Awaitable[dict[str, Any] | None]]


class LRUCache(Generic[Key, Value]):
    """The ``size`` most recently used entries."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._entries: OrderedDict[Key, Value] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Key]:
        return iter(self._entries)

    def get(self, key: Key) -> Value | None:
        entry = self._entries.get(key)
        if entry is not None:
            self._entries.move_to_end(key)
        return entry

    def put(self, key: Key, value: Value) -> None:
        self._entries[key] = value
        self._entries.move_to_end(key)
        if len(self._entries) > self._size:
            self._entries.popitem(last=False)

    def pop(self, key: Key) -> Value | None:
        return self._entries.pop(key, None)


class IdentityCache:
    """Users by token; concurrent requests share one call of the hub for each token.

    Args:
        size: maximum number of users, and of refused and signed-out tokens each.
        max_age: seconds for which the hub's model of a user is valid.
        refused_max_age: seconds for which a refusal is valid.
        stale_grace: seconds beyond ``max_age`` for which reading is allowed while the hub is down.
        metrics: counts the calls.
    """

    def __init__(
        self,
        *,
        size: int,
        max_age: float,
        refused_max_age: float,
        stale_grace: float,
        metrics: Metrics,
    ) -> None:
        self._identities: LRUCache[IdentityKey, Identity] = LRUCache(size)
        self._refused: LRUCache[bytes, float] = LRUCache(size)
        self._signed_out: LRUCache[bytes, bool] = LRUCache(size)
        self._pending: dict[IdentityKey, asyncio.Task[Identity | None]] = {}
        self._max_age = max_age
        self._refused_max_age = refused_max_age
        self._grace = stale_grace
        self._metrics = metrics
        self._listeners: list[IdentityListener] = []
        metrics.show_identities(
            known=lambda: len(self._identities), refused=lambda: len(self._refused)
        )

    def subscribe(self, listener: IdentityListener) -> None:
        """Call a function with each confirmed user, and with ``None`` for a refused token."""
        self._listeners.append(listener)

    def _notify(self, key: IdentityKey, identity: Identity | None) -> None:
        for listener in self._listeners:
            listener(key, identity)

    def _is_fresh(self, identity: Identity) -> bool:
        return (
            not identity.is_invalidated and time.monotonic() - identity.confirmed_at < self._max_age
        )

    def get_fresh(self, key: IdentityKey) -> Identity | None:
        """The cached user of a token, if no call of the hub is necessary."""
        if self._is_refused(key):
            return None
        identity = self._identities.get(key)
        return identity if identity is not None and self._is_fresh(identity) else None

    async def get(
        self,
        key: IdentityKey,
        fetch: Fetch,
        *,
        revalidate: bool,
    ) -> Identity | None:
        """The user of a token; ``None`` if it is invalid.

        Args:
            key: identifies the token.
            fetch: calls the hub; returns ``None`` for a token that the hub refuses.
            revalidate: whether the hub has to confirm it now, as the request changes something.

        Raises:
            HubUnavailable: the hub does not respond, and the cache is not sufficient.
        """
        if self._is_refused(key):
            return None
        if not revalidate and (fresh := self.get_fresh(key)) is not None:
            return fresh
        cached = self._identities.get(key)
        try:
            identity = await self._revalidated(key, fetch, revalidate=revalidate)
        except HubUnavailable:
            if self._is_refused(key):
                return None
            if revalidate or not self._may_use_stale(key, cached):
                raise
            self._metrics.identities.labels("stale").inc()
            return cached
        # the user may have signed out since the hub responded
        return None if self._is_refused(key) else identity

    async def _revalidated(
        self,
        key: IdentityKey,
        fetch: Fetch,
        *,
        revalidate: bool,
    ) -> Identity | None:
        began = time.monotonic()
        identity = await asyncio.shield(self._fetch_once(key, fetch))
        if revalidate and identity is not None and identity.confirmed_at < began:
            # that call was already running; any later one is fresh enough
            identity = await asyncio.shield(self._fetch_once(key, fetch))
        return identity

    def current(self, key: IdentityKey, identity: Identity) -> Identity | None:
        """The newest model of a user whose request began with ``identity``; none if signed out."""
        return None if self._is_refused(key) else self._identities.get(key) or identity

    def _is_refused(self, key: IdentityKey) -> bool:
        """Whether the token has been signed out, or the hub refused it recently."""
        if self._signed_out.get(key.token):
            return True
        return self._was_refused_within(key, self._refused_max_age)

    def _was_refused_within(self, key: IdentityKey, seconds: float) -> bool:
        refused = self._refused.get(key.token)
        return refused is not None and time.monotonic() - refused < seconds

    def _may_use_stale(self, key: IdentityKey, identity: Identity | None) -> bool:
        if identity is not None:
            age = time.monotonic() - identity.confirmed_at
            return not identity.is_invalidated and age < self._max_age + self._grace
        # such as a proxy's own token in each request, next to a session
        return self._was_refused_within(key, self._max_age + self._grace)

    def _fetch_once(self, key: IdentityKey, fetch: Fetch) -> asyncio.Task[Identity | None]:
        """The running call, or else a new one.

        It is a separate task, so that it continues if the request that started it is cancelled.
        """
        task = self._pending.get(key)
        if task is None:
            task = asyncio.get_running_loop().create_task(self._fetch_and_store(key, fetch))
            self._pending[key] = task
            task.add_done_callback(lambda done: self._on_fetched(key, done))
        return task

    def _on_fetched(self, key: IdentityKey, task: asyncio.Task[Identity | None]) -> None:
        if self._pending.get(key) is task:
            del self._pending[key]
        if not task.cancelled():
            task.exception()  # waiting requests have seen it

    async def _fetch_and_store(self, key: IdentityKey, fetch: Fetch) -> Identity | None:
        began = time.monotonic()
        try:
            model = await fetch()
        except HubUnavailable:
            self._metrics.identities.labels("failed").inc()
            raise
        if self._signed_out.get(key.token):
            return None  # the sign-out is newer than the hub's response
        if model is None:
            self._metrics.identities.labels("refused").inc()
            self.invalidate(key)
            self._refused.put(key.token, time.monotonic())
            self._notify(key, None)
            return None
        self._metrics.identities.labels("known").inc()
        self.invalidate(key)
        identity = Identity(model, began)
        self._identities.put(key, identity)
        self._notify(key, identity)
        return identity

    def invalidate(self, key: IdentityKey) -> None:
        """Remove a user from the cache."""
        identity = self._identities.pop(key)
        if identity is not None:
            identity.is_invalidated = True

    def revoke(self, key: IdentityKey) -> None:
        """Refuse a token from now on, even if the hub accepts it.

        The hub may still accept it: the browser signs out there next. Another page of the browser
        may send the cookie once more before the browser removes it.
        """
        self._signed_out.put(key.token, True)
        for other in [other for other in self._identities if other.token == key.token]:
            self.invalidate(other)
        self._notify(key, None)

    def revoke_tokens(self, tokens: Iterable[bytes]) -> None:
        """Refuse tokens, given by their digests, that were signed out at other replicas."""
        for token in tokens:
            if not self._signed_out.get(token):
                self.revoke(IdentityKey(token, b""))

    def close(self) -> None:
        """Cancel the running calls."""
        for task in list(self._pending.values()):
            task.cancel()
