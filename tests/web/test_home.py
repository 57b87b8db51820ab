from urllib.parse import parse_qs, urlsplit

from tornado_service.testing import (
    BROWSER,
    PREFIX,
    Fetch,
    StandInHub,
    Visitor,
)
from tornado_service.web.home import describe_scopes


async def test_a_navigation_is_sent_to_the_hub_with_state_and_pkce(fetch: Fetch) -> None:
    response = await fetch("", headers=BROWSER)

    assert response.code == 302
    query = parse_qs(urlsplit(response.headers["Location"]).query)
    assert query["client_id"] == ["service-tornado-service"]
    assert query["redirect_uri"] == [PREFIX + "oauth_callback"]
    assert query["state"]


async def test_the_hubs_own_probe_is_redirected_too(fetch: Fetch) -> None:
    """It has no special headers; any status below 500 means that the service is up."""
    assert (await fetch("", headers={"Accept": "*/*"})).code == 302
    assert (await fetch("")).code == 302


async def test_sign_in_ends_on_the_requested_page(visitor: Visitor) -> None:
    response = await visitor.open(PREFIX + "?from=mail")

    assert response.code == 200
    assert visitor.address == PREFIX + "?from=mail"
    assert b"signed in to JupyterHub as <strong>ada</strong>" in response.body


async def test_home_shows_groups_scopes_and_servers(hub: StandInHub, fetch: Fetch) -> None:
    token = hub.token_for(
        "ada",
        ("read:servers!user=ada", "custom:reports:read"),
        admin=True,
        groups=["class-a"],
        servers={"": {"name": "", "url": "/user/ada/", "ready": True, "last_activity": None}},
    )

    response = await fetch("", token=token)

    page = response.body.decode()
    assert response.code == 200
    assert "class-a" in page
    assert 'href="/user/ada/"' in page
    assert "only you" in page
    assert "custom:reports:read" in page


async def test_values_chosen_by_users_are_escaped(hub: StandInHub, fetch: Fetch) -> None:
    token = hub.token_for("<script>alert(1)</script>", groups=["<b>"])

    response = await fetch("", token=token)

    assert b"<script>alert" not in response.body
    assert b"<b>" not in response.body


async def test_without_the_slash_too(fetch: Fetch) -> None:
    response = await fetch(PREFIX[:-1])

    assert (response.code, response.headers["Location"]) == (302, PREFIX)


def test_scopes_are_described_in_the_hubs_words() -> None:
    rows = describe_scopes(["read:users:name!user=ada", "list:users!group=a", "custom:x"], "ada")

    assert [(row["scope"], row["limit"]) for row in rows] == [
        ("custom:x", ""),
        ("list:users", "only group a"),
        ("read:users:name", "only you"),
    ]
    assert "Read names of users." in rows[2]["meaning"]
