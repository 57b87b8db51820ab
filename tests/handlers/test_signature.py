"""What methods take and give: read, refused and answered by their annotations."""

from __future__ import annotations

import asyncio
import json
import sys
import textwrap
import threading
from pathlib import Path
from typing import Any

import pytest
from tornado.httpclient import HTTPResponse

from tornado_service import threads
from tornado_service.app import TornadoService
from tornado_service.apps import AppError
from tornado_service.testing import BROWSER, Fetch, ServiceConfig, StandInHub, StartService

JSON = {"Content-Type": "application/json"}


@pytest.fixture
def service_config() -> ServiceConfig:
    return {"TornadoService": {"apps": ["tests.typed_app:Typed"]}}


@pytest.fixture
def app(service: TornadoService) -> Any:
    return next(iter(service.mounts)).app


@pytest.fixture
def token(hub: StandInHub) -> str:
    return hub.token_for("sam", ("custom:reports:write",))


def read(answer: HTTPResponse) -> Any:
    return json.loads(answer.body)


async def test_a_query_is_read_by_its_model(fetch: Fetch, token: str, app: Any) -> None:
    path = "typed/api/reports?since=2026-02-03&tag=a&tag=b&limit=1&sort=oldest&_xsrf=2%7Cx"
    answer = await fetch(path, token=token)

    assert (answer.code, read(answer)) == (200, [{"id": 1, "title": "one", "score": 0.0}])
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    (query,) = app.queries
    assert (query.since.isoformat(), query.tag, query.limit) == ("2026-02-03", ["a", "b"], 1)


@pytest.mark.parametrize(
    ("query", "field", "problem"),
    [
        ("limit=0", "limit", "greater than or equal to 1"),
        ("limit=1&limit=2", "limit", "It is there more than once."),
        ("sort=random", "sort", "'newest' or 'oldest'"),
        ("order=newest", "order", "Extra inputs are not permitted"),
        ("tga=a", "tga", "Extra inputs are not permitted"),
        ("since=", "since", "valid date"),
        ("since=0", "since", "Input is a number"),
        ("days=2026-02-03&days=1.5", "days", "Input is a number"),
        ("tag=%ff", "query", "It is not UTF-8."),
        ("%0a%00" + "x" * 500, r"\n\x00" + "x" * 98, "Extra inputs are not permitted"),
    ],
)
async def test_a_wrong_query_is_told_field_by_field(
    fetch: Fetch, token: str, query: str, field: str, problem: str
) -> None:
    answer = await fetch(f"typed/api/reports?{query}", token=token)

    assert answer.code == 400
    (error,) = read(answer)["errors"]
    assert error["field"] == field
    assert problem in error["problem"]
    assert read(answer)["message"] == f"{field}: {error['problem']}"
    assert read(answer)["status"] == 400


async def test_a_body_is_read_and_the_answer_written_by_models(fetch: Fetch, token: str) -> None:
    body = {"title": "100 % ü", "score": 1.5, "ignored": 1}
    answer = await fetch("typed/api/reports", token=token, method="POST", json=body)

    assert (answer.code, read(answer)) == (201, {"id": 3, "title": "100 % ü", "score": 1.5})


@pytest.mark.parametrize(
    ("body", "field", "problem"),
    [
        ("", "body", "It is empty"),
        ("{", "body", "It is no JSON"),
        ("nonsense-secret", "body", "It is no JSON: Expecting value (line 1, column 1)."),
        (b'{"title": "\xff"}', "body", "It is not UTF-8."),
        ('{"title": "x"}'.encode("utf-16"), "body", "It is not UTF-8."),
        ('{"title": "x", "score": NaN}', "body", "too large, or none"),
        ('{"title": "x", "score": -Infinity}', "body", "too large, or none"),
        ('{"title": "x", "score": 1e999}', "body", "too large, or none"),
        ('{"title": "x", "score": ' + "9" * 5000 + "}", "body", "too large, or none"),
        ('{"title": "x", "other": ' + "[" * 300 + "]" * 300 + "}", "body", "recursion limit"),
        ("[" * 100_000, "body", "nested too deeply"),
        ('{"title": "\\ud800"}', "body", "Invalid JSON"),
        ("[]", "body", "object"),
        ("{}", "title", "Field required"),
        ('{"title": "x", "score": "secret-1234"}', "score", "valid number"),
        ('{"title": "x", "count": "5"}', "count", "valid integer"),
        ('{"title": "x", "score": true}', "score", "valid number"),
        ('{"title": "x", "parts": [{"name": "a"}, {}]}', "parts.1.name", "Field required"),
        ('{"title": "damned"}', "title", "Input is not valid"),
    ],
    ids=lambda value: str(value)[:30],
)
async def test_a_wrong_body_is_told_and_never_repeated(
    fetch: Fetch, token: str, body: Any, field: str, problem: str
) -> None:
    answer = await fetch("typed/api/reports", token=token, method="POST", headers=JSON, body=body)

    assert answer.code == 400, answer.body
    error = read(answer)["errors"][0]
    assert error["field"] == field
    assert problem in error["problem"]
    assert b"secret" not in answer.body
    assert b"damned" not in answer.body


