from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.request import Request, urlopen

import pytest
from tornado.httpclient import AsyncHTTPClient

from tests.visitor import Visitor
from tornado_service.demo import ThrowAwayHub


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "real_hub" in item.path.parts:
            item.add_marker("hub")


@pytest.fixture(scope="session")
def real_hub() -> Iterator[ThrowAwayHub]:
    """A hub that launched the service, shared by the tests that leave it as it is."""
    with ThrowAwayHub() as hub:
        yield hub


@pytest.fixture
def start_hub() -> Iterator[Callable[..., ThrowAwayHub]]:
    """A hub of the test's own."""
    started: list[ThrowAwayHub] = []

    def start(**options: Any) -> ThrowAwayHub:
        hub = ThrowAwayHub(**options)
        started.append(hub)
        hub.start()
        return hub

    yield start
    for hub in started:
        hub.stop()


@pytest.fixture
def browse(client: AsyncHTTPClient) -> Callable[..., Visitor]:
    """A person's browser, in front of a hub's proxy."""

    def browse(hub: ThrowAwayHub, host: str = "") -> Visitor:
        origin = f"http://127.0.0.1:{hub.port}"
        return Visitor(client, origin, host=host or f"127.0.0.1:{hub.port}")

    return browse


def ask_hub(hub: ThrowAwayHub, method: str, path: str, body: Any = None) -> Any:
    """Use the hub's API as an admin."""
    request = Request(
        f"{hub.url}hub/api/{path}",
        method=method,
        data=json.dumps(body).encode() if body is not None else None,
        headers={"Authorization": f"token {hub.admin_token}"},
    )
    with urlopen(request, timeout=20) as answer:
        text = answer.read()
    return json.loads(text) if text else None


def new_token(hub: ThrowAwayHub, name: str, scopes: list[str] | None = None) -> str:
    """A new API token of a user."""
    note: dict[str, Any] = {"note": "test"}
    if scopes:
        note["scopes"] = scopes
    return ask_hub(hub, "POST", f"users/{name}/tokens", note)["token"]
