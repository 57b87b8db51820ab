"""Who is behind which token: asked of the hub once, remembered for a while, in bounded space."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable, Iterator
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from ..hub.client import HubUnavailable

if TYPE_CHECKING:
    from ..telemetry.metrics import Metrics

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class IdentityKey(NamedTuple):
    """Stands for a token, and for the hub session of the browser that sent it: digests of both.

    One token may come in several sessions; a sign-out or a refusal is about the token.
    """

    token: bytes
    session: bytes


class Identity(dict[str, Any]):
    """The hub's model of a caller, and when the hub said so.

    ``memo`` remembers what was derived from the model, for as long as it is good.
    """

    __slots__ = ("confirmed_at", "is_invalidated", "memo")

    def __init__(self, model: dict[str, Any], confirmed_at: float) -> None:
        super().__init__(model)
        self.confirmed_at = confirmed_at
        self.is_invalidated = False
        self.memo: dict[Hashable, Any] = {}


class LRUCache(Generic[Key, Value]):
    """The entries used last, of which there are never more than ``size``."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._entries: OrderedDict[Key, Value] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def __iter__(self) -> Iterator[Key]:
        return iter(self._entries)

    def get(self, key: Key) -> Value | None:
        """An entry, which is now the one used last."""
        entry = self._entries.get(key)
        if entry is not None:
            self._entries.move_to_end(key)
        return entry

    def put(self, key: Key, value: Value) -> None:
        """Add or replace an entry; the one that was not used for longest makes room."""
        self._entries[key] = value
        self._entries.move_to_end(key)
        if len(self._entries) > self._size:
            self._entries.popitem(last=False)

    def pop(self, key: Key) -> Value | None:
        """Take an entry out."""
        return self._entries.pop(key, None)


class IdentityCache:
    """Callers by token, each asked of the hub by one call however many requests wait for it.

    Args:
        size: how many callers are remembered, and as many refused and signed-out tokens each.
        max_age: seconds for which the hub's word is taken.
        refused_max_age: seconds for which a refusal is.
        stale_grace: seconds beyond ``max_age`` for which readers stay known while the hub is away.
        metrics: counts what was asked.
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
        #: Hears what becomes known of the caller behind a key: nobody if they are refused.
        self.on_identity_changed: Callable[[IdentityKey, Identity | None], None] = (
            lambda key, identity: None
        )
        metrics.show_identities(
            known=lambda: len(self._identities), refused=lambda: len(self._refused)
        )

    def is_fresh(self, identity: Identity) -> bool:
        """Whether the hub's word on a caller still counts."""
        return (
            not identity.is_invalidated and time.monotonic() - identity.confirmed_at < self._max_age
        )

    async def get(
        self,
        key: IdentityKey,
        fetch: Callable[[], Awaitable[dict[str, Any] | None]],
        *,
        revalidate: bool,
    ) -> Identity | None:
        """The caller behind a token, or nobody.

        Args:
            key: stands for the token.
            fetch: asks the hub; gives nobody for a token that it refuses.
            revalidate: whether the hub has to confirm it now, because something is to be changed.

        Raises:
            HubUnavailable: the hub does not answer, and the caller is not known (well enough).
        """
        if self._is_refused(key):
            return None
        known = self._identities.get(key)
        if known is not None and self.is_fresh(known) and not revalidate:
            return known
        try:
            identity = await self._revalidated(key, fetch, revalidate=revalidate)
        except HubUnavailable:
            if self._is_refused(key):
                return None
            if revalidate or not self._may_use_stale(key, known):
                raise
            self._metrics.identities.labels("stale").inc()
            return known
        # somebody may have signed out since the hub answered
        return None if self._is_refused(key) else identity

    async def _revalidated(
        self,
        key: IdentityKey,
        fetch: Callable[[], Awaitable[dict[str, Any] | None]],
        *,
        revalidate: bool,
    ) -> Identity | None:
        began = time.monotonic()
        identity = await asyncio.shield(self._fetch_once(key, fetch))
        if revalidate and identity is not None and identity.confirmed_at < began:
            # that call was under way before; any that is now is late enough
            identity = await asyncio.shield(self._fetch_once(key, fetch))
        return identity

    def current(self, key: IdentityKey, identity: Identity) -> Identity | None:
        """What is known now of a caller whom a request knows as ``identity``; nobody if signed out.

        Time may have passed since the request was let in.
        """
        return None if self._is_refused(key) else self._identities.get(key) or identity

    def _is_refused(self, key: IdentityKey) -> bool:
        """Whether the token has been signed out, or the hub has just refused it."""
        if self._signed_out.get(key.token):
            return True
        return self._was_refused_within(key, self._refused_max_age)

    def _was_refused_within(self, key: IdentityKey, seconds: float) -> bool:
        refused = self._refused.get(key.token)
        return refused is not None and time.monotonic() - refused < seconds

    def _may_use_stale(self, key: IdentityKey, known: Identity | None) -> bool:
        """Whether what the hub said last, yes or no, counts while it is away."""
        if known is not None:
            return self._is_in_grace(known)
        # such as a proxy's own token in each request: the session beside it goes on
        return self._was_refused_within(key, self._max_age + self._grace)

    def _is_in_grace(self, identity: Identity) -> bool:
        age = time.monotonic() - identity.confirmed_at
        return not identity.is_invalidated and age < self._max_age + self._grace

    def _fetch_once(
        self, key: IdentityKey, fetch: Callable[[], Awaitable[dict[str, Any] | None]]
    ) -> asyncio.Task[Identity | None]:
        """The call that is under way, else a new one.

        It is a task of its own, so that it goes on when the request that began it is gone.
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
            task.exception()  # whoever waited has seen it; nobody else needs to

    async def _fetch_and_store(
        self, key: IdentityKey, fetch: Callable[[], Awaitable[dict[str, Any] | None]]
    ) -> Identity | None:
        began = time.monotonic()
        try:
            model = await fetch()
        except HubUnavailable:
            self._metrics.identities.labels("failed").inc()
            raise
        if self._signed_out.get(key.token):
            return None  # what the hub said before that counts no more
        if model is None:
            self._metrics.identities.labels("refused").inc()
            self.invalidate(key)
            self._refused.put(key.token, time.monotonic())
            self.on_identity_changed(key, None)
            return None
        self._metrics.identities.labels("known").inc()
        self.invalidate(key)
        identity = Identity(model, began)
        self._identities.put(key, identity)
        self.on_identity_changed(key, identity)
        return identity

    def invalidate(self, key: IdentityKey) -> None:
        """Forget a caller at once."""
        known = self._identities.pop(key)
        if known is not None:
            known.is_invalidated = True

    def revoke(self, key: IdentityKey) -> None:
        """Refuse a token from now on, whatever is under way with it and whatever the hub says.

        The hub may still accept it: the browser goes there next. Another page of that browser may
        send it once more before it hears that the cookie is gone.
        """
        self._signed_out.put(key.token, True)
        for each in [each for each in self._identities if each.token == key.token]:
            self.invalidate(each)
        self.on_identity_changed(key, None)

    def close(self) -> None:
        """End what is under way."""
        for task in list(self._pending.values()):
            task.cancel()
