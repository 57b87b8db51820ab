"""Common mistakes of authors: each is impossible, refused or harmless."""

from __future__ import annotations

import asyncio
import io
import time
from typing import Any

import pytest
from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from tornado.web import RequestHandler, authenticated
from traitlets import Unicode

from tornado_service import APIHandler, PageHandler, ServiceApp, allow_unauthenticated, needs_scopes
from tornado_service.app import TornadoService
from tornado_service.testing import (
    SERVICE_TOKEN,
    AppError,
    Fetch,
    NewVisitor,
    ServiceConfig,
    StandInHub,
    StartService,
)

READ, WRITE = "custom:grades:read", "custom:grades:write"


class Limit(BaseModel):
    limit: int = 10


class Grades(APIHandler):
    """The decorator of the library is outside, where it would have hidden the scopes."""

    @needs_scopes(READ)
    def get(self, query: Limit) -> dict[str, int]:
        return {"limit": query.limit}

    @authenticated
    @needs_scopes(WRITE)
    def post(self) -> dict[str, str]:
        return {"stored": "yes"}

    @needs_scopes(WRITE)
    @authenticated
    def put(self) -> dict[str, str]:
        return {"stored": "yes"}


class Forgotten(APIHandler):
    """Authentication is forgotten."""

    def get(self) -> dict[str, str]:
        return {"who": self.current_user["name"]}

    def delete(self) -> dict[str, str]:
        return {"deleted": "all"}


class Blocking(APIHandler):
    """It blocks like a script."""

    def get(self) -> dict[str, str]:
        time.sleep(1)
        return {"slept": "well"}


class LibraryStyle(APIHandler):
    """It gets the user as in the library's documentation, which would block."""

    @allow_unauthenticated
    async def get(self) -> dict[str, str]:
        user = self.get_current_user()
        return {"user": str(user)}

    @allow_unauthenticated
    async def post(self) -> dict[str, str]:
        return {"user": str(self.hub_auth.user_for_token("x" * 32))}


class Fails(APIHandler):
    """Its errors contain secrets."""

    async def get(self) -> None:
        raise ValueError(f"cannot connect with {self.context.auth.api_token}")


class Names(PageHandler):
    """It shows its input, and all names in a template's scope."""

    def get(self) -> None:
        known = self.template_namespace()
        self.write_page("error.html", status=200, reason=repr(known), message="<b>x", **RETRY)


RETRY: dict[str, Any] = {"retry_after": None}


class Base(DeclarativeBase):
    pass


class Grade(Base):
    __tablename__ = "grades"

    id: Mapped[int] = mapped_column(primary_key=True)


class QueriesOnTheLoop(APIHandler):
    """It queries the database on the event loop."""

    app: Careless

    async def get(self) -> dict[str, int]:
        with self.app.sessions.reading() as session:
            return {"grades": len(session.scalars(select(Grade)).all())}

    async def post(self) -> dict[str, int]:
        with self.app.sessions.writing() as session:
            session.add(Grade())
        return {}


class Careless(ServiceApp):
    name = "careless"

    database_url = Unicode(help="Where the grades are.").tag(config=True)

    def start(self) -> None:
        self.sessions = self.open_database(Base.metadata)

    def handlers(self) -> list[tuple[Any, ...]]:
        return [
            ("api/grades", Grades),
            ("api/forgotten", Forgotten),
            ("api/blocking", Blocking),
            ("api/asks", LibraryStyle),
            ("api/database", QueriesOnTheLoop),
            ("api/fails", Fails),
            ("names", Names),
        ]


class Bare(RequestHandler):
    """No handler of ours: it would need no authentication."""


class BareApp(ServiceApp):
    name = "bare"

    def handlers(self) -> list[tuple[Any, ...]]:
        return [("", Bare)]


@pytest.fixture
def service_config(sqlite_url: str) -> ServiceConfig:
    return {
        "TornadoService": {"apps": ["tests.apps.test_mistakes:Careless"]},
        "Careless": {"database_url": sqlite_url},
    }


@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_the_weaker_scope_is_not_enough(hub: StandInHub, fetch: Fetch, method: str) -> None:
    reader = hub.token_for("ada", (READ,))
    writer = hub.token_for("ada", (WRITE,))
    ask = {"path": "careless/api/grades", "method": method, "body": ""}

    assert (await fetch(token=reader, **ask)).code == 403
    assert (await fetch(token=writer, **ask)).code == 200


