"""Permissions for the status of a service that a real hub launched."""

from __future__ import annotations

import pytest

from tornado_service.testing import Fetch, RealHub


@pytest.fixture
def fetch(client, real_hub: RealHub) -> Fetch:
    return Fetch(client, real_hub.service_url, real_hub.service_prefix)


@pytest.mark.parametrize(
    ("name", "scopes", "status"),
    [
        ("ada", (), 200),  # all that an admin has
        ("ada", ("read:hub",), 200),
        ("ada", ("list:users",), 403),
        ("sam", (), 403),
    ],
)
async def test_by_a_token(
    real_hub: RealHub, fetch: Fetch, name: str, scopes: tuple[str, ...], status: int
) -> None:
    token = real_hub.token_for(name, scopes)

    assert (await fetch("api/status", token=token)).code == status
    assert (await fetch("status", token=token)).code == status


async def test_an_admins_token_for_the_service_alone_is_not_enough(
    real_hub: RealHub, fetch: Fetch
) -> None:
    token = real_hub.token_with("ada", [f"access:services!service={real_hub.service_name}"])

    response = await fetch("api/status", token=token)

    assert response.code == 403
    assert b"read:hub" in response.body


async def test_by_an_admins_session_in_a_browser(real_hub: RealHub, browse) -> None:
    """The session's token has only the scopes of the OAuth client: access."""
    ada = browse(real_hub)

    assert (await ada.sign_in(real_hub.service_prefix + "status", "ada")).code == 200
    assert (await ada.fetch("api/status")).code == 200
