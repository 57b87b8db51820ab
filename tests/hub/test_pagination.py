"""Lists whose pages are short, empty or too large, and the page size that fits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from tornado_service import HubClient, HubResponseTooLarge, HubUnavailable
from tornado_service.app import TornadoService
from tornado_service.testing import StandInHub
from tornado_service.testing.fake_hub_users import Directory

GROUPS = "/hub/api/groups"
USERS = "/hub/api/users"


@pytest.fixture
def client(hub: StandInHub, service: TornadoService) -> HubClient:
    hub.service_scopes = {"list:users", "list:groups", "read:groups"}
    return service.hub


def add_groups(hub: StandInHub, count: int) -> list[str]:
    names = [f"group-{number}" for number in range(count)]
    for name in names:
        hub.directory.add_group(name)
    return names


async def names_of(items: Any) -> list[str]:
    return [item.name async for item in items]


class Changed(Directory):
    """A directory that changes its pages before it returns them."""

    def __init__(self, directory: Directory, change: Callable[[list[Any], int, Any], Any]) -> None:
        super().__init__(directory.users, directory.groups)
        self.change = change

    def page(self, items: list[Any], offset: int, limit: int, total: int | None = None) -> Any:
        return self.change(items, offset, super().page(items, offset, limit, total))


class TestPagesWithoutItems:
    """The hub counts groups that it does not show, so the last pages may be empty."""

    @pytest.mark.parametrize("count", [19, 20, 21, 40, 41, 450, 1000])
    @pytest.mark.parametrize("visible", ["group-0", "group-18"])
    async def test_some_of_many_groups_are_shown_to_a_user(
        self, hub: StandInHub, client: HubClient, count: int, visible: str
    ) -> None:
        add_groups(hub, count)
        scopes = (f"list:groups!group={visible}", f"read:groups!group={visible}")
        token = hub.token_for("ines", scopes)

        groups = client.as_caller(token, lambda: None).groups()

        assert await names_of(groups) == [visible]
        assert hub.calls[GROUPS] <= 10

    @pytest.mark.parametrize("visible", [0, 1, 19, 20, 21, 39, 60, 199])
    async def test_some_of_many_groups_are_shown_to_the_service(
        self, hub: StandInHub, client: HubClient, visible: int
    ) -> None:
        names = add_groups(hub, 450)[:visible]
        hub.service_scopes = {f"list:groups!group={name}" for name in ["nobody", *names]}

        assert await names_of(client.groups()) == names

    @pytest.mark.parametrize("hidden", [range(180, 400), range(400), range(50, 1000), range(1000)])
    async def test_pages_in_the_middle_may_be_short_or_empty(
        self, hub: StandInHub, client: HubClient, hidden: range
    ) -> None:
        names = [f"user-{number}" for number in range(1000)]
        for name in names:
            hub.directory.add_user(name)
        secret = {names[number] for number in hidden}

        def without_hidden(items: list[Any], offset: int, page: Any) -> Any:
            page["items"] = [item for item in page["items"] if item["name"] not in secret]
            return page

        hub.directory = Changed(hub.directory, without_hidden)

        assert await names_of(client.users()) == [name for name in names if name not in secret]

    async def test_groups_that_are_deleted_meanwhile_hide_no_others(
        self, hub: StandInHub, client: HubClient
    ) -> None:
        names = add_groups(hub, 100)
        hub.service_scopes = {f"list:groups!group={name}" for name in names[:60]}

        found = []
        async for group in client.groups():
            found.append(group.name)
            if group.name == "group-19":  # the end of the first page
                for number in range(15):
                    del hub.directory.groups[f"group-{number}"]

        assert found == names[:60]

    async def test_groups_that_are_deleted_meanwhile_are_no_error(
        self, hub: StandInHub, client: HubClient
    ) -> None:
        names = add_groups(hub, 100)
        hub.service_scopes = {f"list:groups!group={name}" for name in names[:20]}

        found = []
        async for group in client.groups():
            found.append(group.name)
            if group.name == "group-19":
                for number in range(15):
                    del hub.directory.groups[f"group-{number}"]

        assert found == names[:20]

    @pytest.mark.parametrize("step", [1, 20, 200, 10_000])
    async def test_a_hub_that_always_has_a_next_page_is_not_called_without_end(
        self, hub: StandInHub, client: HubClient, step: int
    ) -> None:
        add_groups(hub, 30)

        def endless(items: list[Any], offset: int, page: Any) -> Any:
            following = offset + max(step, len(page["items"]))
            page["_pagination"].update(
                total=following + 1, next={"offset": following, "limit": 200, "url": ""}
            )
            return page

        hub.directory = Changed(hub.directory, endless)

        with pytest.raises(HubUnavailable) as error:
            await asyncio.wait_for(names_of(client.groups()), 120)

        assert any(why in error.value.detail for why in ("have no end", "do not advance"))


class TestPagesThatAreTooLarge:
    """A page of more than 8 MiB is requested again with fewer items."""

    @pytest.fixture(autouse=True)
    def large_groups(self, hub: StandInHub) -> None:
        """Three small groups, then five of 27,000 members each: 8.5 MiB."""
        members = [f"{number:05}.a-long-name@students.of.the.university.example.edu" for number in range(27_000)]  # fmt: skip  # noqa: E501
        add_groups(hub, 3)
        for number in range(5):
            hub.directory.add_group(f"large-{number}")["users"] = [
                f"{name}.{number}-and-more" for name in members
            ]
        for number in range(30):
            hub.directory.add_group(f"small-{number}")

    async def test_all_groups_come_with_their_members(
        self, hub: StandInHub, client: HubClient, service: TornadoService
    ) -> None:
        groups = [group async for group in client.groups()]

        assert [group.name for group in groups] == list(hub.directory.groups)
        assert {len(group.users or ()) for group in groups} == {0, 27_000}
        assert service.hub.breaker.is_healthy
        assert retries(service) == 0

    async def test_the_size_that_fits_is_remembered(
        self, hub: StandInHub, client: HubClient, service: TornadoService
    ) -> None:
        await names_of(client.groups())
        assert too_large(service) > 0
        before = too_large(service)

        token = hub.token_for("ada", ("list:groups", "read:groups"))
        await names_of(client.as_caller(token, lambda: None).groups())

        assert too_large(service) == before

    async def test_the_page_grows_again_when_the_groups_are_small_again(
        self, hub: StandInHub, client: HubClient
    ) -> None:
        await names_of(client.groups())
        for group in hub.directory.groups.values():
            group["users"] = []
        for _ in range(3):
            await names_of(client.groups())
        hub.calls.clear()

        await names_of(client.groups())

        assert hub.calls[GROUPS] <= 3

    @pytest.mark.parametrize("place", [0, 3, 37])
    async def test_one_group_that_is_too_large_is_named_with_size_and_limit(
        self, hub: StandInHub, client: HubClient, service: TornadoService, place: int
    ) -> None:
        list(hub.directory.groups.values())[place]["users"] = ["x" * 9_000_000]

        with pytest.raises(HubResponseTooLarge) as error:
            await names_of(client.groups())

        assert "limit=1" in error.value.detail
        assert "has 8.6 MiB; the limit is 8 MiB" in error.value.detail
        assert "fewer members in a group" in error.value.detail
        assert error.value.status_code == 502
        assert service.hub.breaker.is_healthy
        assert retries(service) == 0


async def test_users_with_many_servers_come_in_smaller_pages(
    hub: StandInHub, client: HubClient
) -> None:
    hub.service_scopes |= {"read:servers"}
    for number in range(60):
        hub.directory.add_user(f"user-{number}")
        hub.directory.add_server(f"user-{number}", user_options={"note": "x" * 200_000})

    users = [user async for user in client.users()]

    assert [user.name for user in users] == list(hub.directory.users)
    assert all(user.servers for user in users)


async def test_calls_that_are_no_list_are_refused_at_once(
    hub: StandInHub, client: HubClient, service: TornadoService
) -> None:
    hub.service_scopes = {"read:users", "read:servers"}
    hub.directory.add_user("ada")
    hub.directory.add_server("ada", user_options={"note": "x" * 9_000_000})

    with pytest.raises(HubResponseTooLarge) as error:
        await client.user("ada")

    assert "GET /hub/api/users/ada has 8.6 MiB" in error.value.detail
    assert hub.calls[f"{USERS}/ada"] == 1


def retries(service: TornadoService) -> float:
    return service.metrics.registry.get_sample_value("tornado_service_hub_retries_total") or 0


def too_large(service: TornadoService) -> float:
    labels = {"outcome": "too_large"}
    return service.metrics.registry.get_sample_value("tornado_service_hub_calls_total", labels) or 0
