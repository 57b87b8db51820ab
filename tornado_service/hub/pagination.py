"""Lists of the hub, which come in pages."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pydantic import BaseModel, Field

from .errors import HubResponseTooLarge, HubUnavailable
from .models import HubModel, parsed

if TYPE_CHECKING:
    from .transport import Ask

#: Items of a page. The hub gives fewer where its admin wants that (``api_page_max_limit``).
PAGE = 200

#: Groups of the first page: each comes with all of its members.
GROUPS = 20

#: A page of fewer bytes is followed by one of twice as many items.
SMALL = 256 * 1024

#: A page that is too large is asked for again with this part of its items.
PART = 4

#: So many items may be added to a list while it is read.
SPARE = 1000

#: The part of a page that is asked for again with the next one: so many may leave the list in
#: between and nobody else is missed.
OVERLAP = 10

Model = TypeVar("Model", bound=HubModel)


@dataclass(frozen=True)
class Page(Generic[Model]):
    """A part of a list.

    Attributes:
        items: those that no earlier page had.
        date: when the hub sent it, by the hub's clock (whole seconds since 1970).
    """

    items: list[Model]
    date: int


async def pages_of(
    model: type[Model],
    ask: Ask,
    path: str,
    scope: str,
    query: dict[str, str],
    limit: int,
    fitting: dict[str, int],
) -> AsyncIterator[Page[Model]]:
    """A list of any length, https://jupyterhub.readthedocs.io/en/stable/reference/rest.html.

    Where the next page begins is taken from the response, but never its address. The hub counts
    groups that it does not show to the token, so a short or empty page need not be the last.

    Args:
        model: of an item.
        ask: asks the hub.
        path: of the list.
        scope: to be named if the token lacks it.
        query: of the URL.
        limit: items of the first page.
        fitting: by path, the items of a page that was not too large, from one reading to the next.

    Raises:
        HubResponseTooLarge: a page of one item is too large.
        HubUnavailable: the pages do not advance, or have no end.
    """
    reading = _Reading(path)
    limit = min(limit, fitting.get(path, limit))
    most = PAGE
    is_first, was_too_large = True, False
    while True:
        offset = reading.offset(limit)
        try:
            answer = await ask(path, scope, **query, offset=str(offset), limit=str(limit))
        except HubResponseTooLarge:
            if limit == 1:
                raise
            was_too_large = True
            limit = fitting[path] = max(1, limit // PART)
            continue
        items, pagination = _taken_apart(answer.json)
        models = [parsed(model, item) for item in items]
        names = [each.name for each in models]
        if reading.has_lost_its_place(names, offset, limit):
            continue
        new = reading.take(names, pagination)
        if new or is_first:
            yield Page([each for each in models if each.name in new], answer.date)
        is_first = False
        if pagination.next is None:
            break
        if pagination.next.limit < limit:
            limit = most = max(1, pagination.next.limit)
        if answer.size < SMALL:
            limit = min(limit * 2, most)
    if path in fitting and not was_too_large:
        fitting[path] = min(fitting[path] * 2, PAGE)  # it may fit again


class _Reading:
    """How far a list has been read, while items are added and deleted."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._seen: set[str] = set()
        self._position = 0  # of the first item that is not known
        self._furthest = 0
        self._total: int | None = None
        self._was_full = False
        self._is_back = False

    def offset(self, limit: int) -> int:
        """Where to read: a little before the position, so that two pages share items."""
        return max(0, self._position - (max(1, limit // OVERLAP) if limit > 1 else 0))

    def has_lost_its_place(self, names: list[str], offset: int, limit: int) -> bool:
        """Whether more have left than two pages share, so that others may have moved to before.

        Then the position is further back.
        """
        shares = 0 < offset < self._position
        if not (self._was_full and shares and self._seen.isdisjoint(names)):
            return False
        self._position = max(0, offset - limit)
        self._is_back = True
        return True

    def take(self, names: list[str], pagination: _Pagination) -> set[str]:
        """Go on to the next page.

        Returns:
            The names that no earlier page had.

        Raises:
            HubUnavailable: it is not further on, or far beyond the end.
        """
        new = set(names) - self._seen
        self._seen |= new
        if self._total is None:
            self._total = pagination.total
        if pagination.next is None:
            return new
        following = pagination.next.offset
        if not new and not self._is_back and following <= self._furthest:
            raise HubUnavailable(f"its pages of {self._path} do not advance")
        if not new and following > self._total + SPARE:
            raise HubUnavailable(f"its pages of {self._path} have no end")
        self._furthest = max(self._furthest, following)
        self._position = following if new else self._furthest
        self._was_full = bool(new) and len(names) >= pagination.next.limit
        self._is_back = False
        return new


class _Place(BaseModel):
    offset: int
    limit: int


class _Pagination(BaseModel):
    total: int = 0
    next: _Place | None


class _Listing(BaseModel):
    items: list[Any]
    pagination: _Pagination = Field(alias="_pagination")


def _taken_apart(answer: Any) -> tuple[list[Any], _Pagination]:
    """The items of a page, and where the next one begins."""
    if isinstance(answer, list):
        return answer, _Pagination(next=None)  # what answers knows no pages
    listing = parsed(_Listing, answer)
    return listing.items, listing.pagination
