"""What a real hub shows to users with different permissions."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from typing import Any

import pytest

from tornado_service import HubCalls, HubClient, HubRefused, User
from tornado_service.hub import pagination
from tornado_service.network import TLSFiles
from tornado_service.telemetry.metrics import Metrics
from tornado_service.testing import RealHub, Visitor
from tornado_service.testing.fake_hub_users import CREATED, Directory

pytestmark = pytest.mark.library

ALL_USERS = {"ada", "guest", "ines", "kim", "sam"}
NAMED = ["admin", "kind", "name"]


@pytest.fixture
def service_config() -> dict[str, Any]:
    return {"TornadoService": {"apps": ["tests.integration.real_hub.people_app:People"]}}


@pytest.fixture
def hub_client(real_hub: RealHub) -> Iterator[HubClient]:
    client = HubClient(Metrics(), TLSFiles(), api_url=real_hub.api_url)
    yield client
    client.close()


@pytest.fixture
def with_scopes(real_hub: RealHub, hub_client: HubClient) -> Callable[..., HubCalls]:
    """The Hub API with a token of ada that has only these scopes."""

    def with_scopes(*scopes: str, name: str = "ada") -> HubCalls:
        return hub_client.as_caller(real_hub.token_with(name, scopes), lambda: None)

    return with_scopes


async def names_of(hub: HubCalls) -> list[str]:
    return [user.name async for user in hub.users()]


def fields_of(user: User | None) -> list[str]:
    return sorted(name for name, value in dict(user or ()).items() if value is not None)


async def seen(visitor: Visitor, path: str) -> Any:
    response = await visitor.get(f"people/api/{path}", headers={"Accept": "application/json"})
    return json.loads(response.body)


class TestInABrowser:
    """The hub decides what a user sees."""

    @pytest.fixture
    def signed_in(self, real_hub: RealHub, browse) -> Callable[..., Any]:
        async def signed_in(name: str) -> Visitor:
            visitor = browse(real_hub)
            await visitor.sign_in(real_hub.service_prefix, name)
            return visitor

        return signed_in

    async def test_an_instructor_sees_the_class_and_no_other_user(self, signed_in) -> None:
        ines = await signed_in("ines")

        assert await seen(ines, "users") == {"sam": ["admin", "groups", "kind", "name"]}
        assert await seen(ines, "users/sam") == ["admin", "groups", "kind", "name"]
        assert await seen(ines, "users/kim") is None

    async def test_a_student_sees_only_their_own_account(self, signed_in) -> None:
        sam = await signed_in("sam")

        refused = await seen(sam, "users")
        assert refused["status"] == 403
        assert "list:users" in refused["message"]
        assert "groups" in await seen(sam, "users/sam")
        assert await seen(sam, "users/kim") is None
        assert (await seen(sam, "groups"))["status"] == 403

    async def test_an_admin_sees_only_what_the_app_requested(self, signed_in) -> None:
        ada = await signed_in("ada")

        users = await seen(ada, "users")
        assert set(users) == ALL_USERS
        assert set(map(tuple, users.values())) == {("admin", "groups", "kind", "name")}
        groups = await seen(ada, "groups")
        assert set(groups) == {"class-a", "class-b", "instructors"}
        assert groups["class-a"] == ["name", "properties", "users"]

    async def test_the_service_sees_all_users_for_every_client(self, signed_in) -> None:
        sam = await signed_in("sam")

        users = await seen(sam, "all")
        assert set(users) == ALL_USERS
        assert {"admin", "kind", "name", "servers"} <= set(users["sam"])
        assert "created" not in users["sam"]  # needs read:users
        assert "groups" not in users["sam"]


async def test_a_program_with_a_token_of_the_instructors_sees_the_same(
    real_hub: RealHub, browse
) -> None:
    headers = {"Authorization": f"token {real_hub.token_for('ines')}"}

    response = await browse(real_hub).get(
        real_hub.service_prefix + "people/api/users", headers=headers
    )

    assert set(json.loads(response.body)) == {"sam"}


class TestScopes:
    """Which scope shows which field; a new version of the hub may differ."""

    @pytest.mark.parametrize(
        ("scope", "fields"),
        [
            ("read:users:name", {"admin"}),
            ("read:users:groups", {"groups"}),
            ("read:users:activity", {"last_activity"}),
            ("read:servers", {"admin", "servers"}),
            ("read:roles:users", {"admin", "roles"}),
            ("read:users", {"admin", "created", "groups", "last_activity", "roles"}),
        ],
    )
    async def test_a_scope_shows_its_fields(
        self, real_hub: RealHub, with_scopes, scope: str, fields: set[str]
    ) -> None:
        await let_sam_be_active(real_hub)

        user = await with_scopes(scope).user("sam")

        assert set(fields_of(user)) == {"kind", "name", *fields}
        # as in the stand-in for the hub
        directory = Directory()
        directory.add_user("sam", last_activity=CREATED)
        assert fields_of(User(**directory.user([scope], "sam"))) == fields_of(user)

    async def test_the_hubs_own_id_of_a_user_is_never_shown(self, real_hub: RealHub) -> None:
        assert "id" not in real_hub.ask("GET", "users/sam")

    async def test_a_list_needs_its_own_scope(self, with_scopes) -> None:
        hub = with_scopes("read:users", "read:groups")

        for calls in (hub.users(), hub.groups()):
            with pytest.raises(HubRefused) as error:
                await calls.__anext__()
            assert error.value.status_code == 403
        assert error.value.scope == "list:groups"

    async def test_a_user_outside_of_the_filter_looks_like_an_unknown_user(
        self, with_scopes
    ) -> None:
        hub = with_scopes("read:users:name!user=sam")

        assert fields_of(await hub.user("sam")) == NAMED
        assert await hub.user("kim") is None
        assert await hub.user("nobody") is None

    async def test_every_token_of_a_user_shows_that_user(self, with_scopes) -> None:
        hub = with_scopes("list:groups")

        assert fields_of(await hub.user("ada")) == ["admin", "groups", "kind", "name"]
        assert await hub.user("kim") is None

    async def test_a_revoked_token_is_distinguished_from_a_missing_scope(
        self, real_hub: RealHub, hub_client: HubClient
    ) -> None:
        notices = []
        model = real_hub.ask("POST", "users/sam/tokens", {"note": "test"})
        hub = hub_client.as_caller(model["token"], lambda: notices.append("ended"))
        assert await hub.user("sam")

        real_hub.ask("DELETE", f"users/sam/tokens/{model['id']}")

        with pytest.raises(HubRefused) as error:
            await hub.user("sam")
        assert error.value.status_code == 401
        assert notices == ["ended"]


async def let_sam_be_active(real_hub: RealHub) -> None:
    now = datetime.now(timezone.utc).isoformat().replace("+00:00", "Z")
    real_hub.ask("POST", "users/sam/activity", {"last_activity": now})


async def test_a_list_in_many_pages_is_whole(with_scopes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pagination, "PAGE_SIZE", 2)

    pages = [page async for page in with_scopes("list:users").user_pages()]

    assert [len(page.items) for page in pages] == [2, 1, 1, 1]  # a page and the next share one
    assert {user.name for page in pages for user in page.items} == ALL_USERS
    # the order is that of creation, and stays so
    assert [user.name for page in pages for user in page.items] == await names_of(
        with_scopes("list:users")
    )
    now = datetime.now(timezone.utc).timestamp()
    assert all(abs(page.date - now) < 60 for page in pages)


async def test_a_server_that_runs_shows_when_it_was_started(real_hub: RealHub, with_scopes) -> None:
    hub = with_scopes("list:users", "read:servers")
    before = datetime.now(timezone.utc)
    assert [user async for user in hub.users("active")] == []

    real_hub.ask("POST", "users/kim/servers/lab")
    try:
        while True:
            users = [user async for user in hub.users("active")]
            server = users[0].servers["lab"]
            assert server.pending in (None, "spawn")
            if server.ready:
                break
    finally:
        real_hub.ask("DELETE", "users/kim/servers/lab", {"remove": True})

    assert [user.name for user in users] == ["kim"]
    assert before < server.started < datetime.now(timezone.utc)
    assert server.pending is None
    while users := [user async for user in hub.users("active")]:
        assert users[0].servers["lab"].pending == "stop"
