"""The page that signs out."""

import pytest

from tests.support.cookie_names import SESSION
from tornado_service.testing import (
    PREFIX,
    StandInHub,
    Visitor,
)


async def test_logout_drops_cookie_and_identity_at_once(hub: StandInHub, visitor: Visitor) -> None:
    await visitor.open(PREFIX)
    stolen = dict(visitor.jar)
    hub.users.clear()  # the hub revokes the session's tokens

    response = await visitor.post("logout")

    assert response.code == 200
    assert 'content="0; url=/hub/logout"' in visitor.page
    assert SESSION not in visitor.cookies
    visitor.jar = stolen
    assert (await visitor.get(PREFIX)).code == 302


async def test_logout_opening_it_shows_a_confirmation(visitor: Visitor) -> None:
    """A new window or a prerendered page looks like a user's own visit."""
    await visitor.open()
    headers = ({}, {"Sec-Purpose": "prefetch;prerender"}, {"Sec-Fetch-Site": "cross-site"})

    for more in headers:
        page = await visitor.open("logout", headers=more)
        assert page.code == 200
        assert (await visitor.get("api/user")).code == 200

    assert (await visitor.post("logout")).code == 200
    assert SESSION not in visitor.cookies


@pytest.mark.parametrize("mode", ["no-cors", "cors", "same-origin", "navigate"])
@pytest.mark.parametrize("destination", ["empty", "image", "iframe", "object", "embed"])
async def test_logout_its_page_is_not_for_scripts_and_frames(
    visitor: Visitor, mode: str, destination: str
) -> None:
    await visitor.open()

    page = await visitor.get(
        "logout", headers={"Sec-Fetch-Mode": mode, "Sec-Fetch-Dest": destination}
    )

    assert page.code == 403
    assert visitor.xsrf_token.encode() not in page.body
    assert SESSION in visitor.cookies


@pytest.mark.parametrize("form", ["", "_xsrf=", "_xsrf=guess"])
@pytest.mark.parametrize("destination", ["document", "iframe", "empty"])
async def test_logout_a_form_of_another_users_page_does_not_sign_out(
    visitor: Visitor, form: str, destination: str
) -> None:
    await visitor.open()

    response = await visitor.get(
        "logout", method="POST", body=form, headers={"Sec-Fetch-Dest": destination}
    )

    assert response.code == 403
    assert visitor.xsrf_token.encode() not in response.body
    assert (await visitor.get("api/user")).code == 200


async def test_logout_works_while_the_hub_is_unavailable(hub: StandInHub, visitor: Visitor) -> None:
    await visitor.open()
    hub.fault = "error"

    await visitor.open("logout")
    assert (await visitor.post("logout")).code == 200

    assert SESSION not in visitor.cookies
