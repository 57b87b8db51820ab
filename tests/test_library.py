"""What we need of JupyterHub and Tornado beyond what they document, and what breaks without it."""

import inspect

from jupyterhub.services.auth import HubAuth, HubOAuth, HubOAuthCallbackHandler
from tornado.httputil import HTTPHeaders
from tornado.web import RequestHandler

from tests.conftest import Fetch
from tornado_service.handlers.base import BaseHandler
from tornado_service.testing.stand_in_hub import StandInHub


def parameters(function) -> list[str]:
    return list(inspect.signature(function).parameters)


def test_the_library_asks_the_hub_through_api_request() -> None:
    """Else a code would be exchanged without a time limit, and a failure would be a 500."""
    assert parameters(HubAuth._api_request)[:3] == ["self", "method", "url"]
    assert "_api_request" in inspect.getsource(HubOAuth._token_for_code)


def test_the_library_finds_callers_through_user_for_token() -> None:
    """Else the cache and single flight would be passed by."""
    assert parameters(HubAuth.user_for_token) == [
        "self",
        "token",
        "use_cache",
        "session_id",
        "sync",
    ]
    for method in (HubAuth._get_user, HubOAuth._get_user_cookie, HubOAuthCallbackHandler.get):
        assert "user_for_token(" in inspect.getsource(method)


def test_the_library_notes_who_came_with_a_token() -> None:
    """Else a header's token would be mixed up with a cookie's."""
    assert "_token_authenticated = True" in inspect.getsource(HubAuth._get_user)
    assert "_token_authenticated" in inspect.getsource(HubOAuth.check_xsrf_cookie)


def test_the_library_reads_tokens_of_addresses_and_cookies_in_two_places() -> None:
    """Else a token in an address would sign in again, and a sign-out would forget nobody."""
    assert parameters(HubAuth._get_token_url) == ["self", "handler"]
    assert parameters(HubOAuth._get_token_cookie) == ["self", "handler"]


def test_the_callback_asks_for_the_state_in_the_ways_that_we_answer() -> None:
    """Else sealed states would be compared with a cookie that is none."""
    source = inspect.getsource(HubOAuthCallbackHandler.get)
    for call in ("get_state_cookie_name(", "self.get_secure_cookie(", "get_next_url("):
        assert call in source
    if hasattr(HubOAuth, "pkce_enabled"):
        assert "get_code_verifier(" in source


def test_a_cleared_answer_is_what_tornado_makes_of_it() -> None:
    """BaseHandler.clear does not call Tornado's: what that sets must be all that ours sets."""
    source = inspect.getsource(RequestHandler.clear)
    ours = inspect.getsource(BaseHandler.clear)
    for attribute in ("_headers", "_write_buffer", "_status_code", "_reason"):
        assert f"self.{attribute}" in source
        assert f"self.{attribute}" in ours
    assert source.count("self._") == 4
    assert HTTPHeaders({"a": "b"})["A"] == "b"


async def test_an_unimplemented_method_is_known_by_tornados_own(
    hub: StandInHub, fetch: Fetch
) -> None:
    """Else a method that is not there would ask for a sign-in instead of answering 405."""
    assert RequestHandler.post is RequestHandler._unimplemented_method
    assert (await fetch("api/user", method="DELETE")).code == 405
