"""A hub whose last month is over, and the mail of its report."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timezone
from email.message import EmailMessage
from email.utils import format_datetime
from pathlib import Path

from tests.support.activity.course import app_of
from tornado_service.activity.domain.records import Sample, ServerSnapshot, UserSnapshot
from tornado_service.activity.store.store import Store
from tornado_service.app import TornadoService

HOUR = 3600

#: The beginning of February 2026, UTC.
FEBRUARY = 1_769_904_000

Start = Callable[..., Awaitable[TornadoService]]


async def write_january(file: Path) -> None:
    """A database with a sample per hour of the last two days of January, up to its end."""
    started = FEBRUARY - 40 * HOUR
    samples = []
    for taken in range(FEBRUARY - 48 * HOUR, FEBRUARY + 1, HOUR):
        servers = (ServerSnapshot("", started),) if started <= taken <= started + HOUR else ()
        samples.append(
            Sample(taken, True, (UserSnapshot("ada", servers=servers), UserSnapshot("bob")))
        )
    await write(file, samples)


async def write_until(file: Path, after: int) -> None:
    """A history of an hour that ends at a moment, seconds after the beginning of February."""
    users = (UserSnapshot("ada"),)
    await write(file, [Sample(FEBRUARY + after - ago, True, users) for ago in (HOUR, 0)])


async def write(file: Path, samples: list[Sample]) -> None:
    store = Store(f"sqlite:///{file}", logging.getLogger(__name__))
    await store.open()
    for sample in samples:
        assert await store.add(sample, HOUR)
    await store.maintain()
    await store.close()


def at(after: int) -> str:
    """A ``Date`` of the hub, seconds after the beginning of February."""
    moment = datetime.fromtimestamp(FEBRUARY + after, timezone.utc)
    return format_datetime(moment, usegmt=True)


async def mail(service: TornadoService) -> str:
    """Try to mail; return the app's problem."""
    app = app_of(service)
    app.report_mailer._retry_at = 0
    await app.mail_report()
    return app.problem


def attachment_of(message: EmailMessage) -> bytes:
    [attachment] = message.iter_attachments()
    content = attachment.get_payload(decode=True)
    assert isinstance(content, bytes)
    return content
