"""The OpenAPI document: valid, whole, and true."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import validate

from tests.support.api_document import document_of, operation_ids, routes_of
from tornado_service.app import TornadoService
from tornado_service.handlers.base import APIHandler
from tornado_service.testing import Fetch, ServiceConfig, StartService

WORDED = '''
from pydantic import BaseModel, Field
from tornado_service import APIHandler, ServiceApp

class Query(BaseModel):
    name: str = Field("", description="Such as ``monday``.")

class Day(BaseModel):
    """A ``day``.

    Attributes:
        first: its ``first`` hour,
            which is long.
        last: not this.
    """

    first: int
    last: int = Field(description="Said of the field.")
    other: int

class Words(APIHandler):
    async def get(self, query: Query) -> Day:
        """The day, a ``Day`` by
        its `name`.

        Of ``week``, as ``a`b`` says.

        ```
        code
        ```

        Raises:
            HTTPError: never.
        """

class Worded(ServiceApp):
    """Has ``words``.

    And more.

    Attributes:
        name: of no interest.
    """

    name = "worded"
    def handlers(self):
        return [("api/day", Words)]

class Mute(ServiceApp):
    name = "mute"
    title = "Says nothing"
    def handlers(self):
        return []
'''


@pytest.fixture
def service_config() -> ServiceConfig:
    return {"TornadoService": {"apps": ["tests.support.typed_app:Typed"]}}


@pytest.fixture
async def document(fetch: Fetch) -> dict[str, Any]:
    return json.loads((await fetch("api/openapi.json")).body)


async def test_it_is_open_valid_and_cached_for_a_short_time(fetch: Fetch) -> None:
    response = await fetch("api/openapi.json")

    assert response.code == 200
    assert response.headers["Content-Type"] == "application/json; charset=utf-8"
    assert response.headers["Cache-Control"] == "public, max-age=60"
    validate(json.loads(response.body))
    again = await fetch("api/openapi.json", headers={"If-None-Match": response.headers["Etag"]})
    assert again.code == 304


async def test_each_path_of_our_api_is_in_it(
    service: TornadoService, document: dict[str, Any]
) -> None:
    routes = [(route[0].replace("\\", ""), route[1]) for route in routes_of(service)]
    ours = [
        path.removeprefix(service.prefix).rstrip("?/")
        for path, handler in routes
        if issubclass(handler, APIHandler) and path.startswith(service.prefix)
    ]

    assert len(ours) > 6
    in_it = {path for path in document["paths"] if not path.startswith("/typed/")}
    assert in_it == {f"/{path}" for path in ours if path != "api/debug"}
    assert document["servers"] == [{"url": service.prefix.rstrip("/")}]


async def test_a_path_that_is_enabled_is_in_it(start_service: StartService) -> None:
    service = await start_service(TornadoService={"debug_api": True})

    document = json.loads(await document_of(service).json())

    assert "/api/debug" in document["paths"]


async def test_parameters_are_those_of_path_and_query(document: dict[str, Any]) -> None:
    parameters = document["paths"]["/typed/api/reports"]["get"]["parameters"]
    (number,) = document["paths"]["/typed/api/reports/{number}"]["get"]["parameters"]

    assert {each["name"]: each["schema"] for each in parameters} == {
        "since": {"type": "string", "format": "date"},
        "tag": {"type": "array", "items": {"type": "string"}, "default": []},
        "mood": {"type": "string", "enum": ["good", "bad"]},
        "days": {"type": "array", "items": {"type": "string", "format": "date"}, "default": []},
        "old": {"type": "boolean", "default": False},
        "limit": {"type": "integer", "minimum": 1, "maximum": 100, "default": 10},
        "sort": {"type": "string", "enum": ["newest", "oldest"], "default": "newest"},
    }
    assert parameters[0]["description"] == "The first day."
    assert number == {
        "name": "number",
        "in": "path",
        "required": True,
        "schema": {"type": "integer"},
    }
    assert "/typed/api/kinds/{kind}/{key}" in document["paths"]


async def test_bodies_and_responses_are_models_by_reference(document: dict[str, Any]) -> None:
    post = document["paths"]["/typed/api/reports"]["post"]
    get = document["paths"]["/typed/api/reports"]["get"]
    one = document["paths"]["/typed/api/reports/{number}"]

    report = {"$ref": "#/components/schemas/typed.Report"}
    body = {"$ref": "#/components/schemas/typed.NewReport"}
    assert post["requestBody"] == {
        "required": True,
        "content": {"application/json": {"schema": body}},
    }
    assert post["responses"]["2XX"]["content"]["application/json"]["schema"] == report
    content = get["responses"]["200"]["content"]["application/json"]
    assert content["schema"]["items"] == report
    assert one["get"]["responses"].keys() >= {"200", "204", "400", "401", "403", "404", "503"}
    assert "415" in one["put"]["responses"]
    assert document["components"]["schemas"]["typed.Report"]["description"]
    optional = document["paths"]["/typed/api/optional"]["post"]["requestBody"]
    assert optional["required"] is False


async def test_texts_are_those_of_the_docstrings(document: dict[str, Any]) -> None:
    get = document["paths"]["/typed/api/reports"]["get"]

    assert get["summary"] == "The reports, by date"
    assert get["description"] == "At most the requested number."
    assert get["tags"] == ["typed"]
    assert {"name": "typed", "description": "Reports, typed."} in document["tags"]


async def test_docstrings_are_plain_in_summaries_and_markdown_in_descriptions(
    start_service: StartService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "worded_app.py").write_text(WORDED)
    monkeypatch.syspath_prepend(tmp_path)
    service = await start_service(TornadoService={"apps": ["worded_app:Worded", "worded_app:Mute"]})

    document = json.loads(await document_of(service).json())

    sys.modules.pop("worded_app")
    get = document["paths"]["/worded/api/day"]["get"]
    assert get["summary"] == "The day, a Day by its name"
    assert get["description"] == "Of `week`, as ``a`b`` says.\n\n```\ncode\n```"
    (name,) = get["parameters"]
    assert name["description"] == "Such as `monday`."
    day = document["components"]["schemas"]["worded.Day"]
    assert day["description"] == "A `day`."
    descriptions = {name: each.get("description") for name, each in day["properties"].items()}
    assert descriptions == {
        "first": "Its `first` hour, which is long.",
        "last": "Said of the field.",
        "other": None,
    }
    told = {each["name"]: each["description"] for each in document["tags"]}
    assert told["worded"] == "Has `words`.\n\nAnd more."
    assert told["mute"] == "Says nothing"


async def test_no_markup_of_another_kind_is_left(document: dict[str, Any]) -> None:
    operations = [each for path in document["paths"].values() for each in path.values()]

    assert not [each["summary"] for each in operations if "`" in each["summary"]]
    assert "``" not in json.dumps(document)
    assert "Attributes:" not in json.dumps(document)


async def test_what_is_open_and_which_scopes_are_needed(
    document: dict[str, Any], service: TornadoService
) -> None:
    paths = document["paths"]

    access = service.auth.access_scope
    assert paths["/health"]["get"]["security"] == []
    assert paths["/typed/api/open"]["get"]["security"] == []
    assert paths["/api/user"]["get"]["security"] == [{"token": [access]}, {"session": [access]}]
    roles = [access, "custom:reports:write"]
    post = paths["/typed/api/decorated"]["post"]
    assert post["security"] == [{"token": roles}, {"session": roles}]
    assert "Needs the scope `custom:reports:write`." in post["description"]


async def test_names_are_unique(document: dict[str, Any]) -> None:
    names = operation_ids(document).values()

    assert len(names) == len(set(names))
