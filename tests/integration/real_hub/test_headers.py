"""Requests with large headers, through the real proxy."""

from __future__ import annotations

from tornado.httpclient import AsyncHTTPClient


async def test_headers_that_the_proxy_lets_through_are_not_too_large(
    real_hub, client: AsyncHTTPClient
) -> None:
    """The proxy adds headers; Node's limit is 16 KiB."""
    statuses = []
    for size in range(15 * 1024, 17 * 1024, 64):
        response = await client.fetch(
            f"{real_hub.service_public_url}health",
            headers={"Cookie": "a=" + "x" * size},
            raise_error=False,
        )
        statuses.append(response.code)

    assert set(statuses) == {200, 431}
    assert statuses == sorted(statuses)
