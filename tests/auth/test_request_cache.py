"""For any request, the cache decides as the library does without it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.requests import (
    OTHER_AGENT,
    OTHER_IP,
    PARTS,
    Caller,
    Plain,
    Step,
    WithoutXSRF,
)
from tornado_service.app import TornadoService
from tornado_service.auth.request_cache import RequestCache, RequestKey
from tornado_service.testing import StandInHub

pytestmark = pytest.mark.library


EVENTS = ("sign out", "invalidate", "revoke ada", "revoke bob", "time passes", "others come")


@pytest.fixture
def new_caller(service: TornadoService, hub: StandInHub) -> Callable[[], Caller]:
    return lambda: Caller(service, hub)


COOKIE, ANONYMOUS = PARTS["Cookie"][1], PARTS["Cookie"][3]
CORS = ("Sec-Fetch-Mode", "cors")
IMAGE = [("Sec-Fetch-Mode", "no-cors"), ("Sec-Fetch-Dest", "image")]
VISIT = [("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "document")]

#: Steps whose last one changes the decision because of this field only.
DECISIVE: dict[str, list[Step]] = {
    "handler": [("handler", WithoutXSRF), ("Cookie", COOKIE), CORS, ("handler", Plain)],
    "authorization": [
        ("Cookie", COOKIE), ("Authorization", "token {ada}"), ("Authorization", "token {bob}"),
    ],
    "cookie": [("Cookie", COOKIE), ("Cookie", PARTS["Cookie"][8])],
    "fetch_site": [
        ("Cookie", COOKIE), ("Sec-Fetch-Site", "same-origin"), *IMAGE,
        ("Sec-Fetch-Site", "cross-site"),
    ],
    "fetch_mode": [("Cookie", COOKIE), ("Sec-Fetch-Mode", None), CORS],
    "fetch_dest": [("Cookie", COOKIE), *VISIT, ("Sec-Fetch-Dest", "iframe")],
    "navigation_preload": [
        ("Cookie", COOKIE), *VISIT, ("Service-Worker-Navigation-Preload", "true"),
    ],
    "xsrf_header": [
        ("Cookie", COOKIE), CORS, ("X-Xsrftoken", "{ada token}"), ("X-Xsrftoken", "junk"),
    ],
    "csrf_header": [
        ("Cookie", COOKIE), CORS, ("X-Csrftoken", "{ada token}"), ("X-Csrftoken", "junk"),
    ],
    "remote_ip": [
        ("Cookie", ANONYMOUS), CORS, ("X-Xsrftoken", "{anonymous token}"),
        ("remote_ip", OTHER_IP),
    ],
    "anonymous_id": [
        ("Cookie", ANONYMOUS), CORS, ("X-Xsrftoken", "{anonymous token}"),
        ("User-Agent", OTHER_AGENT),
    ],
}  # fmt: skip


CHANGES = st.sampled_from(list(PARTS)).flatmap(
    lambda name: st.tuples(st.just(name), st.sampled_from(PARTS[name]))
)
HAPPENINGS = st.sampled_from([("event", event) for event in EVENTS])
#: Requests near which decisions change.
STARTS = st.sampled_from(
    [
        [],
        [("Cookie", PARTS["Cookie"][6])],
        [("Cookie", COOKIE), ("method", "POST"), ("X-Xsrftoken", "{ada token}")],
        [("Cookie", COOKIE), CORS, ("query", "_xsrf={ada token}")],
        *DECISIVE.values(),
    ]
)


async def test_with_the_cache_it_is_decided_as_without(new_caller: Callable[[], Caller]) -> None:
    loop = asyncio.get_running_loop()

    @settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(STARTS, st.lists(st.one_of(CHANGES, CHANGES, HAPPENINGS), max_size=15))
    def decide(start: list[Step], steps: list[Step]) -> None:
        asyncio.run_coroutine_threadsafe(new_caller().run(start + steps), loop).result()

    await asyncio.to_thread(decide)


async def test_a_change_with_a_token_that_was_just_revoked_is_decided_by_the_session(
    new_caller: Callable[[], Caller],
) -> None:
    start: list[Step] = [("Cookie", COOKIE), ("X-Xsrftoken", "{ada token}"), ("method", "POST")]

    *_, before, after = await new_caller().run(
        [*start, ("Authorization", "Bearer {bob}"), ("event", "revoke bob")]
    )

    assert [decision[0] for decision in (before, after)] == ["bob", "ada"]


@pytest.mark.parametrize("field", RequestKey._fields)
async def test_each_field_of_the_key_counts(
    field: str, new_caller: Callable[[], Caller], monkeypatch: pytest.MonkeyPatch
) -> None:
    *_, before, after = await new_caller().run(DECISIVE[field])
    assert before is not None
    assert before != after

    complete = RequestKey.of
    monkeypatch.setattr(
        RequestKey,
        "of",
        lambda handler: (key := complete(handler)) and key._replace(**{field: None}),
    )
    with pytest.raises(AssertionError):
        await new_caller().run(DECISIVE[field])


@pytest.mark.parametrize("part", ["query", "body"])
@pytest.mark.parametrize("first", ["_xsrf={ada token}", ""])
async def test_a_token_in_the_query_or_the_body_is_compared_each_time(
    new_caller: Callable[[], Caller], part: str, first: str
) -> None:
    header = [("X-Xsrftoken", "{ada token}")] if not first else []
    steps = [("Cookie", COOKIE), CORS, *header, (part, first), (part, "_xsrf=junk")]

    *_, before, after = await new_caller().run(steps)

    assert before is not None
    assert after is None


async def test_a_sign_out_applies_to_a_user_evicted_from_the_identity_cache(
    new_caller: Callable[[], Caller],
) -> None:
    steps = [("Cookie", COOKIE), ("event", "others come"), ("event", "sign out")]

    *_, after = await new_caller().run(steps)

    assert after is None


async def test_the_library_is_not_called_twice(
    new_caller: Callable[[], Caller], monkeypatch: pytest.MonkeyPatch
) -> None:
    caller = new_caller()
    auth = caller.service.auth
    caller.parts["Cookie"] = COOKIE
    known = await caller.decision(auth.authenticate)
    assert known is not None
    monkeypatch.setattr(type(auth), "get_user", lambda *args, **kwargs: pytest.fail("asked"))

    assert await caller.decision(auth.authenticate) == known


async def test_a_decision_counts_for_a_while(
    new_caller: Callable[[], Caller],
) -> None:
    cache = RequestCache(10, max_age=0)
    caller = new_caller()
    caller.parts["Cookie"] = COOKIE
    handler = caller.handler(caller.parts)
    await caller.service.auth.authenticate(handler)
    identity_key, _ = caller.service.auth.identity_lookup(handler)
    key = RequestKey.of(handler)
    assert key is not None

    cache.put(key, identity_key, is_by_header=False)
    assert cache.get(key) is None
    cache._max_age = 60
    assert cache.get(key) is not None
    cache.put(key._replace(cookie="x" * 5000), identity_key, is_by_header=False)
    assert cache.get(key._replace(cookie="x" * 5000)) is None, "it is too long"
