"""Threads for blocking code: few, reused, and no delay for other requests."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import threading
import weakref
from pathlib import Path

import pytest
from tornado.httpclient import AsyncHTTPClient

from tests.support.launched import Launch, wait_for_line
from tornado_service.apps.isolation import threads
from tornado_service.apps.isolation.threads import ThreadPool, ThreadPoolExhausted
from tornado_service.testing import Fetch, StandInHub
from tornado_service.testing.service import PREFIX

HANGS = """
import asyncio, threading, time
from tornado_service.apps.isolation.threads import ThreadPool

async def main():
    asyncio.ensure_future(ThreadPool("x").run(lambda: time.sleep(600)))
    while not [thread for thread in threading.enumerate() if thread.name == "app x"]:
        await asyncio.sleep(0.01)

asyncio.run(main())
print("over")
"""


WAITING = """
import asyncio, threading
from tornado_service import APIHandler, ServiceApp

class Waits(APIHandler):
    async def get(self) -> None:
        self.app.log.warning("one more waits")
        await asyncio.to_thread(threading.Event().wait, 100)

class Waiting(ServiceApp):
    name = "waiting"
    def handlers(self):
        return [("api/waits", Waits)]
"""


async def test_what_an_app_awaits_in_threads_does_not_delay_sign_ins(
    hub: StandInHub, launch: Launch, port: int, tmp_path: Path, client: AsyncHTTPClient
) -> None:
    (tmp_path / "waiting.py").write_text(WAITING)
    process = launch(
        "--TornadoService.apps=waiting:Waiting",
        JUPYTERHUB_API_URL=hub.api_url,
        JUPYTERHUB_OAUTH_ACCESS_SCOPES='["access:services!service=tornado-service"]',
    )
    await asyncio.to_thread(wait_for_line, process, "App waiting is ready")
    fetch = Fetch(client, f"http://127.0.0.1:{port}", PREFIX)
    token = hub.token_for("sam")
    requests = [
        asyncio.ensure_future(fetch("waiting/api/waits", token=token, request_timeout=60))
        for _ in range(40)
    ]
    for _ in requests:
        await asyncio.to_thread(wait_for_line, process, "one more waits")

    response = await fetch("api/user", token=hub.token_for("ines"), request_timeout=60)

    assert response.code == 200, response.body
    process.kill()
    await asyncio.gather(*requests, return_exceptions=True)


async def test_they_are_as_many_as_are_needed_and_used_again() -> None:
    pool = ThreadPool("some")

    used = [await pool.run(threading.current_thread) for _ in range(5)]
    together = threading.Barrier(2)
    meeting = await asyncio.gather(*[pool.run(lambda: together.wait(20)) for _ in range(2)])

    assert len(set(used)) == 1
    assert used[0].name == "app some"
    assert sorted(meeting) == [0, 1]


async def test_errors_are_those_of_the_function() -> None:
    with pytest.raises(KeyError):
        await ThreadPool("x").run(lambda: {}["a"])


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt, StopIteration, GeneratorExit])
async def test_what_would_end_more_than_a_request_is_a_failure(error: type[BaseException]) -> None:
    def fails() -> None:
        raise error

    with pytest.raises(RuntimeError, match=error.__name__):
        await ThreadPool("x").run(fails)


async def test_one_place_too_few_is_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "QUEUE_TIMEOUT", 0.05)
    pool, gate = ThreadPool("x"), threading.Event()
    running = [
        asyncio.create_task(pool.run(lambda: gate.wait(20))) for _ in range(threads.POOL_SIZE)
    ]
    await asyncio.sleep(0)

    with pytest.raises(ThreadPoolExhausted):
        await pool.run(lambda: None)
    running[0].cancel()  # no request waits for it, and its thread is not free
    with pytest.raises(ThreadPoolExhausted):
        await pool.run(lambda: None)
    gate.set()
    await asyncio.gather(*running, return_exceptions=True)

    assert await pool.run(lambda: 5) == 5


async def test_where_no_thread_can_be_had_it_is_busy_and_keeps_its_places(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    pool = ThreadPool("x")
    with monkeypatch.context() as patch:
        patch.setattr(threading.Thread, "start", refuse)
        for _ in range(threads.POOL_SIZE + 1):
            with pytest.raises(ThreadPoolExhausted):
                await pool.run(lambda: None)

    assert await pool.run(lambda: 5) == 5


async def test_they_end_with_their_app() -> None:
    pool = ThreadPool("x")
    thread = await pool.run(threading.current_thread)
    gone = weakref.ref(pool)

    del pool
    gc.collect()
    await asyncio.to_thread(thread.join, 20)

    assert gone() is None
    assert not thread.is_alive()


def test_one_that_hangs_keeps_no_process_from_ending() -> None:
    done = subprocess.run([sys.executable, "-c", HANGS], capture_output=True, text=True, timeout=30)

    assert (done.returncode, done.stdout) == (0, "over\n"), done.stderr
