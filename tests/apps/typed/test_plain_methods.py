"""A method that blocks, fails or exits does so alone."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from tests.apps.typed.conftest import read
from tornado_service.apps.isolation import threads
from tornado_service.testing import Fetch


class TestAPlainMethod:
    """It runs in a thread, so that it may block."""

    async def test_blocks_no_other_request(
        self, fetch: Fetch, token: str, app: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(threads, "QUEUE_TIMEOUT", 0.2)
        blocked = [
            asyncio.create_task(fetch("typed/api/threaded/blocks", token=token))
            for _ in range(threads.POOL_SIZE)
        ]
        while len(app.threads) < threads.POOL_SIZE:
            assert (await fetch("health")).code == 200
        try:
            assert (await fetch("typed/api/reports", token=token)).code == 200
            full = await fetch("typed/api/threaded/x", token=token)
            assert (full.code, full.headers["Retry-After"]) == (503, "1")
            assert "Try again" in read(full)["message"]
        finally:
            app.gate.set()
        assert {response.code for response in await asyncio.gather(*blocked)} == {200}
        assert (await fetch("typed/api/threaded/x", token=token)).code == 200
        assert len(set(app.threads)) == threads.POOL_SIZE
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
    async def test_responds_like_any_other(
        self, fetch: Fetch, token: str, app: Any, what: str, code: int, body: bytes
    ) -> None:
        response = await fetch(f"typed/api/threaded/{what}", token=token)

        assert (response.code, response.body) == (code, body)
        assert app.threads[0] is not threading.current_thread()

    @pytest.mark.parametrize(
        ("what", "reported"),
        [
            ("writes-late", "Cannot write() after finish()"),
            ("flushes", "flush() in a plain method, which runs in a thread: use async def"),
            ("exits", "SystemExit in a request handler"),
            ("stops", "StopIteration in a request handler"),
        ],
    )
    async def test_fails_alone(
        self,
        fetch: Fetch,
        token: str,
        caplog: pytest.LogCaptureFixture,
        what: str,
        reported: str,
    ) -> None:
        response = await fetch(f"typed/api/threaded/{what}", token=token)

        assert response.code == (200 if what == "writes-late" else 500)
        assert reported in caplog.text
        assert (await fetch("health")).code == 200

    async def test_may_return_an_awaitable(self, fetch: Fetch, token: str) -> None:
        response = await fetch("typed/api/threaded/awaits", token=token)

        assert read(response) == {"thread": "MainThread"}


async def test_an_exit_on_the_loop_ends_one_request_only(fetch: Fetch, token: str) -> None:
    assert (await fetch("typed/api/exits", token=token)).code == 500
    assert (await fetch("health")).code == 200
