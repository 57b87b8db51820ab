"""A claim, as an app sees it."""

from __future__ import annotations

import time

import pytest

from tests.support.streaming import until
from tornado_service.database.replicas import claims
from tornado_service.database.replicas.claims import Claim, Conflict, SharedClaim


def test_the_only_process_holds_it() -> None:
    claim = Claim("settings", {"timezone": "UTC"})

    assert claim.is_held
    assert claim.conflict is None


async def test_one_that_is_not_confirmed_in_time_is_not_held(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    claim = SharedClaim("activity", "settings", {"b": 1, "a": 2})
    seen: list[bool] = []
    claim.subscribe(seen.append)
    assert (claim.is_held, claim.encoded) == (False, '{"a": 2, "b": 1}')

    claim.record(time.monotonic(), None)
    await claim.wait_until()
    await until(lambda: seen == [True])
    claim.record(time.monotonic(), Conflict({"a": 3}, "two"))
    await claim.wait_until(False)
    await until(lambda: seen == [True, False])
    assert claim.conflict == Conflict({"a": 3}, "two")
    claim.record(time.monotonic(), None)
    await claim.wait_until()
    await until(lambda: seen == [True, False, True])

    monkeypatch.setattr(claims, "CONFIRMED_FOR", 0.05)
    claim.record(time.monotonic(), None)
    await claim.wait_until(False)
    await until(lambda: seen == [True, False, True, False])
    assert not claim.is_held


@pytest.mark.parametrize("value", [float("nan"), object()])
def test_a_value_that_is_not_json_is_refused(value: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        SharedClaim("activity", "settings", value)