async def test_a_whole_number_is_an_integer_however_it_is_written(fetch: Fetch, token: str) -> None:
    body = '{"title": "x", "count": 5.0, "score": 1E2}'
    answer = await fetch("typed/api/reports", token=token, method="POST", headers=JSON, body=body)

    assert (answer.code, read(answer)["score"]) == (201, 100.0)


async def test_many_mistakes_give_a_short_answer(fetch: Fetch, token: str) -> None:
    body = {"title": "x", "parts": [{}] * 10_000}
    answer = await fetch("typed/api/reports", token=token, method="POST", json=body)

    assert answer.code == 400
    assert len(read(answer)["errors"]) == 20


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/json; charset=latin-1"},
        {"Content-Type": "application/json", "Content-Encoding": "gzip"},
    ],
)
async def test_nothing_but_json_is_read(fetch: Fetch, token: str, headers: dict[str, str]) -> None:
    answer = await fetch(
        "typed/api/reports", token=token, method="POST", headers=headers, body='{"title": "x"}'
    )

    assert answer.code == 415
    assert "Send" in read(answer)["message"]


async def test_the_charset_may_be_said(fetch: Fetch, token: str) -> None:
    headers = {"Content-Type": 'Application/JSON; charset="UTF-8"'}
    answer = await fetch(
        "typed/api/reports", token=token, method="POST", headers=headers, body='{"title": "x"}'
    )

    assert answer.code == 201


async def test_who_may_not_is_refused_before_anything_is_read(
    hub: StandInHub, fetch: Fetch
) -> None:
    reader = hub.token_for("kim")
    for path, method in (("reports", "POST"), ("decorated", "POST"), ("decorated", "GET")):
        for token, code in ((reader, 403), (None, 401)):
            body = "nonsense" if method == "POST" else None
            answer = await fetch(f"typed/api/{path}", token=token, method=method, body=body)
            assert answer.code == code


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
        assert read(missing)["message"] == "There is nothing at this address."
    assert read(await fetch("typed/api/optional", token=token)) == {"number": 7}
    assert read(await fetch("typed/api/optional/8", token=token)) == {"number": 8}


async def test_a_body_may_be_optional(fetch: Fetch, token: str) -> None:
    empty = await fetch("typed/api/optional", token=token, method="POST", body="")
    full = await fetch("typed/api/optional/3", token=token, method="POST", json=["a"])

    assert (read(empty), read(full)) == ([], ["a"])


@pytest.mark.parametrize("what", ["model", "more", "dict", "object"])
async def test_an_answer_has_what_its_model_has_and_no_more(
    fetch: Fetch, token: str, what: str
) -> None:
    answer = await fetch(f"typed/api/answers/{what}", token=token)

    assert (answer.code, read(answer)) == (200, {"id": 1, "title": "x", "score": 0.0})


async def test_an_answer_is_always_json(fetch: Fetch, token: str) -> None:
    infinite = await fetch("typed/api/answers/infinite", token=token)
    untyped = await fetch("typed/api/untyped/list", token=token)

    assert read(infinite)["score"] is None
    assert read(untyped) == [{"id": 1, "title": "x", "score": 0.0}, {"nan": None}]
    assert read(await fetch("typed/api/untyped/dataclass", token=token))["main"] is False


async def test_nothing_is_204(fetch: Fetch, token: str) -> None:
    for path in ("answers/none", "untyped/nothing", "reports/0"):
        answer = await fetch(f"typed/api/{path}", token=token)
        assert (answer.code, answer.body) == (204, b"")
    deleted = await fetch("typed/api/reports/1", token=token, method="DELETE")
    assert deleted.code == 204


async def test_a_wrong_answer_is_our_fault_and_the_log_has_no_value(
    fetch: Fetch, token: str, caplog: pytest.LogCaptureFixture
) -> None:
    answer = await fetch("typed/api/answers/wrong", token=token)

    assert answer.code == 500
    said = caplog.text
    assert "returned what is not <class 'tests.typed_app.Report'>: id" in said
    assert "secret-value" not in said
    for path in ("untyped/bytes", "untyped/both"):
        assert (await fetch(f"typed/api/{path}", token=token)).code == 500


