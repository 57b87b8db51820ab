import json

import pytest

from tornado_service.testing import Fetch, StandInHub


async def test_user_is_the_one_the_hub_names(hub: StandInHub, fetch: Fetch) -> None:
    token = hub.token_for("alice", groups=["b", "a"])

    response = await fetch("api/user", token=token)

    assert response.code == 200
    user = json.loads(response.body)
    assert user["name"] == "alice"
    assert user["groups"] == ["a", "b"]
    assert "session_id" not in user
    assert "token_id" not in user
    assert response.headers["Cache-Control"] == "no-store"


async def test_a_service_token_needs_fewer_fields_than_a_users(
    hub: StandInHub, fetch: Fetch
) -> None:
    token = hub.token_for("cron", kind="service")
    for missing in ("groups", "session_id", "token_id"):
        del hub.users[token][missing]

    response = await fetch("api/user", token=token)

    assert response.code == 200
    assert json.loads(response.body)["kind"] == "service"


@pytest.mark.parametrize("word", ["token", "Bearer", "bearer", "TOKEN"])
async def test_both_authorization_schemes_work(hub: StandInHub, fetch: Fetch, word: str) -> None:
    token = hub.token_for("alice")

    response = await fetch("api/user", headers={"Authorization": f"{word} {token}"})

    assert response.code == 200


async def test_a_token_in_the_url_never_does(hub: StandInHub, fetch: Fetch) -> None:
    response = await fetch(f"api/user?token={hub.token_for('alice')}")

    assert response.code == 401


@pytest.mark.parametrize("scopes", [(), ("access:services!service=other",), ("self",)])
async def test_a_user_without_access_gets_the_name_of_the_missing_scope(
    hub: StandInHub, fetch: Fetch, scopes: tuple[str, ...]
) -> None:
    response = await fetch("api/user", token=hub.token_with("bob", scopes))

    assert response.code == 403
    assert "access:services!service=tornado-service" in json.loads(response.body)["message"]


@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "token nonsense"}, {"Authorization": "Basic Zm9v"}]
)
async def test_a_visitor_gets_401_json_and_no_cookie(fetch: Fetch, headers: dict[str, str]) -> None:
    response = await fetch("api/user", headers=headers)

    assert response.code == 401
    assert json.loads(response.body)["status"] == 401
    assert response.headers["WWW-Authenticate"].startswith("Bearer")
    assert "Set-Cookie" not in response.headers


async def test_the_greeting_is_open(fetch: Fetch) -> None:
    response = await fetch("api/")

    assert response.code == 200
    assert "version" in json.loads(response.body)


async def test_debug_is_off_by_default(hub: StandInHub, fetch: Fetch) -> None:
    response = await fetch("api/debug", token=hub.token_for("root", admin=True))

    assert response.code == 404


async def test_unknown_paths_of_the_api_return_json(fetch: Fetch) -> None:
    response = await fetch("api/nothing", headers={"Accept": "text/html"})

    assert response.code == 404
    assert json.loads(response.body) == {
        "status": 404,
        "message": "There is nothing at this URL.",
    }


async def test_head_options_and_405(hub: StandInHub, fetch: Fetch) -> None:
    token = hub.token_for("alice")

    head = await fetch("api/user", token=token, method="HEAD")
    options = await fetch("api/user", method="OPTIONS")
    post = await fetch("api/user", token=token, method="POST", body="")
    odd = await fetch("api/user", token=token, method="BREW")

    assert (head.code, head.body) == (200, b"")
    assert int(head.headers["Content-Length"]) > 0
    assert (options.code, options.headers["Allow"]) == (204, "GET, HEAD, OPTIONS")
    assert (post.code, post.headers["Allow"]) == (405, "GET, HEAD, OPTIONS")
    assert odd.code == 405


async def test_a_response_that_must_not_be_stored_has_no_etag(
    hub: StandInHub, fetch: Fetch
) -> None:
    token = hub.token_for("alice")

    response = await fetch("api/user", token=token)

    assert response.headers["Cache-Control"] == "no-store"
    assert "Etag" not in response.headers


class TestDebug:
    """api/debug, enabled by an admin."""

    @pytest.fixture
    async def service(self, start_service):
        return await start_service(TornadoService={"debug_api": True})

    async def test_shows_headers_and_environment_without_secrets(
        self, hub: StandInHub, fetch: Fetch, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("JUPYTERHUB_API_TOKEN", "very-secret")
        monkeypatch.setenv("SOME_PASSWORD", "very-secret")
        monkeypatch.setenv("JUPYTERHUB_SERVICE_NAME", "tornado-service")
        token = hub.token_for("root", ("read:hub",), admin=True)

        response = await fetch("api/debug", token=token, headers={"X-Forwarded-Proto": "https"})

        assert response.code == 200
        shown = json.loads(response.body)
        assert shown["headers"]["X-Forwarded-Proto"] == "https"
        assert shown["environment"]["JUPYTERHUB_SERVICE_NAME"] == "tornado-service"
        assert b"very-secret" not in response.body
        assert token.encode() not in response.body

    async def test_is_for_admins(self, hub: StandInHub, fetch: Fetch) -> None:
        response = await fetch("api/debug", token=hub.token_for("alice"))

        assert response.code == 403
