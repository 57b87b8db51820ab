"""Lists of the hub, which come in pages."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from pydantic import BaseModel, Field

from .hub_models import HubModel, parsed
from .hub_transport import HubUnavailable

if TYPE_CHECKING:
    from .hub_calls import Ask

#: Items of a page. The hub gives fewer where its admin wants that (``api_page_max_limit``).
PAGE = 200

#: Groups of a page: each comes with all of its members.
GROUPS = 20

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
) -> AsyncIterator[Page[Model]]:
    """A list of any length, https://jupyterhub.readthedocs.io/en/stable/reference/rest.html.

    Where the next page begins is taken from the answer, but never its address.
    """
    seen: set[str] = set()
    offset = 0
    while True:
        answer = await ask(path, scope, **query, offset=str(offset), limit=str(limit))
        items, following = _taken_apart(answer.json)
        models = [parsed(model, item) for item in items]
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
    listing = parsed(_Listing, answer)
    return listing.items, listing.pagination.next
