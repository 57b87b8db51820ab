"""Peers that are gone while nothing is read from them."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from functools import partial

import pytest

from tests.support.streaming import until
from tornado_service.proxy import stall_watch
from tornado_service.proxy.stall_watch import StallWatch, is_hung_up


def test_no_connection_and_a_closed_one_are_hung_up() -> None:
    ours, peer = socket.socketpair()
    with peer:
        assert not is_hung_up(ours)
        ours.close()
        assert is_hung_up(ours)
        assert is_hung_up(None)


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stall_watch, "STALL_CHECK", 0.001)


@pytest.mark.usefixtures("soon")
async def test_all_checks_are_repeated_until_they_are_discarded() -> None:
    watch = StallWatch()
    calls: Counter[str] = Counter()
    first, second = partial(calls.update, ["first"]), partial(calls.update, ["second"])
    watch.add(first)
    watch.add(second)
    await until(lambda: min(calls["first"], calls["second"]) >= 3)

    watch.discard(first)
    before = calls["first"]
    await until(lambda: calls["second"] >= 10)
    watch.close()
    after = calls.copy()
    await asyncio.sleep(0.05)

    assert calls["first"] == before
    assert calls == after


@pytest.mark.usefixtures("soon")
async def test_a_check_that_discards_another_is_the_last() -> None:
    watch = StallWatch()
    calls: list[str] = []

    def check(name: str) -> None:
        calls.append(name)
        watch.close()

    watch.add(partial(check, "one"))
    watch.add(partial(check, "another"))
    await until(lambda: bool(calls))
    await asyncio.sleep(0.05)

    assert len(calls) == 1
