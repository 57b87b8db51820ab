"""For any request: no 5xx but 503, and no redirect outside of the prefix or the hub."""

from urllib.parse import quote, unquote, urlsplit

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tornado_service.auth.login_state import safe_redirect_target
from tornado_service.testing import BROWSER, PREFIX, SCRIPT

pytestmark = pytest.mark.library

ANY = st.text(max_size=60)
WEIRD = st.sampled_from(
    [
        "",
        "\\",
        "//evil.example",
        "https://evil.example/",
        "/../../",
        "/%2e%2e/.%2E/",
        "%00",
        "é",
        "'\"<>",
        "a" * 3000,
    ]
)
TEXT = ANY | WEIRD
#: What HTTP lets a header hold.
HEADER = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=80)
SETTINGS = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def check(response) -> None:
    assert response.code < 500 or response.code == 503, response.body
    if response.code in (301, 302):
        target = urlsplit(response.headers["Location"])
        assert target.netloc == ""
        assert target.path.startswith((PREFIX, "/hub/"))
        assert ".." not in unquote(target.path)


@settings(deadline=None)
@given(path=st.lists(st.sampled_from([".", "%2e", "%2E", "%252e", "/", "%2f", "x", "?"])))
@example(path=["%2e%2e/%2E%2E/hub/logout"])
def test_a_sign_in_never_ends_on_a_path_that_leads_up(path: list[str]) -> None:
    end = safe_redirect_target(PREFIX + "".join(path), PREFIX)

    assert end.startswith(PREFIX)
    assert ".." not in unquote(urlsplit(end).path)


class TestWhateverArrives:
    """Hypothesis cannot await: it generates the examples, which are sent afterwards."""

    async def test_in_the_callback(self, fetch, hub) -> None:
        examples: list = []

        @SETTINGS
        @given(state=TEXT, code=TEXT, more=TEXT, cookie=HEADER)
        def collect(state: str, code: str, more: str, cookie: str) -> None:
            examples.append((state, code, more, cookie))

        collect()
        for state, code, more, cookie in examples:
            query = "&".join(
                f"{key}={quote(value, safe='')}"
                for key, value in {"state": state, "code": code, "next": more}.items()
            )
            headers = {**BROWSER, "Cookie": f"service-tornado-service-oauth-state={cookie}"}
            check(await fetch(f"oauth_callback?{query}", headers=headers))

    async def test_in_headers(self, fetch, hub) -> None:
        examples: list = []

        @SETTINGS
        @given(authorization=HEADER, cookie=HEADER, xsrf=HEADER, proto=HEADER)
        def collect(**headers: str) -> None:
            examples.append(headers)

        collect()
        for number, headers in enumerate(examples):
            sent = {
                **(BROWSER if number % 2 else SCRIPT),
                "Authorization": headers["authorization"],
                "Cookie": f"service-tornado-service={headers['cookie']}; _xsrf={headers['xsrf']}",
                "X-XSRFToken": headers["xsrf"],
                "X-Forwarded-Proto": headers["proto"],
                "X-Forwarded-For": headers["proto"],
            }
            for path in ("", "api/user", "logout"):
                check(await fetch(path, headers=sent))

    async def test_in_the_path(self, fetch, hub) -> None:
        examples: list = []

        @SETTINGS
        @given(path=TEXT)
        def collect(path: str) -> None:
            examples.append(path)

        collect()
        token = hub.token_for("ada")
        for path in examples:
            address = PREFIX + quote(path, safe="/\\?")
            check(await fetch(address, headers=BROWSER))
            check(await fetch(address, token=token))
            check(await fetch("static/" + quote(path, safe="/"), headers=BROWSER))