async def test_head_is_as_get(fetch: Fetch, token: str) -> None:
    answer = await fetch("typed/api/reports?limit=1", token=token, method="HEAD")
    wrong = await fetch("typed/api/reports?limit=x", token=token, method="HEAD")

    assert (answer.code, answer.body, wrong.code) == (200, b"", 400)


async def test_a_page_has_groups_and_a_query_too(fetch: Fetch, token: str, app: Any) -> None:
    page = await fetch("typed/page/5?sort=oldest", token=token, headers=BROWSER)
    wrong = await fetch("typed/page/5?sort=x", token=token, headers=BROWSER)
    posted = await fetch("typed/page/5", token=token, method="POST", body="")

    assert (page.code, app.threads[0].name) == (200, "app typed")
    assert "<h1>5" in page.body.decode()
    assert wrong.code == 400
    assert "sort: Input should be" in wrong.body.decode()
    assert posted.code == 500


class TestAPlainMethod:
    """It runs in a thread, so that it may block."""

    async def test_blocks_nobody(
        self, fetch: Fetch, token: str, app: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(threads, "PATIENCE", 0.2)
        blocked = [
            asyncio.create_task(fetch("typed/api/threaded/blocks", token=token))
            for _ in range(threads.SIZE)
        ]
        while len(app.threads) < threads.SIZE:
            assert (await fetch("health")).code == 200
        try:
            assert (await fetch("typed/api/reports", token=token)).code == 200
            full = await fetch("typed/api/threaded/x", token=token)
            assert (full.code, full.headers["Retry-After"]) == (503, "1")
            assert "Try again" in read(full)["message"]
        finally:
            app.gate.set()
        assert {answer.code for answer in await asyncio.gather(*blocked)} == {200}
        assert (await fetch("typed/api/threaded/x", token=token)).code == 200
        assert len(set(app.threads)) == threads.SIZE
        assert all(thread.daemon for thread in app.threads)

    @pytest.mark.parametrize(
        ("what", "code", "body"),
        [
            ("redirects", 302, b""),
            ("finishes", 200, b'{"done": true}'),
            ("fails-late", 200, b'{"done": true}'),
            ("refuses", 409, b'{"status": 409, "message": "Not now."}'),
        ],
    )
    async def test_answers_as_any_other(
        self, fetch: Fetch, token: str, app: Any, what: str, code: int, body: bytes
    ) -> None:
        answer = await fetch(f"typed/api/threaded/{what}", token=token)

        assert (answer.code, answer.body) == (code, body)
        assert app.threads[0] is not threading.current_thread()

    @pytest.mark.parametrize(
        ("what", "said"),
        [
            ("writes-late", "Cannot write() after finish()"),
            ("flushes", "flush() in a plain method, which runs in a thread: use async def"),
            ("exits", "SystemExit where a request is answered"),
            ("stops", "StopIteration where a request is answered"),
        ],
    )
    async def test_fails_alone(
        self,
        fetch: Fetch,
        token: str,
        caplog: pytest.LogCaptureFixture,
        what: str,
        said: str,
    ) -> None:
        answer = await fetch(f"typed/api/threaded/{what}", token=token)

        assert answer.code == (200 if what == "writes-late" else 500)
        assert said in caplog.text
        assert (await fetch("health")).code == 200

    async def test_may_give_something_to_await(self, fetch: Fetch, token: str) -> None:
        answer = await fetch("typed/api/threaded/awaits", token=token)

        assert read(answer) == {"thread": "MainThread"}


async def test_an_exit_on_the_loop_ends_one_request_only(fetch: Fetch, token: str) -> None:
    assert (await fetch("typed/api/exits", token=token)).code == 500
    assert (await fetch("health")).code == 200


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


@pytest.mark.parametrize(
    ("path", "method", "said"),
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
async def test_a_wrong_declaration_is_told_when_the_app_loads(
    start_service: StartService,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    method: str,
    said: str,
) -> None:
    handler = f"class Wrong(APIHandler):\n{textwrap.indent(method, '    ')}\n"
    (tmp_path / "wrong_app.py").write_text(HEAD + handler + TAIL.format(path=path))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "wrong_app", raising=False)

    with pytest.raises(AppError) as refused:
        await start_service(TornadoService={"apps": ["wrong_app:App"]})

    sys.modules.pop("wrong_app")
    assert said in str(refused.value)
    assert "App: Wrong." in str(refused.value)
