"""Access lines: user and request, and that a line that cannot be written does no harm."""

import errno
import io
import json
import logging
import sys

import pytest

from tornado_service.app import TornadoService
from tornado_service.telemetry.redaction import (
    redact_location,
)
from tornado_service.testing import BROWSER, Fetch, StandInHub


class Broken(io.StringIO):
    """A stream such as standard error on a full disk."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self._error = error

    def write(self, text: str) -> int:
        raise self._error


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable"),
        BrokenPipeError(errno.EPIPE, "Broken pipe"),
        ValueError("I/O operation on closed file."),
    ],
)
async def test_a_line_that_cannot_be_written_harms_no_response(
    hub: StandInHub,
    service: TornadoService,
    fetch: Fetch,
    error: Exception,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    service.log.handlers[0].setStream(Broken(error))
    monkeypatch.setattr(sys, "stderr", Broken(error))  # where Python logs it

    response = await fetch("api/user", token=hub.token_for("alice"))

    assert response.code == 200
    assert json.loads(response.body)["name"] == "alice"
    assert service.context.open_requests == 0


def test_a_redirect_without_a_location_is_logged_too() -> None:
    assert redact_location("http://[x?code=abc123") == "http://[x"


async def test_the_hubs_own_check_is_not_logged_and_a_visitors_is(
    fetch: Fetch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    for headers in ({}, BROWSER):
        assert (await fetch("", headers=headers)).code == 302

    assert [r.levelno for r in caplog.records if r.getMessage().startswith("302 GET")] == [
        logging.DEBUG,
        logging.INFO,
    ]


async def test_a_line_has_the_user_and_the_request(
    hub: StandInHub, fetch: Fetch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    await fetch("api/user?token=abc", token=hub.token_for("alice"))
    await fetch("health")

    lines = {record.getMessage(): record.levelno for record in caplog.records}
    user = next(line for line in lines if "api/user" in line)
    health = next(line for line in lines if "GET /services/tornado-service/health" in line)
    assert user.startswith("200 GET /services/tornado-service/api/user?token=[secret] (alice@")
    assert lines[user] == logging.INFO
    assert lines[health] == logging.DEBUG