async def test_a_token_without_access_is_refused(hub: StandInHub, fetch: Fetch) -> None:
    elsewhere = hub.token_with("ada", ("access:services!service=other", READ))

    assert (await fetch("careless/api/grades", token=elsewhere)).code == 403


@pytest.mark.parametrize("method", ["GET", "DELETE"])
async def test_a_method_without_a_decorator_is_closed(fetch: Fetch, method: str) -> None:
    assert (await fetch("careless/api/forgotten", method=method)).code == 401


@pytest.mark.parametrize("site", ["cross-site", "same-site", "same-origin"])
async def test_another_page_cannot_write_with_a_users_cookie(
    new_visitor: NewVisitor, site: str
) -> None:
    ada = new_visitor("ada")
    await ada.open()
    headers = {"Origin": "https://evil.example", "Sec-Fetch-Site": site, "Sec-Fetch-Mode": "cors"}

    response = await ada.get("careless/api/forgotten", method="DELETE", headers=headers)

    assert response.code == 403
    assert (await ada.fetch("careless/api/forgotten", method="DELETE")).code == 200


async def test_a_blocking_method_delays_no_other_request(hub: StandInHub, fetch: Fetch) -> None:
    token = hub.token_for("ada")
    blocking = asyncio.ensure_future(fetch("careless/api/blocking", token=token))

    first = await fetch("careless/api/forgotten", token=token)
    assert first.code == 200
    assert not blocking.done()
    assert (await blocking).code == 200


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_the_database_is_not_queried_on_the_loop(
    hub: StandInHub,
    fetch: Fetch,
    service: TornadoService,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
) -> None:
    log = io.StringIO()
    monkeypatch.setattr(service.log.handlers[0], "stream", log)

    response = await fetch("careless/api/database", token=hub.token_for("ada"), method=method)

    assert response.code == 500
    assert "write the method as `def` and not `async def`" in log.getvalue()


async def test_the_librarys_way_to_get_the_user_does_not_block(fetch: Fetch) -> None:
    asked = await fetch("careless/api/asks")
    assert asked.code == 200
    assert asked.body == b'{"user":"None"}'

    assert (await fetch("careless/api/asks", method="POST", body="")).code == 500


@pytest.mark.parametrize("limit", ["x", "", "1e9", "1&limit=2", "%00"])
async def test_a_wrong_number_in_a_query_is_a_client_error(
    hub: StandInHub, fetch: Fetch, limit: str
) -> None:
    response = await fetch(f"careless/api/grades?limit={limit}", token=hub.token_for("a", (READ,)))

    assert response.code == 400
    assert b"limit" in response.body


async def test_an_error_page_shows_no_secret(
    hub: StandInHub, service: TornadoService, fetch: Fetch, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = io.StringIO()
    monkeypatch.setattr(service.log.handlers[0], "stream", log)
    token = hub.token_for("ada")

    response = await fetch("careless/api/fails", token=token)

    assert response.code == 500
    assert b"request_id" in response.body
    assert "ValueError: cannot connect with [secret]" in log.getvalue()
    for text in (response.body.decode(), log.getvalue()):
        assert SERVICE_TOKEN not in text
        assert token not in text


async def test_no_template_has_access_to_a_secret(
    hub: StandInHub, new_visitor: NewVisitor, service: TornadoService
) -> None:
    ada = new_visitor("ada")
    await ada.open("careless/names")

    assert "xsrf_token" in ada.page
    secrets = [SERVICE_TOKEN, service.cookie_secret.hex(), *hub.users]
    secrets += [user["session_id"] for user in hub.users.values()]
    assert not [secret for secret in secrets if secret in ada.page]


async def test_output_is_escaped(new_visitor: NewVisitor) -> None:
    ada = new_visitor("ada")
    await ada.open("careless/names")

    assert "&lt;b&gt;x" in ada.page


async def test_a_token_in_a_url_does_not_authenticate(hub: StandInHub, fetch: Fetch) -> None:
    assert (await fetch(f"careless/api/forgotten?token={hub.token_for('ada')}")).code == 401


async def test_a_handler_without_authentication_is_not_mounted(
    start_service: StartService,
) -> None:
    with pytest.raises(AppError, match="neither a PageHandler nor an APIHandler"):
        await start_service(TornadoService={"apps": ["tests.apps.test_mistakes:BareApp"]})
