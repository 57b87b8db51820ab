"""Supervised web apps that end with their test."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from tests.support.web_processes import options
from tornado_service.proxy.process.supervisor import Supervisor

MakeSupervisor = Callable[..., Supervisor]


@pytest.fixture
async def supervise(caplog: pytest.LogCaptureFixture) -> AsyncIterator[MakeSupervisor]:
    """Make a supervisor of the test program: ``supervise("--say=text", idle_timeout=1)``."""
    caplog.set_level(logging.INFO)
    supervisors: list[Supervisor] = []

    def make(*arguments: str, **names: Any) -> Supervisor:
        log = logging.getLogger("tests.web_apps")
        supervisors.append(Supervisor(options(*arguments, **names), log))
        return supervisors[-1]

    yield make
    for supervisor in supervisors:
        await supervisor.stop()
