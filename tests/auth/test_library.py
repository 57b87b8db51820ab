"""Undocumented behaviour of JupyterHub and Tornado that we need, and what breaks without it."""

import inspect
from types import SimpleNamespace

import pytest
from jupyterhub import _xsrf_utils
from jupyterhub.apihandlers.base import PAGINATION_MEDIA_TYPE
from jupyterhub.scopes import needs_scope
from jupyterhub.services.auth import HubAuth, HubOAuth
from tornado.iostream import BaseIOStream
from tornado.web import HTTPError, RequestHandler

from tornado_service import APIHandler
from tornado_service.app import TornadoService
from tornado_service.hub.client import ACCEPT_HEADER, HubUnavailable, _is_unknown_token
from tornado_service.hub.transport import HubResponse
from tornado_service.testing import PREFIX, Fetch, StandInHub, Visitor

pytestmark = pytest.mark.library


def parameters(function) -> list[str]:
    return list(inspect.signature(function).parameters)


async def test_the_library_calls_the_hub_through_api_request(
    service: TornadoService, hub: StandInHub
) -> None:
    """Otherwise codes are exchanged without a time limit, and a failure is a 500."""
    assert parameters(HubAuth._api_request)[:3] == ["self", "method", "url"]
    hub.fault = "error"

    with pytest.raises(HubUnavailable):
        await service.auth.token_for_code("x", sync=False)


def test_the_library_finds_users_through_user_for_token() -> None:
    """Otherwise the cache and single flight are bypassed."""
    assert parameters(HubAuth.user_for_token) == [
        "self",
        "token",
        "use_cache",
        "session_id",
        "sync",
    ]
    for method in (HubAuth._get_user, HubOAuth._get_user_cookie):
        assert "user_for_token(" in inspect.getsource(method)


class Means(APIHandler):
    """Returns how a request was authenticated."""

    def get(self) -> None:
        self.write({"by_header": self.hub_auth.uses_header_token(self)})

    def post(self) -> None:
        self.get()


async def test_the_library_notes_a_token_in_a_header(
    service: TornadoService, hub: StandInHub, fetch: Fetch, visitor: Visitor
) -> None:
    """Otherwise it is confused with a cookie's."""
    service.web_app.add_handlers(".*", [(f"{PREFIX}means", Means)])
    token = hub.token_for("alice")
    await visitor.open()

    for method, body in (("GET", None), ("GET", None), ("POST", "")):
        response = await fetch("means", token=token, method=method, body=body)
        assert (response.code, response.body) == (200, b'{"by_header": true}')
    assert (await visitor.get("means")).body == b'{"by_header": false}'
    assert (await visitor.get("means", method="POST", body="")).code == 403


def test_the_library_reads_tokens_of_urls_and_cookies_in_two_places() -> None:
    """Otherwise a token in a URL signs in again, and a sign-out has no effect."""
    assert parameters(HubAuth._get_token_url) == ["self", "handler"]
    assert parameters(HubOAuth._get_token_cookie) == ["self", "handler"]
    assert parameters(_xsrf_utils._get_signed_value_urlsafe) == ["handler", "name", "b64_value"]


def test_a_code_is_exchanged_with_a_verifier_where_the_library_has_pkce() -> None:
    """Otherwise sign-ins end in an error."""
    has_verifier = "code_verifier" in parameters(HubOAuth.token_for_code)
    assert has_verifier == hasattr(HubOAuth, "pkce_enabled")


async def test_an_unimplemented_method_is_known_by_tornados_own(
    hub: StandInHub, fetch: Fetch
) -> None:
    """Otherwise a missing method requires a sign-in instead of returning 405."""
    assert RequestHandler.post is RequestHandler._unimplemented_method
    assert (await fetch("api/user", method="DELETE")).code == 405


def test_the_hub_returns_pages_for_its_pagination_media_type() -> None:
    """Otherwise lists end silently at 200."""
    assert ACCEPT_HEADER == PAGINATION_MEDIA_TYPE


@pytest.mark.parametrize("is_known", [False, True])
def test_the_hub_distinguishes_an_unknown_token_from_a_missing_scope_only_in_its_message(
    is_known: bool,
) -> None:
    """Both are 403. Otherwise a user with an expired session is sent to an administrator."""

    @needs_scope("list:users")
    def get(self) -> None:
        pytest.fail("the hub let it through")

    handler = SimpleNamespace(
        current_user=SimpleNamespace(name="ada") if is_known else None,
        parsed_scopes={},
        expanded_scopes=set(),
        db=None,
        request=SimpleNamespace(path="/hub/api/users"),
    )
    with pytest.raises(HTTPError) as raised:
        get(handler)

    assert raised.value.status_code == 403
    response = HubResponse(403, {"message": raised.value.log_message}, date=0)
    assert _is_unknown_token(response) is not is_known


def test_a_stream_shows_whether_it_waits() -> None:
    """Otherwise slow readers are not detected."""
    assert parameters(BaseIOStream.writing) == ["self"]
