"""Mail servers, without and with TLS, and services that mail the report of January 2026."""

from __future__ import annotations

import asyncio
import shutil
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import mail_server
from tests.support.activity.course import app_of
from tests.support.activity.mailing import HOUR, Start, at, write_january
from tests.support.certificates import make_server_context
from tests.support.mail_server import MailServer
from tests.support.streaming import until
from tornado_service.app import TornadoService
from tornado_service.testing import StandInHub, StartService


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, Path]:
    """The context of a server on localhost, and the file of its authority."""
    return make_server_context(tmp_path_factory.mktemp("certificate"), "localhost")


@pytest.fixture
def smtp_server(certificate: tuple[ssl.SSLContext, Path]) -> Iterator[MailServer]:
    with mail_server.serving(MailServer(context=certificate[0])) as server:
        yield server


@pytest.fixture
def trusted(certificate: tuple[ssl.SSLContext, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """The certificate is trusted, as that of an authority in the machine's store."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[1]))


@pytest.fixture(scope="session")
def january(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with data of January, to be copied."""
    file = tmp_path_factory.mktemp("january") / "activity.sqlite"
    asyncio.run(write_january(file))
    return file


@pytest.fixture
def start(
    tmp_path: Path,
    january: Path,
    hub: StandInHub,
    smtp_server: MailServer,
    start_service: StartService,
) -> Start:
    """Start the service at a moment, seconds after the beginning of February.

    It returns when the first sample is stored; or taken, if none can be stored.
    """
    hub.service_scopes |= {"list:groups", "read:groups"}
    hub.directory.add_user("ada", groups=["class-a"], created=None)
    hub.directory.add_user("bob", created=None)
    file = tmp_path / "activity.sqlite"

    async def start(
        after: int = HOUR, *, is_stored: bool = True, shared_url: str = "", **settings: Any
    ) -> TornadoService:
        if not file.exists():
            shutil.copy(january, file)
        hub.date = at(after)
        service = await start_service(
            TornadoService={
                "apps": ["tornado_service.activity:Activity"],
                "database_url": shared_url,
            },
            Activity={
                "database_url": shared_url or f"sqlite:///{file}",
                "report_recipients": ["dean@x.org", "cio@x.org"],
                "smtp_host": "localhost",
                "smtp_port": smtp_server.port,
                "smtp_security": "none",
                "smtp_sender": "hub@example.org",
                "hub_name": "Hub der Universität",
                **settings,
            },
        )
        recorder = app_of(service).recorder
        await until(lambda: recorder.collector.latest is not None)
        taken = recorder.collector.latest.taken  # type: ignore[union-attr]
        await until(lambda: recorder.archive.history.now >= taken or not is_stored)
        return service

    return start
