"""Sign-in, tokens and access through the real proxy."""

import json
import re

import pytest
from tornado.httpclient import AsyncHTTPClient

from tests.support.behind_proxy import JWT, BehindProxy
from tornado_service.testing import SCRIPT, Visitor

pytestmark = pytest.mark.library


def next_page(visitor: Visitor) -> str:
    """The target of the refresh of the current page."""
    return re.search(r'http-equiv="refresh" content="0; url=([^"]+)"', visitor.page)[1]


async def test_a_user_signs_in_and_lands_on_the_requested_page(real_hub, browse) -> None:
    visitor = browse(real_hub)

    response = await visitor.sign_in(real_hub.service_prefix + "home?from=mail", "sam")

    assert response.code == 200
    assert visitor.address.endswith(real_hub.service_prefix + "home?from=mail")
    assert "signed in to JupyterHub as <strong>sam</strong>" in visitor.page
    assert "class-a" in visitor.page


async def test_a_user_without_access_is_refused_by_the_hub_itself(real_hub, browse) -> None:
    visitor = browse(real_hub)

    response = await visitor.sign_in(real_hub.service_prefix, "guest")

    assert response.code == 403
    assert "You do not have permission to access" in visitor.page
    assert (await visitor.get(real_hub.service_prefix)).code == 302


async def test_signing_out_signs_out_of_the_hub_too(real_hub, browse) -> None:
    visitor = browse(real_hub)
    await visitor.sign_in(real_hub.service_prefix, "kim")

    await visitor.post("logout")
    await visitor.open(next_page(visitor))
    await visitor.open(real_hub.service_prefix)

    assert 'name="username"' in visitor.page


@pytest.mark.parametrize("authorization", ["Basic c2FtOnNlY3JldA==", f"Bearer {JWT}"])
async def test_a_user_behind_a_proxy_with_its_own_password_signs_in_and_out(
    real_hub, browse, authorization: str
) -> None:
    plain = browse(real_hub)
    visitor = BehindProxy(plain.client, plain.hub, plain.service, plain.host, home=plain.home)
    visitor.authorization = authorization

    response = await visitor.sign_in(real_hub.service_prefix + "home?from=mail", "sam")
    assert response.code == 200
    assert visitor.address.endswith(real_hub.service_prefix + "home?from=mail")
    assert (await visitor.fetch("api/user")).code == 200

    await visitor.post("logout")
    await visitor.open(next_page(visitor))
    await visitor.open(real_hub.service_prefix)
    assert 'name="username"' in visitor.page


class TestXSRF:
    async def test_scripts_of_the_page_are_served_and_others_are_not(
        self, real_hub, browse
    ) -> None:
        visitor = browse(real_hub)
        await visitor.sign_in(real_hub.service_prefix, "sam")
        address = real_hub.service_prefix + "api/user"
        other = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}

        assert (await visitor.fetch(address, xsrf=True)).code == 200
        assert (await visitor.fetch(address, xsrf=False)).code == 403
        assert (await visitor.fetch(address, xsrf=False, headers=other)).code == 403
        # no handler accepts a POST; with the token it is refused for that reason only
        assert (await visitor.fetch(address, xsrf=True, method="POST", body="")).code == 405


@pytest.fixture
def ask(real_hub, client: AsyncHTTPClient):
    async def ask(path: str, token: str = "", word: str = "token", **headers: str):
        if token:
            headers["Authorization"] = f"{word} {token}"
        return await client.fetch(
            real_hub.service_public_url + path,
            headers=headers,
            follow_redirects=False,
            raise_error=False,
        )

    return ask


class TestTokens:
    @pytest.mark.parametrize("word", ["token", "Bearer"])
    async def test_a_users_token(self, real_hub, ask, word: str) -> None:
        response = await ask("api/user", real_hub.token_for("sam"), word)

        assert response.code == 200
        user = json.loads(response.body)
        assert (user["name"], user["kind"], user["admin"]) == ("sam", "user", False)

    async def test_a_services_token(self, real_hub, ask) -> None:
        """The admin's service has all scopes, which include access."""
        response = await ask("api/user", real_hub.admin_token)

        assert response.code == 200
        assert json.loads(response.body)["kind"] == "service"

    async def test_a_token_of_an_oauth_sign_in(self, real_hub, browse, ask) -> None:
        visitor = browse(real_hub)
        await visitor.sign_in(real_hub.service_prefix, "ada")

        response = await visitor.fetch(real_hub.service_prefix + "api/user", xsrf=True)

        assert response.code == 200
        assert json.loads(response.body)["admin"] is True

    async def test_no_token_and_an_invalid_one(self, ask) -> None:
        for token in ("", "0" * 32):
            response = await ask("api/user", token, Accept="text/html")
            if token:
                assert response.code == 401
                assert json.loads(response.body)["status"] == 401
                assert "Set-Cookie" not in response.headers
        assert (await ask("api/user")).code == 401
        assert (await ask("", **SCRIPT)).code == 401

    async def test_a_user_without_access(self, real_hub, ask) -> None:
        response = await ask("api/user", real_hub.token_for("guest"))

        assert response.code == 403
        assert "access:services" in json.loads(response.body)["message"]

    async def test_a_token_with_fewer_scopes_than_its_owner(self, real_hub, ask) -> None:
        without = real_hub.token_with("ada", ["read:users:name!user=ada"])
        enough = real_hub.token_with("ada", ["access:services!service=tornado-service"])
        metrics = real_hub.token_with("ada", ["access:services", "read:metrics"])

        assert (await ask("api/user", without)).code == 403
        assert (await ask("metrics", enough)).code == 403
        assert (await ask("metrics", metrics)).code == 200


async def test_the_path_without_its_slash(real_hub, browse) -> None:
    response = await browse(real_hub).get(real_hub.service_prefix[:-1])

    assert response.headers["Location"] == real_hub.service_prefix


async def test_behind_tls_the_cookies_are_secure(real_hub, browse) -> None:
    """The proxy appends its own protocol to the header; the browser's comes first."""
    response = await browse(real_hub).get(
        real_hub.service_prefix, headers={"X-Forwarded-Proto": "https"}
    )

    assert response.code == 302
    assert response.headers["Location"].startswith("/hub/")
    assert "Secure" in response.headers["Set-Cookie"]


async def test_the_hub_and_its_pages_link_to_each_other(real_hub, browse, client) -> None:
    visitor = browse(real_hub)
    await visitor.sign_in(real_hub.service_prefix, "sam")

    links = re.findall(r'(?:href|src)="([^"#]+)"', visitor.page)
    files = [link for link in links if "static/" in link or link.endswith("logo")]

    assert len(files) >= 6
    for link in files:
        assert (await visitor.get(link)).code == 200, link
    assert any(link.endswith("/hub/home") for link in links)


async def test_the_log_of_the_whole_run_holds_no_secret(real_hub, browse) -> None:
    visitor = browse(real_hub)
    await visitor.sign_in(real_hub.service_prefix, "kim")
    await visitor.fetch(real_hub.service_prefix + "api/user", xsrf=True)
    await visitor.post("logout")

    ours = "\n".join(line for line in real_hub.log.splitlines() if " tornado-service " in line)
    assert "oauth_callback?code=[secret]&state=[secret]" in ours
    secrets = [*visitor.seen_secrets, real_hub.service["api_token"], visitor.jar.get("x", "-" * 9)]
    assert [secret for secret in secrets if secret in ours] == []
