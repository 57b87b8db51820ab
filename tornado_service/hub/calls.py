"""Typed calls of the Hub API with one token."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

from tornado.web import HTTPError

from .scopes import may_list, may_read_some_user, may_read_user

# Imported by the first call, and pydantic with them: a service without apps starts sooner.
if TYPE_CHECKING:
    from .models import Group, User
    from .pagination import HubPage
    from .transport import HubFetch


class HubRefused(HTTPError):
    """The hub refuses a call with the token of the user or of the service.

    - 403: the user's own token lacks a scope. The message names it.
    - 401: the user's own token is no longer valid. They have to sign in again.
    - 503: the service's token lacks a scope. An administrator has to grant it: the log names it,
      and the message says only that the service is not set up for this.

    Attributes:
        scope: the scope to grant, https://jupyterhub.readthedocs.io/en/stable/rbac/scopes.html
    """

    def __init__(self, status: Literal[401, 403, 503], scope: str) -> None:
        messages = {
            401: "Your session has expired. Open the page again to sign in.",
            403: f"The hub does not show you this: your session lacks the scope {scope}."
            " An admin of the hub can grant it.",
            503: "This is not set up yet. The service's log tells an admin what to grant.",
        }
        super().__init__(status, messages[status])
        self.scope = scope
        if status == 503:
            self.retry_after = 60


class HubCalls:
    """The Hub's REST API with one token: the service's own, or a user's.

    All calls raise ``HubUnavailable`` (503) if the hub does not respond, ``HubResponseTooLarge``
    (502) if it sends more than 8 MiB even for one item, and ``HubRefused`` if the token lacks a
    scope. A token with a filtered scope, such as ``list:users!group=class-a``, gets the users that
    the filter includes. All calls only read, and are repeated after a transient failure.

    Args:
        fetch: makes a request with the token.
        scopes: those of the token, expanded, if they are known: a call that they rule out is
            refused (403) without a request.
        page_sizes: by path, the maximum number of items of a page; see ``fetch_pages``.
    """

    def __init__(
        self,
        fetch: HubFetch,
        scopes: Collection[str] | None = None,
        page_sizes: dict[str, int] | None = None,
    ) -> None:
        self._fetch = fetch
        self._scopes = scopes
        self._page_sizes = {} if page_sizes is None else page_sizes

    async def users(self, state: Literal["active"] | None = None) -> AsyncIterator[User]:
        """All users, in the order in which they were added to the hub. Needs ``list:users``.

        The fields of each user depend on more scopes, see ``User``. No user occurs twice, even if
        users are added and deleted meanwhile.

        Args:
            state: ``"active"`` for those with a server that runs, starts or stops.
        """
        async for page in self.user_pages(state):
            for user in page.items:
                yield user

    async def user_pages(
        self, state: Literal["active"] | None = None, *, newest_first: bool = False
    ) -> AsyncIterator[HubPage[User]]:
        """As ``users``, in pages of 200, with the time of each response. Needs ``list:users``.

        There is at least one page, which may be empty.

        Args:
            state: as for ``users``.
            newest_first: whether the users that were added last come first.
        """
        from .models import User
        from .pagination import PAGE_SIZE, fetch_pages

        self._check_list("list:users")
        query: dict[str, str] = {"state": state} if state else {}
        if newest_first:
            query["sort"] = "-id"
        async for page in fetch_pages(
            User, self._fetch, "users", "list:users", query, PAGE_SIZE, self._page_sizes
        ):
            yield page

    async def user(self, name: str) -> User | None:
        """One user. Needs ``read:users:name`` or another scope to read users.

        Returns:
            ``None`` if there is no such user, or the token may see some users and not this one;
            the hub does not distinguish them.
        """
        from .models import User, parse_model

        if self._scopes is not None and name:
            if not may_read_some_user(self._scopes):
                raise HubRefused(403, "read:users:name")
            if not may_read_user(name, self._scopes):
                return None
        response = await self._fetch(f"users/{quote(name, safe='')}", "read:users:name")
        return None if response.status == 404 else parse_model(User, response.json)

    async def groups(self) -> AsyncIterator[Group]:
        """All groups. Needs ``list:groups``; their members need ``read:groups``."""
        from .models import Group
        from .pagination import GROUP_PAGE_SIZE, fetch_pages

        self._check_list("list:groups")
        async for page in fetch_pages(
            Group, self._fetch, "groups", "list:groups", {}, GROUP_PAGE_SIZE, self._page_sizes
        ):
            for group in page.items:
                yield group

    def _check_list(self, scope: str) -> None:
        if self._scopes is not None and not may_list(scope, self._scopes):
            raise HubRefused(403, scope)
