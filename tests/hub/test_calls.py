"""The hub's responses: paginated lists, and models."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import pytest

from tornado_service import HubClient, HubUnavailable
from tornado_service.app import TornadoService
from tornado_service.testing import StandInHub
from tornado_service.testing.fake_hub_users import CREATED, Directory

EVERYTHING = {"list:users", "read:users", "read:servers", "list:groups", "read:groups"}


@pytest.fixture
def client(hub: StandInHub, service: TornadoService) -> HubClient:
    hub.service_scopes = set(EVERYTHING)
    return service.hub


def people(hub: StandInHub, count: int) -> list[str]:
    names = [f"user-{number}" for number in range(count)]
    for name in names:
        hub.directory.add_user(name)
    return names


async def names_of(users: Any) -> list[str]:
    return [user.name async for user in users]


class TestPages:
    async def test_all_of_them_come_once_and_in_order(
        self, hub: StandInHub, client: HubClient
    ) -> None:
        names = people(hub, 450)

        pages = [page async for page in client.user_pages()]

        assert [user.name for page in pages for user in page.items] == names
        assert len(pages) == 3
        assert all(len(page.items) <= 200 for page in pages)

    async def test_a_hub_may_have_smaller_pages(self, hub: StandInHub, client: HubClient) -> None:
        names = people(hub, 23)
        hub.directory.max_page = 5

        assert await names_of(client.users()) == names

    async def test_a_hub_without_users_has_one_empty_page(self, client: HubClient) -> None:
        assert [page.items async for page in client.user_pages()] == [[]]

    async def test_users_who_are_deleted_meanwhile_hide_no_other_user(
        self, hub: StandInHub, client: HubClient
    ) -> None:
        names = people(hub, 450)

        found = []
        async for page in client.user_pages():
            found += [user.name for user in page.items]
            for gone in found[:15]:
                hub.directory.users.pop(gone, None)

        assert found == names

    async def test_users_who_are_added_before_the_offset_duplicate_no_user(
        self, hub: StandInHub, client: HubClient
    ) -> None:
        names = people(hub, 450)

        found = []
        async for user in client.users():
            if user.name == "user-100":
                zoe = {**hub.directory.users["user-0"], "name": "zoe"}
                hub.directory.users = {"zoe": zoe, **hub.directory.users}
            found.append(user.name)

        assert found == names

    async def test_the_date_is_the_hubs(self, hub: StandInHub, client: HubClient) -> None:
        hub.date = "Tue, 06 Jan 2026 08:00:00 GMT"

        (page,) = [page async for page in client.user_pages()]

        assert page.date == datetime(2026, 1, 6, 8, tzinfo=timezone.utc).timestamp()

    async def test_a_list_without_pages_is_read_too(
        self, hub: StandInHub, client: HubClient, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        names = people(hub, 3)
        monkeypatch.setattr("tornado_service.hub.client.ACCEPT_HEADER", "application/json")

        assert await names_of(client.users()) == names

    @pytest.mark.parametrize("offset", [0, 200, -7])
    async def test_pages_that_do_not_advance_have_an_end(
        self, hub: StandInHub, client: HubClient, offset: int
    ) -> None:
        people(hub, 450)
        hub.directory = InvalidPages(hub.directory, lambda page: following(page, offset))

        with pytest.raises(HubUnavailable) as error:
            await asyncio.wait_for(names_of(client.users()), 30)

        assert "do not advance" in error.value.detail
        assert hub.calls["/hub/api/users"] < 5

    @pytest.mark.parametrize(
        "response",
        [
            {"items": [], "_pagination": {}},
            {"items": 5, "_pagination": {"next": None}},
            {"items": [], "_pagination": {"next": {"offset": 200}}},
            {"items": [], "_pagination": {"next": {"offset": "200", "limit": "many"}}},
            {"items": [5], "_pagination": {"next": None}},
            {"items": [{"kind": "user"}], "_pagination": {"next": None}},
            {"items": [{"name": "ada", "created": "soon"}], "_pagination": {"next": None}},
            {"items": [{"name": "ada", "servers": []}], "_pagination": {"next": None}},
        ],
    )
    async def test_an_invalid_page_of_users_is_an_error(
        self, hub: StandInHub, client: HubClient, response: Any
    ) -> None:
        hub.directory = InvalidPages(hub.directory, lambda page: response)

        with pytest.raises(HubUnavailable) as error:
            await names_of(client.users())

        assert "its response is no valid" in error.value.detail


class InvalidPages(Directory):
    """Returns invalid pages."""

    def __init__(self, directory: Directory, change: Callable[[Any], Any]) -> None:
        super().__init__(directory.users, directory.groups)
        self.change = change

    def page(self, items: list[Any], offset: int, limit: int) -> Any:
        return self.change(super().page(items, offset, limit))


def following(page: Any, offset: int) -> Any:
    page["_pagination"]["next"] = {"offset": offset, "limit": 200, "url": ""}
    return page


class TestUsers:
    async def test_fields_that_the_token_may_see_are_set(
        self, hub: StandInHub, client: HubClient
    ) -> None:
        hub.directory.add_user("ada", groups=["a"], admin=True, last_activity=CREATED)
        hub.directory.add_server("ada", started="2026-01-06T08:00:00.5Z")
        hub.directory.add_server("ada", "gpu", pending="spawn", ready=False)

        user = await client.user("ada")

        assert user is not None
        assert (user.name, user.admin, user.groups, user.roles) == ("ada", True, ("a",), ("user",))
        assert user.created == user.last_activity == datetime(2026, 1, 5, 8, tzinfo=timezone.utc)
        assert user.servers is not None
        assert user.servers[""].ready
        started = datetime(2026, 1, 6, 8, 0, 0, 500_000, timezone.utc)
        assert user.servers[""].started == started
        assert (user.servers["gpu"].pending, user.servers["gpu"].ready) == ("spawn", False)

    async def test_fields_that_it_may_not_see_are_none(
        self, hub: StandInHub, client: HubClient
    ) -> None:
        hub.service_scopes = {"read:users:name"}
        hub.directory.add_user("ada", groups=["a"])
        hub.directory.add_server("ada")

        user = await client.user("ada")

        assert user is not None
        assert (user.groups, user.created, user.servers) == (None, None, None)

    async def test_only_the_name_is_required(self, hub: StandInHub, client: HubClient) -> None:
        hub.directory.users["ada"] = {"kind": "user", "name": "ada", "servers": {"": {"name": ""}}}
        hub.directory.users["bob"] = {"kind": "user", "name": "bob", "admin": None, "new": {"a": 1}}

        assert await names_of(client.users()) == ["ada", "bob"]

    async def test_only_users_with_a_server_if_requested(
        self, hub: StandInHub, client: HubClient
    ) -> None:
        people(hub, 5)
        hub.directory.add_server("user-3")

        assert await names_of(client.users("active")) == ["user-3"]

    async def test_an_unknown_user_is_none(self, client: HubClient) -> None:
        assert await client.user("nobody") is None

    @pytest.mark.parametrize(
        "name", ["ada@example.org", "a b", "a/b", "a?b#c", "ünal", "50%", ".."]
    )
    async def test_a_name_may_have_any_character(
        self, hub: StandInHub, client: HubClient, name: str
    ) -> None:
        hub.directory.add_user(name)

        user = await client.user(name)

        assert user is not None
        assert user.name == name


async def test_groups_have_members_and_properties(hub: StandInHub, client: HubClient) -> None:
    hub.directory.add_user("ada", groups=["a", "b"])
    hub.directory.add_group("a", quota=5)

    groups = {group.name: group async for group in client.groups()}

    assert groups["a"].users == ("ada",)
    assert groups["a"].properties == {"quota": 5}
    assert groups["b"].properties == {}


async def test_members_of_groups_are_not_shown_with_their_names_alone(
    hub: StandInHub, client: HubClient
) -> None:
    hub.service_scopes = {"list:groups"}
    hub.directory.add_user("ada", groups=["a"])

    assert [(group.name, group.users) async for group in client.groups()] == [("a", None)]
