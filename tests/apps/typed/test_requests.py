"""Queries and bodies: read by their models, or refused."""

from __future__ import annotations

from typing import Any

import pytest

from tests.apps.typed.conftest import read
from tornado_service.testing import Fetch, StandInHub

JSON = {"Content-Type": "application/json"}


async def test_a_query_is_read_by_its_model(fetch: Fetch, token: str, app: Any) -> None:
    path = "typed/api/reports?since=2026-02-03&tag=a&tag=b&limit=1&sort=oldest&_xsrf=2%7Cx"
    response = await fetch(path, token=token)

    assert (response.code, read(response)) == (200, [{"id": 1, "title": "one", "score": 0.0}])
    assert response.headers["Content-Type"] == "application/json; charset=utf-8"
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
async def test_an_invalid_query_is_reported_field_by_field(
    fetch: Fetch, token: str, query: str, field: str, problem: str
) -> None:
    response = await fetch(f"typed/api/reports?{query}", token=token)

    assert response.code == 400
    (error,) = read(response)["errors"]
    assert error["field"] == field
    assert problem in error["problem"]
    assert read(response)["message"] == f"{field}: {error['problem']}"
    assert read(response)["status"] == 400


async def test_a_body_is_read_and_the_response_written_by_models(fetch: Fetch, token: str) -> None:
    body = {"title": "100 % ü", "score": 1.5, "ignored": 1}
    response = await fetch("typed/api/reports", token=token, method="POST", json=body)

    assert (response.code, read(response)) == (201, {"id": 3, "title": "100 % ü", "score": 1.5})


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
async def test_an_invalid_body_is_reported_and_never_repeated(
    fetch: Fetch, token: str, body: Any, field: str, problem: str
) -> None:
    response = await fetch("typed/api/reports", token=token, method="POST", headers=JSON, body=body)

    assert response.code == 400, response.body
    error = read(response)["errors"][0]
    assert error["field"] == field
    assert problem in error["problem"]
    assert b"secret" not in response.body
    assert b"damned" not in response.body


async def test_a_whole_number_is_an_integer_however_it_is_written(fetch: Fetch, token: str) -> None:
    body = '{"title": "x", "count": 5.0, "score": 1E2}'
    response = await fetch("typed/api/reports", token=token, method="POST", headers=JSON, body=body)

    assert (response.code, read(response)["score"]) == (201, 100.0)


async def test_many_mistakes_give_a_short_response(fetch: Fetch, token: str) -> None:
    body = {"title": "x", "parts": [{}] * 10_000}
    response = await fetch("typed/api/reports", token=token, method="POST", json=body)

    assert response.code == 400
    assert len(read(response)["errors"]) == 20


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
    response = await fetch(
        "typed/api/reports", token=token, method="POST", headers=headers, body='{"title": "x"}'
    )

    assert response.code == 415
    assert "Send" in read(response)["message"]


async def test_the_charset_may_be_specified(fetch: Fetch, token: str) -> None:
    headers = {"Content-Type": 'Application/JSON; charset="UTF-8"'}
    response = await fetch(
        "typed/api/reports", token=token, method="POST", headers=headers, body='{"title": "x"}'
    )

    assert response.code == 201


async def test_a_user_without_permission_is_refused_before_anything_is_read(
    hub: StandInHub, fetch: Fetch
) -> None:
    reader = hub.token_for("kim")
    for path, method in (("reports", "POST"), ("decorated", "POST"), ("decorated", "GET")):
        for token, code in ((reader, 403), (None, 401)):
            body = "nonsense" if method == "POST" else None
            response = await fetch(f"typed/api/{path}", token=token, method=method, body=body)
            assert response.code == code


async def test_a_body_may_be_optional(fetch: Fetch, token: str) -> None:
    empty = await fetch("typed/api/optional", token=token, method="POST", body="")
    full = await fetch("typed/api/optional/3", token=token, method="POST", json=["a"])

    assert (read(empty), read(full)) == ([], ["a"])
