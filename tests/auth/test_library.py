"""What we need of JupyterHub and Tornado beyond what they document, and what breaks without it."""

import inspect

import pytest
from jupyterhub import _xsrf_utils
from jupyterhub.apihandlers.base import PAGINATION_MEDIA_TYPE
from jupyterhub.scopes import needs_scope
from jupyterhub.services.auth import HubAuth, HubOAuth, HubOAuthCallbackHandler
from tornado.http1connection import HTTP1Connection
from tornado.httputil import HTTPHeaders
from tornado.iostream import BaseIOStream
from tornado.web import RequestHandler
from tornado.websocket import WebSocketHandler, WebSocketProtocol13

from tornado_service.handlers.base import BaseHandler
from tornado_service.hub.client import ACCEPT_HEADER
from tornado_service.testing import Fetch, StandInHub

pytestmark = pytest.mark.library


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


def test_the_library_keeps_the_session_and_the_xsrf_token_of_a_request() -> None:
    """Else cookies that others have set would count: of a session that ended, of other pages."""
    assert 'hasattr(handler, "_hub_auth_token_cookie")' in inspect.getsource(
        HubOAuth._get_token_cookie
    )
    assert 'hasattr(handler, "_xsrf_token")' in inspect.getsource(_xsrf_utils.get_xsrf_token)
    assert parameters(_xsrf_utils._get_signed_value_urlsafe) == ["handler", "name", "b64_value"]


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


def test_the_hub_gives_pages_to_who_asks_for_them_so() -> None:
    """Else lists would end at 200 without a word."""
    assert ACCEPT_HEADER == PAGINATION_MEDIA_TYPE


def test_the_hub_tells_an_unknown_token_from_a_missing_scope_in_words_only() -> None:
    """Both are 403. Else somebody whose sign-in has ended would be sent to an admin."""
    source = inspect.getsource(needs_scope)
    assert "Missing or invalid credentials." in source
    assert "Action is not authorized with current scopes;" in source


def test_an_answer_is_compressed_by_transforms_that_can_be_left_out() -> None:
    """Else event streams would be held back, and each would keep a compressor."""
    assert "self._transforms = transforms" in inspect.getsource(RequestHandler._execute)
    assert "for transform in self._transforms:" in inspect.getsource(RequestHandler.flush)


def test_a_connection_shows_its_stream_and_a_stream_whether_it_waits() -> None:
    """Else slow readers would not be known as such."""
    assert "self.stream = stream" in inspect.getsource(HTTP1Connection.__init__)
    assert parameters(BaseIOStream.writing) == ["self"]


def test_a_web_socket_is_open_for_as_long_as_its_get() -> None:
    """Else sockets would not be counted, and would stay when their caller's sign-in ends."""
    accept = inspect.getsource(WebSocketProtocol13._accept_connection)
    assert "await self.ws_connection.accept_connection(self)" in inspect.getsource(
        WebSocketHandler.get
    )
    assert "await self._receive_frame_loop()" in accept
