"""Limits of a request: none blocks the event loop for long."""

from __future__ import annotations

import asyncio
import gc
import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel

from tornado_service import APIHandler, ServiceApp
from tornado_service.server.body_limit import MAX_FORM_BYTES, MAX_FORM_FIELDS, MAX_PART_HEADER_BYTES
from tornado_service.testing import Fetch, ServiceConfig, StandInHub

MIB = 1024 * 1024 - 100
FORM = "application/x-www-form-urlencoded"

#: Times as long as `reference` computes. The target is 4; without the limits it was 14 to 350.
MUCH = 12


class Anything(BaseModel):
    a: Any = None


class Take(APIHandler):
    async def post(self, body: Anything) -> Anything:
        return Anything(a=len(body.a) if isinstance(body.a, list) else body.a)


class Taking(ServiceApp):
    name = "taking"

    def handlers(self) -> list:
        return [("take", Take)]


@pytest.fixture
def service_config() -> ServiceConfig:
    return {"TornadoService": {"apps": [f"{__name__}:Taking"]}}


@pytest.fixture(autouse=True, scope="module")
def frozen() -> Iterator[None]:
    """Configure Python's garbage collector as in the service's own process (``__main__``)."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


def reference() -> float:
    """Seconds of computing that a loop takes here, at the load of this moment."""
    began = time.thread_time()
    sum(range(1_000_000))
    return time.thread_time() - began


class Turns:
    """The longest turn on the event loop: its computing, in times of `reference`."""

    async def __aenter__(self) -> Turns:
        self._reference = max(reference() for _ in range(3))
        self.longest = 0.0
        self._watching = asyncio.create_task(self._watch())
        await asyncio.sleep(0)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._watching.cancel()

    async def _watch(self) -> None:
        last = time.thread_time()
        while True:
            await asyncio.sleep(0)
            now = time.thread_time()
            self.longest, last = max(self.longest, (now - last) / self._reference), now


def filled(unit: bytes, size: int = MIB) -> bytes:
    return unit * (size // len(unit))


def part(headers: bytes) -> bytes:
    return b"--b\r\nContent-Disposition: form-data; " + headers + b"\r\n\r\nx\r\n"


def bodies() -> dict[str, tuple[str, bytes, int]]:
    """Type, body and the status of the response."""
    multipart, as_json = "multipart/form-data; boundary=b", "application/json"
    quotes = part(b"name=a;" + filled(b'";', 9900))
    parameters = part(b"name=a" + b"".join(b";f*%d=a" % n for n in range(1100)))
    return {
        "fields without a name": (FORM, filled(b"&"), 413),
        "fields": (FORM, filled(b"a=&"), 413),
        "fields with escapes": (FORM, filled(b"a=%41%41&"), 413),
        "a field with escapes": (FORM, b"a=" + filled(b"%41"), 413),
        "a large form": (FORM, b"a=" + filled(b"%41", MAX_FORM_BYTES - 2), 415),
        "parts with quotes": (multipart, quotes * 99 + b"--b--\r\n", 400),
        "parts with parameters": (multipart, parameters * 99 + b"--b--\r\n", 400),
        "lists": (as_json, b"[" + filled(b"[],") + b"1]", 400),
        "lists in a field": (as_json, b'{"a":[' + filled(b"[],", MIB - 10) + b"1]}", 400),
        "points": (as_json, b'{"a":[' + filled(b"[1.25,-1.5],", MIB - 10) + b"1]}", 200),
        "depth": (as_json, filled(b'{"a":'), 400),
        "whole floats": (as_json, b'{"a":[' + filled(b"1.0,", MIB - 10) + b"1]}", 200),
        "large floats": (as_json, b'{"a":[' + filled(b"1e300,", MIB - 10) + b"1]}", 200),
        "digits": (as_json, b'{"a":' + filled(b"9", MIB - 10) + b"}", 400),
        "names": (as_json, b"{" + b",".join(b'"%x":0' % n for n in range(90_000)) + b"}", 200),
    }


@pytest.mark.parametrize("name", bodies())
async def test_a_body_holds_the_loop_for_a_moment_only(
    fetch: Fetch, hub: StandInHub, name: str
) -> None:
    kind, body, status = bodies()[name]
    token = hub.token_for("ada")

    async with Turns() as turns:
        response = await fetch(
            "taking/take", method="POST", token=token, body=body, headers={"Content-Type": kind}
        )

    assert response.code == status
    assert turns.longest < MUCH


async def test_a_body_in_small_pieces_leaves_others_their_turn(service) -> None:
    """Tornado from 6.6 on does so itself."""
    head = "POST /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n"

    async with Turns() as turns:
        reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
        writer.write(head.encode() + b"1\r\nx\r\n" * 50_000 + b"0\r\n\r\n")
        reported = await asyncio.wait_for(reader.read(), 60)
        writer.close()
        await writer.wait_closed()

    assert reported.startswith(b"HTTP/1.1 404")
    assert turns.longest < MUCH


@pytest.mark.parametrize("name", ["_xsrf", "service-tornado-service"])
@pytest.mark.parametrize("unit", ["\\", "\\1", "\\101", '\\"', ";"])
async def test_a_cookie_holds_the_loop_for_a_moment_only(
    fetch: Fetch, hub: StandInHub, name: str, unit: str
) -> None:
    """A page is rendered with the XSRF cookie of any session."""
    token = hub.token_for("ada")
    values = [unit * (size // len(unit)) for size in (15_000, *[3_900] * 3)]
    cookies = [
        f'{name}="{values[0]}"',
        "; ".join(f'{name}="{value}"' for value in values[1:]),
        ";".join([f"{name}=a"] * (15_000 // (len(name) + 3))),
    ]

    headers = {"Accept": "text/html", "Sec-Fetch-Mode": "navigate"}
    await fetch("", token=token, headers=headers)  # the template of the page is compiled once
    for cookie in cookies:
        async with Turns() as turns:
            response = await fetch("", token=token, headers={**headers, "Cookie": cookie})
        assert response.code == 200
        assert turns.longest < MUCH / 3


@pytest.mark.parametrize(("fields", "status"), [(MAX_FORM_FIELDS, 415), (MAX_FORM_FIELDS + 1, 413)])
async def test_fields_of_a_form_are_bounded(
    fetch: Fetch, hub: StandInHub, fields: int, status: int
) -> None:
    response = await fetch(
        "taking/take",
        method="POST",
        token=hub.token_for("ada"),
        body=b"&".join(b"a=b" for _ in range(fields)),
        headers={"Content-Type": FORM},
    )

    assert response.code == status


@pytest.mark.parametrize(
    ("size", "status"), [(MAX_PART_HEADER_BYTES - 60, 415), (MAX_PART_HEADER_BYTES, 400)]
)
async def test_headers_of_a_part_are_bounded(
    fetch: Fetch, hub: StandInHub, size: int, status: int
) -> None:
    response = await fetch(
        "taking/take",
        method="POST",
        token=hub.token_for("ada"),
        body=part(b'name="a"; filename="' + b"x" * size + b'"') + b"--b--\r\n",
        headers={"Content-Type": "multipart/form-data; boundary=b"},
    )

    assert response.code == status


async def test_a_whole_number_that_is_written_as_a_float_is_one(
    fetch: Fetch, hub: StandInHub
) -> None:
    """For any size that others can read, in a body of any size."""
    token = hub.token_for("ada")
    for number, read in (("5.0", 5), ("1e3", 1000), ("-2.0", -2), ("1e300", 1e300)):
        for blanks in ("", " " * 100_000):
            headers = {"Content-Type": "application/json"}
            body = f'{blanks}{{"a": {number}}}'
            response = await fetch(
                "taking/take", method="POST", token=token, body=body, headers=headers
            )
            assert response.code == 200
            value = json.loads(response.body)["a"]
            assert (value, type(value)) == (read, type(read))
