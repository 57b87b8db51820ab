"""What may be asked of the hub with one token, and what is typed of its answers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable
from typing import Any, Literal, Protocol, TypeVar
from urllib.parse import quote

from pydantic import BaseModel, Field, ValidationError
from tornado.web import HTTPError

from .hub_models import Group, Model, Page, User
from .hub_transport import HubAnswer, HubUnavailable

#: Items of a page. The hub gives fewer where its admin wants that (``api_page_max_limit``).
PAGE = 200

#: Groups of a page: each comes with all of its members.
GROUPS = 20

#: The part of a page that is asked for again with the next one: so many may leave the list in
#: between and nobody else is missed.
OVERLAP = 10

Parsed = TypeVar("Parsed", bound=BaseModel)


class HubRefused(HTTPError):
    """The hub does not do this for the token that it was asked with.

    - 403: the caller's own token lacks a scope. They may read which one.
    - 401: the caller's own token is good no longer. They have to sign in again.
    - 503: it is the service's token that lacks a scope. That is no fault of the caller's, and
      passes when an admin grants it: they read that it is not set up, and the log says the scope.

    Attributes:
        scope: the one to grant, https://jupyterhub.readthedocs.io/en/stable/rbac/scopes.html
    """

    def __init__(self, status: Literal[401, 403, 503], scope: str) -> None:
        messages = {
            401: "Your sign-in has ended. Open the page again to sign in.",
            403: f"The hub does not show you this: your sign-in lacks the scope {scope}."
            " An admin of the hub can grant it.",
            503: "This is not set up yet. The service's log tells an admin what to grant.",
        }
        super().__init__(status, messages[status])
        self.scope = scope
        if status == 503:
            self.retry_after = 60


class Ask(Protocol):
    """GET of the Hub's REST API with some token."""

    def __call__(self, path: str, scope: str, **query: str) -> Awaitable[HubAnswer]:
        """Ask.

        Args:
            path: below the API's address.
            scope: what the token needs for it, to be named in a refusal.
            query: of the URL.

        Raises:
            HubRefused: the token may not.
            HubUnavailable: the hub does not answer.
        """


class HubCalls:
    """The Hub's REST API, as far as one token goes: the service's own, or a caller's.

    All calls raise ``HubUnavailable`` (503) if the hub does not answer, and ``HubRefused`` if the
    token lacks a scope. A token with a filtered scope, such as ``list:users!group=class-a``, gets
    what the filter leaves. Everything here only reads, and is tried again if the hub stumbles.

    Args:
        ask: asks with the token.
    """

    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    async def users(self, state: Literal["active"] | None = None) -> AsyncIterator[User]:
        """All users, in the order in which the hub got to know them. Needs ``list:users``.

        What is shown of each depends on more scopes: see ``User``. Nobody comes twice, even if
        users are added and deleted meanwhile.

        Args:
            state: ``"active"`` for those with a server that runs, starts or stops.
        """
        async for page in self.user_pages(state):
            for user in page.items:
                yield user

    async def user_pages(self, state: Literal["active"] | None = None) -> AsyncIterator[Page[User]]:
        """As ``users``, a page of 200 at a time, and when the hub sent it. Needs ``list:users``.

        There is at least one page, which may be empty.
        """
        query: dict[str, str] = {"state": state} if state else {}
        async for page in self._pages("users", "list:users", User, query, PAGE):
            yield page

    async def user(self, name: str) -> User | None:
        """One user. Needs ``read:users:name`` or another scope to read users.

        Returns:
            ``None`` if there is no such user, or the token may see some users and not this one:
            the hub does not say which.
        """
        answer = await self._ask(f"users/{quote(name, safe='')}", "read:users:name")
        return None if answer.status == 404 else _parsed(User, answer.json)

    async def groups(self) -> AsyncIterator[Group]:
        """All groups. Needs ``list:groups``; their members need ``read:groups``."""
        async for page in self._pages("groups", "list:groups", Group, {}, GROUPS):
            for group in page.items:
                yield group

    async def _pages(
        self,
        path: str,
        scope: str,
        model: type[Model],
        query: dict[str, str],
        limit: int,
    ) -> AsyncIterator[Page[Model]]:
        """A list of any length, https://jupyterhub.readthedocs.io/en/stable/reference/rest.html.

        Where the next page begins is taken from the answer, but never its address.
        """
        seen: set[str] = set()
        offset = 0
        while True:
            answer = await self._ask(path, scope, **query, offset=str(offset), limit=str(limit))
            items, following = _taken_apart(answer.json)
            models = [_parsed(model, item) for item in items]
            new = [each for each in models if each.name not in seen]
            if offset and limit > 1 and len(new) == len(models):
                # more have left than two pages share: others may have moved to where we were
                offset = max(0, offset - limit)
                continue
            if following and not new:
                raise HubUnavailable(f"its pages of {path} do not advance")
            yield Page(new, answer.date)
            if following is None:
                return
            seen.update(each.name for each in new)
            limit = following.limit
            offset = following.offset - (max(1, limit // OVERLAP) if limit > 1 else 0)


class _Place(BaseModel):
    offset: int
    limit: int


class _Pagination(BaseModel):
    next: _Place | None


class _Listing(BaseModel):
    items: list[Any]
    pagination: _Pagination = Field(alias="_pagination")


def _taken_apart(answer: Any) -> tuple[list[Any], _Place | None]:
    """The items of a page, and where the next one begins."""
    if isinstance(answer, list):
        return answer, None  # what answers knows no pages
    listing = _parsed(_Listing, answer)
    return listing.items, listing.pagination.next


def _parsed(model: type[Parsed], value: Any) -> Parsed:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        where = ".".join(str(part) for part in error.errors()[0]["loc"])
        name = model.__name__.strip("_")
        raise HubUnavailable(f"what it answered is no {name}, see its {where or 'type'}") from error
