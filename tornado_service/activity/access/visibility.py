"""Whose usage a user may see: that of the users whom the hub lists to their own token.

Calls of the hub raise `HubUnavailable` if it does not respond.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterable
from dataclasses import dataclass
from functools import wraps
from typing import TypeAlias, TypeVar

from ... import HubRefused, HubUnavailable, User
from ...handlers.base import BaseHandler
from ..domain.calendar import epoch_seconds
from ..domain.pseudonyms import NameMapper
from ..domain.records import FAR_FUTURE, Sample
from ..history.archive import Scope

Value = TypeVar("Value")
Fetch: TypeAlias = Callable[[BaseHandler], Awaitable[Value]]

#: Groups with the names of those members whom a visitor may see.
Members: TypeAlias = tuple[tuple[str, frozenset[str]], ...]

#: A token that has it unfiltered sees all users, so the hub is not asked for them.
LIST_USERS = "list:users"

#: In place of the missing scope, where none is missing.
UNAVAILABLE = "unavailable"


@dataclass(frozen=True)
class VisibleUsers:
    """The users whose usage a visitor may see."""

    all_users: bool  # all of them, also those whom the hub has deleted since
    #: else exactly these: whom the hub lists to the visitor, who is among them only if listed. If
    #: the hub lists no user: the visitor.
    names: frozenset[str]
    me: str | None  # the visitor, if that is a user
    #: when some users of these names were created: the visitor, and all who are newer than the last
    #: full sample. Earlier accounts of their names are not theirs.
    created: frozenset[tuple[str, int | None]] = frozenset()

    @property
    def scope(self) -> Scope:
        """The same for the archive."""
        return None if self.all_users else (self.names, self.created)

    def includes(self, name: str) -> bool:
        return self.all_users or name in self.names

    def accounts_in(self, sample: Sample) -> frozenset[str] | None:
        """The visible users of a sample, without earlier accounts of names; ``None``: all."""
        if self.all_users:
            return None
        created = dict(self.created)
        return frozenset(
            user.name
            for user in sample.users
            if user.name in self.names and created.get(user.name, user.created) == user.created
        )

    def within(self, names: Iterable[str]) -> VisibleUsers:
        """Those of these names, current users of the hub, whom the visitor may see."""
        chosen = frozenset(filter(self.includes, names))
        created = frozenset(entry for entry in self.created if entry[0] in chosen)
        return VisibleUsers(False, chosen, self.me, created)

    def under(self, map_name: NameMapper) -> VisibleUsers:
        """The same users under the names that this function gives them."""
        return VisibleUsers(
            self.all_users,
            frozenset(map(map_name, self.names)),
            None if self.me is None else map_name(self.me),
            frozenset((map_name(name), moment) for name, moment in self.created),
        )

    @property
    def has_others(self) -> bool:
        return self.all_users or bool(self.names - {self.me})

    @property
    def sees_only_self(self) -> bool:
        return self.me is not None and not self.has_others


@dataclass(frozen=True)
class Groups:
    """The groups that the hub shows to a visitor."""

    members: Members = ()  # by name
    #: the scope without which the hub shows no groups or no members; ``UNAVAILABLE`` if it sent
    #: none this time; empty if it did
    missing: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.members)

    def only(self, names: Collection[str]) -> Groups:
        """These of the groups; all, if no names are given."""
        chosen = tuple(group for group in self.members if not names or group[0] in names)
        return Groups(chosen, self.missing)

    @property
    def everyone(self) -> frozenset[str]:
        """The members of all of them."""
        return frozenset().union(*(names for _, names in self.members))


def fetched_once(fetch: Fetch[Value]) -> Fetch[Value]:
    """Fetch once for as long as the sender's identity is cached, however many requests wait."""

    @wraps(fetch)
    async def fetch_once(handler: BaseHandler) -> Value:
        memo = handler.current_user.fetched
        task = memo.get(fetch_once)
        if task is None or (task.done() and (task.cancelled() or task.exception())):
            task = memo[fetch_once] = asyncio.ensure_future(fetch(handler))
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
        return await asyncio.shield(task)

    return fetch_once


@fetched_once
async def get_visible_users(handler: BaseHandler) -> VisibleUsers:
    """Return whose usage the sender of a request may see. The hub alone decides."""
    user = handler.current_user
    me = user["name"] if user.get("kind", "user") == "user" else None
    if handler.hub_auth.check_scopes({LIST_USERS}, user):
        return VisibleUsers(True, frozenset(), me)
    listed: list[str] = []
    try:
        listed = [user.name async for user in handler.as_caller().users()]
    except HubRefused as refusal:
        if refusal.status_code != 403:
            raise
    names = frozenset(listed or ([me] if me else []))
    created = await _fetch_newest_users(handler) if names - {me} else {}
    if me is not None and me in names:
        created |= await _get_own_creation_time(handler)
    created_of_names = {name: moment for name, moment in created.items() if name in names}
    return VisibleUsers(False, names, me, frozenset(created_of_names.items()))


def cached_visible_users(handler: BaseHandler) -> VisibleUsers | None:
    """Return the same if the hub has responded already, else ``None``."""
    task = handler.current_user.fetched.get(get_visible_users) if handler.current_user else None
    if task is None or not task.done() or task.cancelled() or task.exception():
        return None
    visible: VisibleUsers = task.result()
    return visible


async def get_own_user(handler: BaseHandler) -> VisibleUsers:
    """Return the sender of a request, a user, as the only visible one."""
    name = handler.current_user["name"]
    created = await _get_own_creation_time(handler)
    return VisibleUsers(False, frozenset({name}), name, frozenset(created.items()))


@fetched_once
async def get_visible_groups(handler: BaseHandler) -> Groups:
    """Return the groups, and those of their members whose usage the sender may see."""
    visible = await get_visible_users(handler)
    try:
        groups = [group async for group in handler.as_caller().groups()]
    except HubRefused as refusal:
        if refusal.status_code != 403:
            raise
        return Groups(missing=refusal.scope)
    members = {group.name: group.users for group in groups if group.users is not None}
    if groups and not members:
        return Groups(missing="read:groups")
    return Groups(
        tuple(
            (name, frozenset(filter(visible.includes, members[name]))) for name in sorted(members)
        )
    )


async def groups_if_available(handler: BaseHandler) -> Groups:
    """Return the groups; none, and no error, if the hub does not send them."""
    try:
        return await get_visible_groups(handler)
    except HubUnavailable as error:
        error.log_reason(handler.context.log, f"no groups, request_id={handler.request_id}")
        return Groups(missing=UNAVAILABLE)


@fetched_once
async def _get_own_creation_time(handler: BaseHandler) -> dict[str, int | None]:
    """When the sender was created; later than everything, if the account is deleted.

    The service asks, as few tokens of users show it. Empty, if its own does not show it either.
    """
    name = handler.current_user["name"]
    user = await handler.context.hub.user(name)
    return {name: FAR_FUTURE} if user is None else _creation_times([user])


async def _fetch_newest_users(handler: BaseHandler) -> dict[str, int | None]:
    """Users by when they were created, all since the last full sample among them."""
    newest: dict[str, int | None] = {}
    since = handler.app.recorder.listed_until
    async for page in handler.context.hub.user_pages(newest_first=True):
        created = _creation_times(page.items)
        newest |= created
        if not created or any(moment is None or moment < since for moment in created.values()):
            break
    return newest


def _creation_times(users: Iterable[User]) -> dict[str, int | None]:
    """When users were created, as far as the service's scopes let the hub tell."""
    return {
        user.name: epoch_seconds(user.created)
        for user in users
        if "created" in user.model_fields_set
    }
