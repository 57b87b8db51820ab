"""Parameters and results of methods: by their annotations, checked when the app loads."""

from __future__ import annotations

import json
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from tests.apps.typed.conftest import read
from tornado_service.apps.isolation.containment import AppError
from tornado_service.testing import BROWSER, Fetch, StartService

HEAD = """
from __future__ import annotations
from typing import TYPE_CHECKING
from pydantic import BaseModel
from tornado_service import APIHandler, PageHandler, ServiceApp
if TYPE_CHECKING:
    from datetime import date

class Model(BaseModel):
    x: int

class Nested(BaseModel):
    inner: Model

class Unknown(BaseModel):
    x: Nothing
"""
TAIL = """
class App(ServiceApp):
    name = "app"
    def handlers(self):
        return [({path!r}, Wrong)]
"""


async def test_decorators_of_an_author_are_called(fetch: Fetch, token: str, app: Any) -> None:
    got = await fetch("typed/api/decorated?limit=4", token=token)
    posted = await fetch("typed/api/decorated", token=token, method="POST", json={"title": "x"})

    assert (read(got), read(posted)) == ({"limit": 4}, {"title": "x"})
    assert app.counted == 2


async def test_groups_of_the_path_are_converted(fetch: Fetch, token: str) -> None:
    key = "12345678-1234-5678-1234-567812345678"

    assert read(await fetch("typed/api/reports/2", token=token))["title"] == "two"
    assert (await fetch("typed/api/reports/9", token=token)).code == 404
    assert (await fetch("typed/api/reports/" + "9" * 5000, token=token)).code == 404
    assert read(await fetch(f"typed/api/kinds/a/{key}", token=token))["key"] == key
    for path in ("kinds/c/" + key, "kinds/a/1"):
        missing = await fetch(f"typed/api/{path}", token=token)
        assert missing.code == 404
        assert read(missing)["message"] == "There is nothing at this URL."
    assert read(await fetch("typed/api/optional", token=token)) == {"number": 7}
    assert read(await fetch("typed/api/optional/8", token=token)) == {"number": 8}


@pytest.mark.parametrize("what", ["model", "more", "dict", "object"])
async def test_a_response_has_only_the_fields_of_its_model(
    fetch: Fetch, token: str, what: str
) -> None:
    response = await fetch(f"typed/api/answers/{what}", token=token)

    assert (response.code, read(response)) == (200, {"id": 1, "title": "x", "score": 0.0})


async def test_a_response_is_always_json(fetch: Fetch, token: str) -> None:
    infinite = await fetch("typed/api/answers/infinite", token=token)
    untyped = await fetch("typed/api/untyped/list", token=token)

    assert read(infinite)["score"] is None
    assert read(untyped) == [{"id": 1, "title": "x", "score": 0.0}, {"nan": None}]
    assert read(await fetch("typed/api/untyped/dataclass", token=token))["main"] is False


async def test_nothing_is_204(fetch: Fetch, token: str) -> None:
    for path in ("answers/none", "untyped/nothing", "reports/0"):
        response = await fetch(f"typed/api/{path}", token=token)
        assert (response.code, response.body) == (204, b"")
    deleted = await fetch("typed/api/reports/1", token=token, method="DELETE")
    assert deleted.code == 204


async def test_an_invalid_response_is_a_server_error_and_the_log_has_no_value(
    fetch: Fetch, token: str, caplog: pytest.LogCaptureFixture
) -> None:
    response = await fetch("typed/api/answers/wrong", token=token)

    assert response.code == 500
    reported = caplog.text
    assert (
        "tests.support.typed_app.Answers.get() returned what is not"
        " <class 'tests.support.typed_app.Report'>: id" in reported
    )
    assert "secret-value" not in reported
    for path in ("untyped/bytes", "untyped/both"):
        assert (await fetch(f"typed/api/{path}", token=token)).code == 500


async def test_head_is_as_get(fetch: Fetch, token: str) -> None:
    response = await fetch("typed/api/reports?limit=1", token=token, method="HEAD")
    wrong = await fetch("typed/api/reports?limit=x", token=token, method="HEAD")

    assert (response.code, response.body, wrong.code) == (200, b"", 400)


async def test_a_page_has_groups_and_a_query_too(fetch: Fetch, token: str, app: Any) -> None:
    page = await fetch("typed/page/5?sort=oldest", token=token, headers=BROWSER)
    wrong = await fetch("typed/page/5?sort=x", token=token, headers=BROWSER)
    program = await fetch(
        "typed/page/5?sort=x", token=token, headers={"Accept": "application/json"}
    )
    posted = await fetch("typed/page/5", token=token, method="POST", body="")

    assert (page.code, app.threads[0].name) == (200, "app typed")
    assert "<h1>5" in page.body.decode()
    assert wrong.code == program.code == 400
    assert "not valid. Go back" in wrong.body.decode()
    for word in (b"Input should be", b"newest", b"sort"):
        assert word not in wrong.body.partition(b"<main")[2]
    assert "sort: Input should be" in json.loads(program.body)["message"]
    assert posted.code == 500


@pytest.mark.parametrize(
    ("path", "method", "reported"),
    [
        ("", "async def post(self, body: int): ...", "the annotation <class 'int'> of body"),
        ("", "async def post(self, body): ...", "no annotation of body"),
        ("", "async def get(self, body: Model): ...", "GET requests do not have"),
        ("", "async def get(self, query: Nested): ...", "Nested.inner is an object"),
        ("", "async def get(self, query: date): ...", "name 'date' is not defined"),
        ("", "async def get(self) -> Nothing: ...", "name 'Nothing' is not defined"),
        ("", "async def post(self, body: Unknown): ...", "that cannot be"),
        ("", "async def get(self) -> APIHandler: ...", "what it returns that cannot be"),
        ("", "async def get(self, number): ...", "takes number of the path"),
        (r"(\d+)", "def get(self): ...", "takes none of the path"),
        (r"(?P<a>x)", "def get(self, b): ...", "has the groups a"),
        ("(x)", "def get(self, number, /): ...", "write it without the /"),
        ("", "async def get(self): yield 1", "yields"),
    ],
)
async def test_an_invalid_declaration_is_reported_when_the_app_loads(
    start_service: StartService,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    method: str,
    reported: str,
) -> None:
    handler = f"class Wrong(APIHandler):\n{textwrap.indent(method, '    ')}\n"
    (tmp_path / "wrong_app.py").write_text(HEAD + handler + TAIL.format(path=path))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "wrong_app", raising=False)

    with pytest.raises(AppError) as refused:
        await start_service(TornadoService={"apps": ["wrong_app:App"]})

    sys.modules.pop("wrong_app")
    assert reported in str(refused.value)
    assert "App: Wrong." in str(refused.value)
