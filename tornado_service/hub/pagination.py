"""Paginated lists of the hub."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, Field

from .errors import HubResponseTooLarge, HubUnavailable
from .models import HubModel, parse_model
from .transport import HubFetch

#: Items of a page. The hub returns fewer if its administrator limits that (``api_page_max_limit``).
PAGE_SIZE = 200

#: Groups of the first page: each includes all of its members.
GROUP_PAGE_SIZE = 20

#: After a page of fewer bytes, the next one has twice as many items.
SMALL_PAGE_BYTES = 256 * 1024

#: A page that is too large is requested again with this fraction of its items.
SHRINK_FACTOR = 4

#: Maximum number of items that may be added to a list while it is read.
MAX_GROWTH = 1000

#: The fraction of a page that is requested again with the next one: as many items may be removed
#: in between without other items being missed.
OVERLAP_DIVISOR = 10

Model = TypeVar("Model", bound=HubModel)


@dataclass(frozen=True)
class HubPage(Generic[Model]):
    """A part of a list.

    Attributes:
        items: those that are in no earlier page.
        date: when the hub sent it, by the hub's clock (whole seconds since 1970).
    """

    items: list[Model]
    date: int


async def fetch_pages(
    model: type[Model],
    fetch: HubFetch,
    path: str,
    scope: str,
    query: dict[str, str],
    limit: int,
    page_sizes: dict[str, int],
) -> AsyncIterator[HubPage[Model]]:
    """A list of any length, https://jupyterhub.readthedocs.io/en/stable/reference/rest.html.

    The next page's offset is taken from the response, but never its URL. The hub counts groups
    that it does not show to the token, so a short or empty page need not be the last.

    Args:
        model: of an item.
        fetch: makes a request to the hub.
        path: of the list.
        scope: named in the error if the token lacks it.
        query: of the URL.
        limit: items of the first page.
        page_sizes: by path, the items of the last page that was not too large, kept for the next
            reading.

    Raises:
        HubResponseTooLarge: a page of one item is too large.
        HubUnavailable: the pages do not advance, or have no end.
    """
    cursor = _ListCursor(path)
    limit = min(limit, page_sizes.get(path, limit))
    max_limit = PAGE_SIZE
    is_first, was_too_large = True, False
    while True:
        offset = cursor.offset(limit)
        try:
            response = await fetch(path, scope, **query, offset=str(offset), limit=str(limit))
        except HubResponseTooLarge:
            if limit == 1:
                raise
            was_too_large = True
            limit = page_sizes[path] = max(1, limit // SHRINK_FACTOR)
            continue
        items, pagination = _parse_page(response.json)
        models = [parse_model(model, item) for item in items]
        names = [item.name for item in models]
        if cursor.has_skipped_items(names, offset, limit):
            continue
        new = cursor.advance(names, pagination)
        if new or is_first:
            yield HubPage([item for item in models if item.name in new], response.date)
        is_first = False
        if pagination.next is None:
            break
        if pagination.next.limit < limit:
            limit = max_limit = max(1, pagination.next.limit)
        if response.size < SMALL_PAGE_BYTES:
            limit = min(limit * 2, max_limit)
    if path in page_sizes and not was_too_large:
        page_sizes[path] = min(page_sizes[path] * 2, PAGE_SIZE)  # a larger page may succeed again


class _ListCursor:
    """The position in a list while items are added and deleted."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._seen: set[str] = set()
        self._position = 0  # of the first unknown item
        self._furthest = 0
        self._total: int | None = None
        self._was_full = False
        self._is_rereading = False

    def offset(self, limit: int) -> int:
        """The next offset, a little before the position, so that two pages overlap."""
        return max(0, self._position - (max(1, limit // OVERLAP_DIVISOR) if limit > 1 else 0))

    def has_skipped_items(self, names: list[str], offset: int, limit: int) -> bool:
        """Whether more items were removed than two pages share, so that others may be missed.

        If so, the position moves back.
        """
        shares = 0 < offset < self._position
        if not (self._was_full and shares and self._seen.isdisjoint(names)):
            return False
        self._position = max(0, offset - limit)
        self._is_rereading = True
        return True

    def advance(self, names: list[str], pagination: _Pagination) -> set[str]:
        """Continue with the next page.

        Returns:
            The names that are in no earlier page.

        Raises:
            HubUnavailable: the page does not advance, or is far beyond the end.
        """
        new = set(names) - self._seen
        self._seen |= new
        if self._total is None:
            self._total = pagination.total
        if pagination.next is None:
            return new
        following = pagination.next.offset
        if not new and not self._is_rereading and following <= self._furthest:
            raise HubUnavailable(f"its pages of {self._path} do not advance")
        if not new and following > self._total + MAX_GROWTH:
            raise HubUnavailable(f"its pages of {self._path} have no end")
        self._furthest = max(self._furthest, following)
        self._position = following if new else self._furthest
        self._was_full = bool(new) and len(names) >= pagination.next.limit
        self._is_rereading = False
        return new


class _NextPage(BaseModel):
    offset: int
    limit: int


class _Pagination(BaseModel):
    total: int = 0
    next: _NextPage | None


class _Listing(BaseModel):
    items: list[Any]
    pagination: _Pagination = Field(alias="_pagination")


def _parse_page(response: Any) -> tuple[list[Any], _Pagination]:
    if isinstance(response, list):
        return response, _Pagination(next=None)  # the server has no pagination
    listing = parse_model(_Listing, response)
    return listing.items, listing.pagination
