import asyncio

import pytest
from tornado.routing import PathMatches
from tornado.web import Application

from tornado_service.app import TornadoService
from tornado_service.auth.decorators import METHODS, allow_unauthenticated, needs_scopes
from tornado_service.auth.service_auth import derive_cookie_secret
from tornado_service.handlers.base import APIHandler
from tornado_service.testing import SERVICE_TOKEN, Fetch, StandInHub

pytestmark = pytest.mark.library

#: Every method that needs no authentication. A new one is a decision, and shows here.
OPEN = {
    ("GET", "/health"),
    ("GET", "/health/ready"),
    ("GET", "/health/serving"),
    ("GET", "P"),  # without its slash: a redirect to P
    ("GET", "P/api/?"),
    ("GET", "P/api/openapi.json"),
    ("GET", "P/health"),
    ("GET", "P/health/ready"),
    ("GET", "P/health/serving"),
    ("GET", "P/logout"),
    ("POST", "P/logout"),
    ("GET", "P/oauth_callback"),
    ("GET", "P/static/(.*)"),
}


def routes(app: Application) -> list[tuple[str, type]]:
    return [
        (rule.matcher.regex.pattern.rstrip("$").replace("\\", ""), rule.target)
        for rule in app.wildcard_router.rules
        if isinstance(rule.matcher, PathMatches)  # the router of the apps takes any path
    ]


async def test_visitors_may_use_what_is_in_the_list_and_nothing_else(
    service: TornadoService, fetch: Fetch
) -> None:
    reached = set()
    for pattern, handler in routes(service.web_app):
        path = pattern.replace("/?", "/").replace("(.*)", "service.js").replace(".*", "x")
        for method in METHODS:
            if method == "HEAD" or not hasattr(handler, method.lower()):
                continue
            body = "" if method in ("POST", "PUT", "PATCH") else None
            response = await fetch(path, method=method, body=body, headers={"Accept": "text/plain"})
            if response.code not in (401, 404, 405):
                reached.add((method, pattern.replace(service.prefix[:-1], "P")))

    # callback and sign-out check requests themselves, as they must be open
    assert reached == OPEN


class WeakScope(APIHandler):
    @needs_scopes("custom:grades:read")
    def get(self) -> None:
        self.write({})

    @needs_scopes("custom:grades:read", "custom:grades:write")
    def post(self) -> None:
        self.write({})


class OpenRead(APIHandler):
    @allow_unauthenticated
    def get(self) -> None:
        self.write({"user": self.current_user})

    def post(self) -> None:
        self.write({})


@pytest.fixture
async def service(start_service) -> TornadoService:
    service = await start_service()
    service.web_app.add_handlers(".*", [("/weak", WeakScope), ("/open", OpenRead)])
    return service


async def test_the_holder_of_the_weaker_scope_may_not_do_more(
    hub: StandInHub, fetch: Fetch
) -> None:
    reader = hub.token_for("reader", ("custom:grades:read",))
    writer = hub.token_for("writer", ("custom:grades:read", "custom:grades:write"))
    nobody = hub.token_for("nobody")

    def codes(token: str):
        return asyncio.gather(
            fetch("/weak", token=token), fetch("/weak", token=token, method="POST", body="")
        )

    assert [response.code for response in await codes(writer)] == [200, 200]
    assert [response.code for response in await codes(reader)] == [200, 403]
    assert [response.code for response in await codes(nobody)] == [403, 403]


async def test_scopes_do_not_replace_access(hub: StandInHub, fetch: Fetch) -> None:
    token = hub.token_with("outsider", ("custom:grades:read",))

    assert (await fetch("/weak", token=token)).code == 403


async def test_a_method_is_closed_unless_it_is_marked(fetch: Fetch) -> None:
    assert (await fetch("/open")).code == 200
    assert (await fetch("/open", method="HEAD")).code == 200
    assert (await fetch("/open", method="POST", body="")).code == 401


def test_the_cookie_secret_lasts_as_long_as_the_token() -> None:
    assert derive_cookie_secret("a") == derive_cookie_secret("a")
    assert derive_cookie_secret("a") != derive_cookie_secret("b")
    assert SERVICE_TOKEN.encode() not in derive_cookie_secret(SERVICE_TOKEN)


async def test_a_slow_hub_delays_no_other_request(hub: StandInHub, fetch: Fetch) -> None:
    """While a visitor's sign-in waits for the hub, health responds at once."""
    hub.delay = 2
    stranger = asyncio.create_task(fetch("api/user", token=hub.token_for("alice")))
    while not hub.calls["/hub/api/user"]:
        await asyncio.sleep(0.01)

    health = await fetch("health")

    assert health.code == 200
    assert not stranger.done()
    assert (await stranger).code == 200
