"""Calls that a token's known scopes rule out are not made."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jupyterhub.scopes import expand_scopes

from tornado_service import APIHandler, HubCalls, HubRefused
from tornado_service.app import TornadoService
from tornado_service.hub.scopes import may_list, may_read_some_user, may_read_user
from tornado_service.testing import PREFIX, Fetch, StandInHub


def held(*scopes: str) -> frozenset[str]:
    """As in the hub's model of a token's owner."""
    return frozenset(expand_scopes(scopes))


@pytest.mark.parametrize(
    ("scope", "scopes", "may"),
    [
        ("list:users", [], False),
        ("list:users", ["read:users"], False),
        ("list:users", ["list:groups"], False),
        ("list:users", ["list:users"], True),
        ("list:users", ["admin:users"], True),
        ("list:users", ["list:users!group=a"], True),
        ("list:users", ["list:users!user=sam"], True),
        ("list:users", ["admin:users!group=a"], True),
        ("list:users", ["list:users!user=sam", "list:users!group=a"], True),
        ("list:users", ["list:users!server=sam/"], False),
        ("list:users", ["list:users!server=sam/", "list:users!group=a"], False),
        ("list:groups", ["read:groups", "list:users"], False),
        ("list:groups", ["list:groups"], True),
        ("list:groups", ["admin:groups"], True),
        ("list:groups", ["list:groups!group=a"], True),
        ("list:groups", ["list:groups!user=sam"], False),
    ],
)
def test_a_list_needs_its_scope_with_any_filter_that_the_hub_takes(
    scope: str, scopes: list[str], may: bool
) -> None:
    assert may_list(scope, held(*scopes)) == may


@pytest.mark.parametrize(
    ("scopes", "may"),
    [
        (["read:users"], True),
        (["read:servers"], True),
        (["admin:users"], True),
        (["read:users:name!user=sam"], True),
        (["read:users:name!user=kim"], False),
        (["read:users:name!group=a"], True),  # only the hub knows its members
        (["read:servers!server=sam/"], False),
        (["list:groups"], False),
        ([], False),
    ],
)
def test_a_user_needs_a_scope_that_shows_that_user(scopes: list[str], may: bool) -> None:
    assert may_read_user("sam", held(*scopes)) == may


def test_scopes_that_show_no_user_at_all() -> None:
    assert not may_read_some_user(held("list:groups", "access:services"))
    assert may_read_some_user(held("read:users:name!user=kim"))


class CallsAPI(APIHandler):
    async def get(self) -> None:
        hub = self.as_caller()
        found: dict[str, Any] = {}
        for name, call in {"users": names(hub.users()), "groups": names(hub.groups())}.items():
            found[name] = await outcome(call)
        for name in ("sam", "kim"):
            found[name] = await outcome(name_of(hub, name))
        self.write_json(found)


async def names(items: Any) -> list[str]:
    return [item.name async for item in items]


async def name_of(hub: HubCalls, name: str) -> str | None:
    user = await hub.user(name)
    return user.name if user else None


async def outcome(call: Any) -> Any:
    try:
        return await call
    except HubRefused as error:
        return [error.status_code, error.scope]


@pytest.fixture
async def calls(service: TornadoService, hub: StandInHub, fetch: Fetch) -> Any:
    """The response to a token, and the calls of the hub for it."""
    service.web_app.add_handlers(".*", [(f"{PREFIX}calls", CallsAPI)])
    hub.directory.add_user("sam", groups=["a"])
    hub.directory.add_user("kim", groups=["b"])

    async def calls(*scopes: str) -> tuple[Any, dict[str, int]]:
        token = hub.token_for("ines", tuple(held(*scopes)))
        hub.calls.clear()
        response = await fetch("calls", token=token)
        made = {path.removeprefix("/hub/api/"): count for path, count in hub.calls.items()}
        made.pop("user")
        return json.loads(response.body), made

    return calls


async def test_without_scopes_no_call_is_made_and_each_scope_is_named(calls) -> None:
    found, made = await calls()

    assert found == {
        "users": [403, "list:users"],
        "groups": [403, "list:groups"],
        "sam": [403, "read:users:name"],
        "kim": [403, "read:users:name"],
    }
    assert made == {}


async def test_with_filters_the_hub_is_called_and_decides(calls) -> None:
    found, made = await calls("list:users!group=a", "list:groups!group=b")

    assert found == {"users": ["sam"], "groups": ["b"], "sam": "sam", "kim": None}
    assert made == {"users": 1, "groups": 1, "users/sam": 1, "users/kim": 1}


async def test_a_user_who_may_read_one_user_requests_that_one(calls) -> None:
    found, made = await calls("read:users:name!user=sam")

    assert (found["sam"], found["kim"]) == ("sam", None)
    assert made == {"users/sam": 1}


async def test_a_scope_that_the_service_lacks_is_tried_once_in_a_while(
    service: TornadoService, hub: StandInHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(3):
        with pytest.raises(HubRefused) as error:
            await names(service.hub.users())
        assert (error.value.status_code, error.value.scope) == (503, "list:users")
    assert hub.calls["/hub/api/users"] == 1

    hub.service_scopes = {"list:users", "list:groups"}
    hub.directory.add_user("sam", groups=["a"])
    assert await names(service.hub.groups()) == ["a"]
    monkeypatch.setattr("tornado_service.hub.client.REFUSED_SCOPE_MAX_AGE", 0)
    assert await names(service.hub.users()) == ["sam"]
