"""The API conforms to its document: schemathesis finds no violation."""

from __future__ import annotations

import asyncio
import shutil
import sys
from pathlib import Path

import pytest

from tests.support.activity import course
from tornado_service.app import TornadoService
from tornado_service.testing import ServiceConfig, StandInHub


@pytest.fixture
def service_config(hub: StandInHub, history: Path, tmp_path: Path) -> ServiceConfig:
    shutil.copy(history, tmp_path)
    course.fill(hub)
    apps = ["tests.support.typed_app:Typed", "tornado_service.activity:Activity"]
    return {**course.settings(tmp_path), "TornadoService": {"apps": apps, "debug_api": True}}


@pytest.fixture(scope="session")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("history") / "activity.sqlite"
    asyncio.run(course.write(path))
    return path


# of the typed app's, each of these fails on purpose; a stream has no end
ALL_BUT_ACTIVITY = ("--exclude-path-regex=/(exits|answers|untyped|threaded)|^/activity/",)
# a schema can express neither the order of dates nor a valid month
ACTIVITY = (
    "--include-path-regex=^/activity/",
    "--exclude-path-regex=/api/events$",
    "--exclude-checks=positive_data_acceptance",
)


@pytest.mark.parametrize("part", [ALL_BUT_ACTIVITY, ACTIVITY], ids=["all", "activity"])
async def test_no_request_violates_the_document(
    service: TornadoService, hub: StandInHub, tmp_path: Path, part: tuple[str, ...]
) -> None:
    (activity,) = (mount.app for mount in service.app_manager if mount.name == "activity")
    while not activity.recorder.archive.history.now:
        await asyncio.sleep(0.01)
    scopes = ("custom:reports:write", "read:hub", "read:metrics", *course.ALL_USERS)
    token = hub.token_for("ada", scopes, admin=True)
    running = await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", "error", "-m", "schemathesis.cli", "run"),
        f"http://127.0.0.1:{service.port}{service.prefix}api/openapi.json",
        f"--header=Authorization: Bearer {token}",
        *("--max-examples=10", "--seed=1", "--phases=examples,coverage,fuzzing", "--no-color"),
        "--warnings=off",  # random input that rarely occurs differs between Python versions
        *part,
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    reported, _ = await running.communicate()

    assert running.returncode == 0, reported.decode()
    assert "No issues found" in reported.decode()
