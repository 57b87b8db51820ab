"""The reasons for no response are distinguished."""

import json

import pytest

from tests.support.selfcheck import dropping, refusing, silent
from tornado_service.selfcheck import probe
from tornado_service.testing import StandInHub


async def reason(url: str) -> str:
    with pytest.raises(probe.ProbeError) as caught:
        await probe.get(url)
    return caught.value.reason


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    ("trouble", "why"), [(refusing, "refused"), (dropping, "dropped"), (silent, "silent")]
)
async def test_the_reasons_for_no_response_are_distinguished(trouble, why: str) -> None:
    with trouble() as port:
        assert await reason(f"http://hub:{port}/") == why


async def test_no_name_no_url_no_tls_no_http(hub: StandInHub) -> None:
    assert await reason("http://nowhere:80/") == "name"
    assert await reason("http://a..b/") == "name"
    assert await reason("hub:8081") == "url"
    assert await reason("http://hub:port/") == "url"
    assert await reason(f"https://hub:{hub.port}/") == "tls"
    hub.fault = "cut"
    assert await reason(f"{hub.api_url}/") == "closed"


async def test_a_response_counts_whatever_its_status(hub: StandInHub) -> None:
    hub.fault = "redirect"
    assert (await probe.get(f"{hub.api_url}/")).status == 302
    hub.fault = None
    response = await probe.get(f"{hub.api_url}/")
    assert (response.status, json.loads(response.body)) == (200, {"version": hub.version})


async def test_of_several_addresses_the_most_specific_failure_is_reported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    failures = {"127.0.0.1": "refused", "::1": "silent", "127.0.0.2": "no-route"}

    async def resolve(host: str) -> list[str]:
        return list(failures)

    async def exchange(address: str, *args: object) -> str:
        return failures[address]

    monkeypatch.setattr(probe, "resolve", resolve)
    monkeypatch.setattr(probe, "_exchange", exchange)
    assert await reason("http://hub:8081/") == "silent"
