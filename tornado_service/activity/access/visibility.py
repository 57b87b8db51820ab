"""Whose usage a user sees: that of the users whom the hub lists to their own token."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from ... import HubRefused, HubUnavailable
from ..collect.collector import epoch_seconds
from ..history.history import FAR_FUTURE

if TYPE_CHECKING:
    from ...handlers.base import BaseHandler
    from ...hub.models import User
    from ..app import Activity

Value = TypeVar("Value")

#: Who holds it unfiltered sees everybody, so that nobody has to be looked up.
LIST_USERS = "list:users"

#: In place of the scope that is missing, where none is.
UNAVAILABLE = "unavailable"


@dataclass(frozen=True)
class VisibleUsers:
    """The people whose use a visitor may see.

    Attributes:
        everybody: all of them, those too whom the hub has deleted since.
        names: else exactly these: whom the hub lists to the visitor, who are among them only if
            listed, too. If the hub lists nobody: the visitor.
        me: the visitor, if that is a user.
        created: when some of the users of these names were created: the visitor, and all who are
            newer than the last full sample. Earlier accounts of their names are somebody else's.
    """

    everybody: bool
    names: frozenset[str]
    me: str | None
    created: frozenset[tuple[str, int | None]] = frozenset()

    def includes(self, name: str) -> bool:
        """Whether somebody is among them, existing or not."""
        return self.everybody or name in self.names

    @property
    def has_others(self) -> bool:
        """Whether there is anybody but the visitor."""
        return self.everybody or bool(self.names - {self.me})

    @property
    def sees_only_self(self) -> bool:
        """Whether the visitor sees their own usage and nobody else's."""
        return self.me is not None and not self.has_others


@dataclass(frozen=True)
class Groups:
    """The groups that the hub shows to a visitor.

    Attributes:
        members: the names of those members whom the visitor may see, by group.
        missing: the scope without which the hub shows no groups or no members; ``UNAVAILABLE`` if
            it sent none this time; empty if it did.
    """

    members: dict[str, frozenset[str]] = field(default_factory=dict)
    missing: str = ""


async def get_visible_users(handler: BaseHandler) -> VisibleUsers:
    """Whose use the caller of a handler may see. The hub alone decides.

    It is asked once for as long as its word on the caller counts (``cache_max_age``).

    Raises:
        HubUnavailable: it would have to say, and does not answer.
    """
    return await _memoized(handler, get_visible_users, lambda: _fetch_visible_users(handler))


def cached_visible_users(handler: BaseHandler) -> VisibleUsers | None:
    """The same, if the hub has said it already; nothing otherwise."""
    task = handler.current_user.fetched.get(get_visible_users) if handler.current_user else None
    if task is None or not task.done() or task.cancelled() or task.exception():
        return None
    found: VisibleUsers = task.result()
    return found


async def get_visible_groups(handler: BaseHandler) -> Groups:
    """The groups, and of their members those whose use the caller of a handler may see.

    Raises:
        HubUnavailable: the hub would have to say, and does not answer.
    """
    return await _memoized(handler, get_visible_groups, lambda: _fetch_visible_groups(handler))


async def groups_if_available(handler: BaseHandler) -> Groups:
    """As ``get_visible_groups``, for what can do without: none if the hub sends none just now."""
    try:
        return await get_visible_groups(handler)
    except HubUnavailable as error:
        error.log_reason(handler.context.log, f"no groups, request_id={handler.request_id}")
        return Groups(missing=UNAVAILABLE)


async def _fetch_visible_users(handler: BaseHandler) -> VisibleUsers:
    user = handler.current_user
    me = user["name"] if user.get("kind", "user") == "user" else None
    if handler.hub_auth.check_scopes({LIST_USERS}, user):
        return VisibleUsers(True, frozenset(), me)
    listed: list[str] = []
    try:
        listed = [each.name async for each in handler.as_caller().users()]
    except HubRefused as refusal:
        if refusal.status_code != 403:
            raise
    names = frozenset(listed or ([me] if me else []))
    created = await _fetch_newest_users(handler) if names - {me} else {}
    if me is not None and me in names:
        created |= await own_creation_time(handler)
    of_names = frozenset(each for each in created.items() if each[0] in names)
    return VisibleUsers(False, names, me, of_names)


async def own_creation_time(handler: BaseHandler) -> dict[str, int | None]:
    """When the caller of a handler was created; later than everything, if they exist no more.

    The service asks, as few tokens of users show it. Empty, if its own does not show it either.

    Raises:
        HubUnavailable: the hub does not answer.
    """
    return await _memoized(handler, own_creation_time, lambda: _fetch_own_creation_time(handler))


async def _fetch_own_creation_time(handler: BaseHandler) -> dict[str, int | None]:
    name = handler.current_user["name"]
    user = await handler.context.hub.user(name)
    return {name: FAR_FUTURE} if user is None else _creation_times([user])


async def _fetch_newest_users(handler: BaseHandler) -> dict[str, int | None]:
    """Users by when they were created, all since the last full sample among them."""
    found: dict[str, int | None] = {}
    since = _listed_until(handler.app)
    async for page in handler.context.hub.user_pages(newest_first=True):
        created = _creation_times(page.items)
        found |= created
        if not created or any(moment is None or moment < since for moment in created.values()):
            break
    return found


def _listed_until(app: Activity) -> int:
    """From when on users may be new to us."""
    if app.has_history:
        return app.archive.history.listed_to or 0
    return app.collector.latest.taken if app.collector.latest else FAR_FUTURE


def _creation_times(users: Iterable[User]) -> dict[str, int | None]:
    """When users were created, as far as the service's scopes let the hub tell."""
    told = (user for user in users if "created" in user.model_fields_set)
    return {user.name: epoch_seconds(user.created) for user in told}


async def _fetch_visible_groups(handler: BaseHandler) -> Groups:
    visible = await get_visible_users(handler)
    try:
        groups = [group async for group in handler.as_caller().groups()]
    except HubRefused as refusal:
        if refusal.status_code != 403:
            raise
        return Groups(missing=refusal.scope)
    known = {group.name: group.users for group in groups if group.users is not None}
    if groups and not known:
        return Groups(missing="read:groups")
    return Groups(
        {name: _restrict_to_visible(visible, users) for name, users in sorted(known.items())}
    )


def _restrict_to_visible(visible: VisibleUsers, names: Iterable[str]) -> frozenset[str]:
    return frozenset(name for name in names if visible.includes(name))


async def _memoized(
    handler: BaseHandler, key: object, fetch: Callable[[], Awaitable[Value]]
) -> Value:
    """Ask once for as long as the hub's word on the caller counts, however many requests wait."""
    remembered = handler.current_user.fetched
    task = remembered.get(key)
    if task is None or (task.done() and (task.cancelled() or task.exception())):
        task = remembered[key] = asyncio.ensure_future(fetch())
        task.add_done_callback(lambda done: done.cancelled() or done.exception())
    return await asyncio.shield(task)
