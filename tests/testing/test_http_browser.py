import json

import pytest

from tornado_service.testing import PREFIX, StandInHub, Visitor
from tornado_service.testing.http_browser import NewVisitor


async def test_paths_are_relative_to_the_service(visitor: Visitor) -> None:
    await visitor.open("api/")

    assert visitor.address == f"{PREFIX}api/"
    assert (await visitor.get("/health")).code == 200


async def test_the_first_page_signs_in(visitor: Visitor) -> None:
    response = await visitor.fetch("api/user")

    assert response.json()["name"] == "ada"
    assert visitor.address == f"{PREFIX}home"


async def test_each_is_a_user_with_the_scopes_that_the_hub_grants(
    new_visitor: NewVisitor, hub: StandInHub
) -> None:
    hub.directory.add_user("ines", groups=["instructors"], admin=True)
    hub.grant("ines", "custom:reports:read")
    hub.grant("ines", "custom:reports:write")

    ines = json.loads((await new_visitor("ines").fetch("api/user")).body)
    sam = json.loads((await new_visitor("sam").fetch("api/user")).body)

    assert (ines["name"], ines["groups"], ines["admin"]) == ("ines", ["instructors"], True)
    assert {"custom:reports:read", "custom:reports:write"} < set(ines["scopes"])
    assert (sam["name"], sam["groups"], sam["admin"]) == ("sam", [], False)


async def test_a_page_without_a_token_is_an_error(visitor: Visitor) -> None:
    await visitor.open()
    await visitor.open("health")

    with pytest.raises(AssertionError, match=r"tornado-service/health\) has no XSRF token"):
        await visitor.post("", {"title": "x"})
    assert (await visitor.fetch("api/user", xsrf=False)).code == 403


async def test_there_is_no_form_to_sign_in(visitor: Visitor) -> None:
    with pytest.raises(AssertionError, match="is no form to sign in"):
        await visitor.sign_in("", "ada")
