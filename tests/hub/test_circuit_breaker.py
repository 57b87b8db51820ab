"""During an outage the circuit breaker logs it, and no request does."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

import pytest

from tests.support.logs import Listener
from tornado_service import (
    HubUnavailable,
)
from tornado_service.testing import StandInHub


class TestOutage:
    """The circuit breaker logs it, and no request does."""

    @pytest.mark.parametrize("fault", ["error", "silent", "cut", "busy", "redirect"])
    async def test_no_call_has_a_line_of_its_own(
        self, hub: StandInHub, start_service: Any, fault: str
    ) -> None:
        hub.service_scopes = {"list:users"}
        service = await start_service(HubClient={"hub_timeout": 0.3, "breaker_pause": 60})
        hub.fault = fault

        with Listener(service) as reported:
            for _ in range(8):
                with pytest.raises(HubUnavailable):
                    [user async for user in service.hub.users()]
                assert not await service.hub.is_ready()
            await asyncio.sleep(0.7)  # until then, Tornado may log abandoned calls

        assert len(reported) == 2, reported
        assert "The hub does not respond" in reported[0]
        assert "times in a row" in reported[1]

    async def test_calls_that_are_too_many_have_one_line(
        self, hub: StandInHub, start_service: Any
    ) -> None:
        hub.service_scopes = {"list:users"}
        service = await start_service(HubClient={"hub_concurrency": 1, "hub_queue": 0})
        hub.delay = 0.5

        async def ask() -> None:
            with suppress(HubUnavailable):
                [user async for user in service.hub.users()]

        with Listener(service) as reported:
            await asyncio.gather(*[ask() for _ in range(10)])

        (line,) = reported
        assert line.startswith("Calls of the Hub API are refused")


async def test_a_breaker_that_is_open_closes_although_its_trial_is_too_large(
    hub: StandInHub, start_service: Any
) -> None:
    service = await start_service(HubClient={"breaker_failures": 1, "breaker_pause": 0.1})
    service.hub.breaker.record_failure("as a test wants it")
    hub.fault = "huge"

    while service.hub.breaker.is_open:
        await asyncio.sleep(0.01)
