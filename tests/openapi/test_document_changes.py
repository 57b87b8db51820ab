"""When the API's document is generated, and when it is generated again."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

import pytest
from openapi_spec_validator import validate

from tests.support.api_document import document_of
from tornado_service.app import TornadoService
from tornado_service.testing import Fetch, StandInHub, StartService

OTHER = """
from __future__ import annotations
from typing import Any, Callable
from pydantic import BaseModel
from tornado_service import APIHandler, PageHandler, ServiceApp, allow_unauthenticated

class Report(BaseModel):
    other: str

class Odd(BaseModel):
    model_config = {"arbitrary_types_allowed": True}
    call: Callable[[], None]

class Unwritable(BaseModel):
    model_config = {"json_schema_extra": lambda schema: schema.update(example=object())}

class Good(APIHandler):
    async def get(self) -> Report: ...

class Bad(APIHandler):
    async def get(self) -> Odd: ...
    async def post(self, body: Report) -> None: ...
    async def put(self) -> Unwritable: ...

class Page(PageHandler):
    def get(self): ...

class Other(ServiceApp):
    name = "other"
    def handlers(self):
        return [("", Page), ("api/good", Good), ("api/bad", Bad), ("api/also", Good),
                ("api/.*", Good)]
"""


async def test_another_app_changes_it_and_an_invalid_one_breaks_nothing(
    start_service: StartService,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "other_app.py").write_text(OTHER)
    monkeypatch.syspath_prepend(tmp_path)
    apps = ["tests.support.typed_app:Typed", "other_app:Other"]
    service = await start_service(load=False, TornadoService={"apps": apps})
    made = document_of(service)
    before = json.loads(await made.json())

    await service.app_manager.load()
    after = json.loads(await made.json())
    await made.json()

    sys.modules.pop("other_app")
    validate(after)
    assert not [path for path in before["paths"] if path.startswith(("/typed", "/other"))]
    found = {path for path in after["paths"] if path.startswith("/other")}
    assert found == {"/other/api/good", "/other/api/also", "/other/api/bad"}
    assert after["paths"]["/other/api/bad"].keys() == {"post"}
    schemas = after["components"]["schemas"]
    assert schemas["other.Report"].keys() != schemas["typed.Report"].keys()
    reported = capsys.readouterr().err
    for method in ("get", "put"):
        assert reported.count(f"Not in api/openapi.json: other_Bad_{method}: ") == 1
    assert reported.count("Not in api/openapi.json: Good at 'api/.*': ") == 1


async def test_after_a_failure_it_is_generated_again(
    service: TornadoService, fetch: Fetch, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(document_of(service), "_build", lambda mounts: 1 / 0)
        assert (await fetch("api/openapi.json")).code == 500

    assert (await fetch("api/openapi.json")).code == 200


async def test_concurrent_requests_generate_it_once(
    service: TornadoService, fetch: Fetch, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = document_of(service)
    calls = []
    make = made._build
    monkeypatch.setattr(made, "_build", lambda mounts: calls.append(1) or make(mounts))

    responses = await asyncio.gather(*[fetch("api/openapi.json") for _ in range(5)])

    assert {response.code for response in responses} == {200}
    assert len(calls) == 1


async def test_the_hub_is_not_needed(hub: StandInHub, fetch: Fetch) -> None:
    hub.fault = "silent"

    assert (await fetch("api/openapi.json")).code == 200
