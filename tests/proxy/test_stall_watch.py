"""Peers that are gone while nothing is read from them."""

from __future__ import annotations

import asyncio
import socket

import pytest

from tornado_service.proxy import stall_watch
from tornado_service.proxy.stall_watch import StallWatch, is_hung_up


def test_no_connection_and_a_closed_one_are_hung_up() -> None:
    ours, peer = socket.socketpair()
    with peer:
        assert not is_hung_up(ours)
        ours.close()
        assert is_hung_up(ours)
        assert is_hung_up(None)


async def test_a_watch_aborts_only_once_the_sender_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stall_watch, "STALL_CHECK", 0.001)
    checks = 0
    aborted = asyncio.Event()

    def is_gone() -> bool:
        nonlocal checks
        checks += 1
        return checks == 3

    watch = StallWatch(is_gone, aborted.set)
    watch.start()
    await asyncio.wait_for(aborted.wait(), 30)

    assert checks == 3
    watch.start()
    watch.stop()
