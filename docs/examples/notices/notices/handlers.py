"""The pages and the API."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from tornado.web import HTTPError

from tornado_service import APIHandler, EventStream, PageHandler, needs_scopes

from .board import NewNotice, Notice

if TYPE_CHECKING:
    from .app import Notices

#: The scope to post and remove notices. Users with it read the notices of all groups.
WRITE = "custom:notices:write"


def may_write(user: Any) -> bool:
    """Whether a user may post notices."""
    return WRITE in user["scopes"]


def groups_of(user: Any) -> Iterable[str] | None:
    """The groups whose notices a user reads; ``None`` for all."""
    return None if may_write(user) else user.get("groups") or ()


class BoardPage(PageHandler):
    """The board, with a form for users who may write."""

    app: Notices

    async def get(self) -> None:
        """Show it; await the hub, and the database in a thread."""
        user = self.current_user
        self.write_page(
            "notices.html",
            notices=await asyncio.to_thread(self.app.board.shown, groups_of(user)),
            may_write=may_write(user),
            running=await self.app.running() if may_write(user) else None,
        )

    @needs_scopes(WRITE)
    def post(self) -> None:
        """Post the notice of the form."""
        fields = {name: self.get_body_argument(name) for name in NewNotice.model_fields}
        try:
            new = NewNotice.model_validate(fields)
        except ValidationError as error:
            wrong = ", ".join(str(problem["loc"][0]) for problem in error.errors())
            raise HTTPError(400, "Go back and look at: %s.", wrong) from error
        self.app.post(new, self.current_user["name"])
        self.redirect(self.app.prefix)


class RemovePage(PageHandler):
    """The button below a notice."""

    app: Notices

    @needs_scopes(WRITE)
    def post(self) -> None:
        """Remove it; another user may have done so."""
        self.app.remove(self.get_body_argument("id"), self.current_user["name"])
        self.redirect(self.app.prefix)


class NoticesAPI(APIHandler):
    """The notices."""

    app: Notices

    def get(self) -> list[Notice]:
        """Return the notices that the user may read, the newest first."""
        return self.app.board.shown(groups_of(self.current_user))

    @needs_scopes(WRITE)
    def post(self, body: NewNotice) -> Notice:
        """Post a notice."""
        self.set_status(201)
        return self.app.post(body, self.current_user["name"])


class NoticeAPI(APIHandler):
    """One notice."""

    app: Notices

    @needs_scopes(WRITE)
    def delete(self, notice_id: str) -> None:
        """Remove it."""
        if not self.app.remove(notice_id, self.current_user["name"]):
            raise HTTPError(404, "There is no such notice.")


class NoticeEvents(EventStream):
    """Events: ``posted`` with the notice, ``removed`` with its id."""

    app: Notices

    async def get(self) -> None:
        """Stream until the page is closed."""
        await self.stream(self.app.news)

    def view(self, event: Any) -> Any:
        """Only notices that the user may read."""
        groups = groups_of(self.current_user)
        return event if groups is None or event.data["group"] in {"", *groups} else None
