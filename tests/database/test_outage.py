"""Databases that fail, hang, fill up and are locked while clients of an app write to them."""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from tornado.httpclient import AsyncHTTPClient, HTTPResponse

from tests.support.databases import PASSWORD, Disk
from tests.support.outages import Outage, postgresql_outage, sqlite_outage
from tests.support.postgresql import Server
from tests.support.wishes import started
from tornado_service.app import TornadoService
from tornado_service.testing import Fetch, StandInHub, StartService

#: Seconds within which everything else of these tests must happen.
PATIENCE = 40

NOT_AVAILABLE = "The database of c.Wishes.database_url is not available"
AVAILABLE = "The database of c.Wishes.database_url is available again"
GAUGE = 'tornado_service_database_unavailable{app="wishes",setting="database_url"}'

#: Outages during which reads work.
ONLY_WRITES = ("locked", "full", "read-only", "standby")


class Clients:
    """Two clients that write pairs with numbers of their own."""

    def __init__(self, fetch: Fetch, token: str) -> None:
        self.acknowledged: set[str] = set()
        self.refused: list[HTTPResponse] = []
        self._fetch = fetch
        self._token = token
        self._changed = asyncio.Condition()
        self._is_over = False

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(self._write(number)) for number in (1, 2)]
        try:
            yield
        finally:
            self._is_over = True
            await asyncio.gather(*tasks)

    async def _write(self, client: int) -> None:
        for number in count(client * 1_000_000):
            if self._is_over:
                return
            response = await self._fetch(
                f"wishes/api/pairs/{number}",
                token=self._token,
                method="PUT",
                body=b"",
                request_timeout=PATIENCE,
            )
            async with self._changed:
                if response.code == 204:
                    self.acknowledged.add(str(number))
                else:
                    self.refused.append(response)
                self._changed.notify_all()
            await asyncio.sleep(0.02 if response.code == 204 else 0.1)

    async def until(self, is_refused: bool, more: int = 4) -> None:
        """Wait until so many more were acknowledged, or rejected."""
        counted: Any = self.refused if is_refused else self.acknowledged
        enough = len(counted) + more
        async with self._changed:
            waiting = self._changed.wait_for(lambda: len(counted) >= enough)
            await asyncio.wait_for(waiting, PATIENCE)


async def see_through(
    outage: Outage,
    service: TornadoService,
    fetch: Fetch,
    hub: StandInHub,
    capsys: pytest.CaptureFixture[str],
    *,
    is_readable: bool,
) -> None:
    token = hub.token_for("sam")
    hub.directory.add_user("root", admin=True)
    root = hub.token_for("root", ("read:metrics",))
    clients = Clients(fetch, token)
    try:
        async with clients.writing():
            await clients.until(is_refused=False)
            await asyncio.to_thread(outage.begin)
            await clients.until(is_refused=True)

            read = await fetch("wishes/api/wishes", token=token, request_timeout=PATIENCE)
            assert read.code == (200 if is_readable else 503)
            await clients.until(is_refused=True, more=2)
            assert (await fetch("wishes/api/time", token=token)).code == 200
            assert (await fetch("health/ready")).code == 200
            (app,) = service.app_manager.statuses()
            assert NOT_AVAILABLE in app["reason"]
            assert PASSWORD not in app["reason"]
            exposition = (await fetch("metrics", token=root)).body.decode()
            assert f"{GAUGE} 1.0" in exposition

            await asyncio.to_thread(outage.end)
            outage = Outage(lambda: None, lambda: None)
            await clients.until(is_refused=False, more=10)
    finally:
        await asyncio.to_thread(outage.end)
    response = await fetch("wishes/api/wishes", token=token)
    assert response.code == 200, response.body
    numbers = Counter(text.split()[0] for text in json.loads(response.body))
    assert clients.acknowledged <= numbers.keys(), "nothing that was acknowledged is lost"
    assert set(numbers.values()) == {2}, "nothing is half written"

    for refused in clients.refused:
        assert refused.code == 503, refused.body
        assert int(refused.headers["Retry-After"]) > 0
        body = json.loads(refused.body)
        assert body["request_id"]
        assert body["message"].startswith("The database of this app is not available")
    assert f"{GAUGE} 0.0" in (await fetch("metrics", token=root)).body.decode()
    assert [app["reason"] for app in service.app_manager.statuses()] == [""]
    log = "".join(capsys.readouterr())
    assert re.findall("The database of [^:,]*", log) == [NOT_AVAILABLE, AVAILABLE]
    assert "Traceback" not in log, "no page for each request"
    assert PASSWORD not in log


@pytest.mark.parametrize(
    ("kind", "driver"),
    [
        ("stopped", "psycopg"),
        ("stopped", "psycopg2"),
        ("killed", "psycopg"),
        ("killed", "psycopg2"),
        ("suspended", "psycopg"),
        ("suspended", "psycopg2"),
        ("too many connections", "psycopg"),
        ("too many connections", "psycopg2"),
        ("another password", "psycopg2"),
        ("read-only", "psycopg"),
        ("read-only", "psycopg2"),
        ("standby", "psycopg"),
        ("standby", "psycopg2"),
        ("locked table", "psycopg2"),
        ("full", "psycopg2"),
    ],
)
async def test_an_outage_of_postgresql_loses_nothing_and_logs_two_lines(
    capsys: pytest.CaptureFixture[str],
    kind: str,
    driver: str,
    server: Server,
    postgresql_url: str,
    start_service: StartService,
    client: AsyncHTTPClient,
    hub: StandInHub,
) -> None:
    service, fetch = await started(start_service, client, f"postgresql+{driver}{postgresql_url}")
    await see_through(
        postgresql_outage(kind, server),
        service,
        fetch,
        hub,
        capsys,
        is_readable=kind in ONLY_WRITES,
    )


@pytest.mark.parametrize("kind", ["locked", "full", "read-only", "moved away"])
async def test_an_outage_of_sqlite_loses_nothing_and_logs_two_lines(
    capsys: pytest.CaptureFixture[str],
    kind: str,
    disk: Disk,
    start_service: StartService,
    client: AsyncHTTPClient,
    hub: StandInHub,
) -> None:
    if kind in ("full", "read-only"):
        disk.require_small()
    file = disk.path / "data.sqlite"
    service, fetch = await started(start_service, client, f"sqlite:///{file}")
    await see_through(
        sqlite_outage(kind, file, service),
        service,
        fetch,
        hub,
        capsys,
        is_readable=kind in ("locked", "full"),
    )
    await service.app_manager.stop()


async def test_periodic_work_logs_an_outage_in_two_lines_too(
    capsys: pytest.CaptureFixture[str],
    sqlite_url: str,
    sqlite_file: Path,
    start_service: StartService,
    client: AsyncHTTPClient,
) -> None:
    service, _ = await started(start_service, client, sqlite_url, "Periodic")

    async def until(outcome: str) -> None:
        runs = service.metrics.periodic_runs.labels("wishes.count", outcome)
        enough = runs._value.get() + 3
        while runs._value.get() < enough:
            await asyncio.sleep(0.01)

    await asyncio.wait_for(until("ok"), PATIENCE)
    away = sqlite_file.rename(sqlite_file.with_suffix(".away"))
    await asyncio.wait_for(until("failed"), PATIENCE)
    away.rename(sqlite_file)
    await asyncio.wait_for(until("ok"), PATIENCE)

    log = "".join(capsys.readouterr())
    lines = re.findall("The database of [^:,]*", log.replace("c.Periodic", "c.Wishes"))
    assert lines == [NOT_AVAILABLE, AVAILABLE]
    assert "Traceback" not in log
