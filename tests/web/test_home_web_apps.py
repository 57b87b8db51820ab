"""Web apps on the home page: a card for each, for those who may open it."""

import pytest

from tornado_service.testing import BROWSER, PREFIX, Fetch, ServiceConfig, StandInHub


@pytest.fixture
def service_config() -> ServiceConfig:
    web_apps = {
        "sales": {
            "url": "http://127.0.0.1:9",
            "title": "Sales & more",
            "description": "Figures of <this> week.",
            "allowed_groups": ["analysts"],
        },
        "wiki": {"url": "http://127.0.0.1:9"},
    }
    return {"TornadoService": {"web_apps": web_apps}}


async def test_a_card_has_title_and_description_of_the_entry(hub: StandInHub, fetch: Fetch) -> None:
    token = hub.token_for("sam", groups=["analysts"])
    response = await fetch("home", token=token, headers=BROWSER)
    page = response.body.decode().partition("<main")[2]

    assert f'href="{PREFIX}sales/">Sales &amp; more</a>' in page
    assert "Figures of &lt;this&gt; week." in page
    assert f'href="{PREFIX}wiki/">wiki</a>' in page


async def test_a_card_is_for_those_who_may_open_the_app(hub: StandInHub, fetch: Fetch) -> None:
    token = hub.token_for("bob", groups=["students"])
    response = await fetch("home", token=token, headers=BROWSER)
    page = response.body.decode().partition("<main")[2]

    assert f"{PREFIX}sales/" not in page
    assert f'href="{PREFIX}wiki/"' in page
