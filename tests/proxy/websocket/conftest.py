"""What holds for every test of this folder."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.support.websocket_relay import Meeting, meeting


@pytest.fixture(autouse=True)
def no_warning_is_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """A lost connection, a slow side or a close is nothing to log."""
    yield
    records = caplog.get_records("call")
    assert [record.getMessage() for record in records if record.levelno >= logging.WARNING] == []


@pytest.fixture(params=["tcp", "unix"])
async def pair(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Meeting]:
    """A visitor and an app that listens at a port or at a unix socket."""
    async with meeting(path=str(tmp_path / "app") if request.param == "unix" else "") as it:
        yield it
