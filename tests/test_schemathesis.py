"""The API keeps what its document promises: schemathesis tries, and finds nothing."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from tornado_service.app import TornadoService
from tornado_service.testing import ServiceConfig, StandInHub


@pytest.fixture
def service_config() -> ServiceConfig:
    return {"TornadoService": {"apps": ["tests.typed_app:Typed"], "debug_api": True}}


async def test_nothing_that_arrives_breaks_a_promise(
    service: TornadoService, hub: StandInHub, tmp_path: Path
) -> None:
    scopes = ("custom:reports:write", "read:metrics")
    token = hub.token_for("ada", scopes, admin=True)
    # each of these fails on purpose
    odd = "/(exits|answers|untyped|threaded)"
    running = await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", "error", "-m", "schemathesis.cli", "run"),
        f"http://127.0.0.1:{service.port}{service.prefix}api/openapi.json",
        f"--header=Authorization: Bearer {token}",
        *("--max-examples=10", "--seed=1", "--phases=examples,coverage,fuzzing", "--no-color"),
        f"--exclude-path-regex={odd}",
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await running.communicate()

    assert running.returncode == 0, said.decode()
    assert "No issues found" in said.decode()
