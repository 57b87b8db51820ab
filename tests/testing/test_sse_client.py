import asyncio

import pytest
from tornado.web import RequestHandler

from tornado_service import Channel, EventStream
from tornado_service.app import TornadoService
from tornado_service.testing import (
    PREFIX,
    Event,
    EventReader,
    Fetch,
    StandInHub,
    StartService,
    Visitor,
)

PIECES = [
    b"retry: 3000\nid: 0\n\n",
    b": a heartbeat\n\ndata: one\n\n",
    b"id: 1\nevent: news\ndata: zw" + "ö".encode()[:1],
    "ö".encode()[1:] + b"lf\r\ndata:zwei\r\n\r\n",
    b"data: no end",
]


class Pieces(RequestHandler):
    async def get(self) -> None:
        self.set_header("Content-Type", "text/event-stream")
        for piece in PIECES:
            self.write(piece)
            await self.flush()


class News(EventStream):
    channel: Channel

    async def get(self) -> None:
        await self.stream(self.channel)


class Silent(RequestHandler):
    closed: asyncio.Event

    async def get(self) -> None:
        await self.flush()
        await self.closed.wait()

    def on_connection_close(self) -> None:
        self.closed.set()


@pytest.fixture
async def service(start_service: StartService) -> TornadoService:
    service = await start_service()
    News.channel = Channel()
    Silent.closed = asyncio.Event()
    routes = [("/pieces", Pieces), (f"{PREFIX}news", News), ("/silent", Silent)]
    service.web_app.add_handlers(".*", routes)
    return service


async def test_events_are_put_together_whatever_they_come_in(fetch: Fetch) -> None:
    async with fetch.listen("/pieces") as events:
        assert events.code == 200
        assert [event async for event in events] == [
            Event("one", "message", "0"),
            Event("zwölf\nzwei", "news", "1"),
        ]
        assert events.last_id == "1"


async def test_a_stream_that_ends_too_early_raises(fetch: Fetch) -> None:
    async with fetch.listen("/pieces") as events:
        with pytest.raises(AssertionError, match=r"\(status 200\) has ended after .*zwölf"):
            await events.read(3)


async def test_a_stream_of_the_service_by_token_and_by_cookie(
    fetch: Fetch, hub: StandInHub, visitor: Visitor
) -> None:
    await visitor.open()
    async with (
        fetch.listen("news", token=hub.token_for("sam")) as sams,
        visitor.listen("news") as adas,
    ):
        News.channel.send({"title": "x"}, "report")
        for events in (sams, adas):
            (event,) = await events.read(1)
            assert (event.name, event.json) == ("report", {"title": "x"})
        last = sams.last_id
    News.channel.send("while sam was away")
    headers = {"Last-Event-ID": last}
    async with fetch.listen("news", token=hub.token_for("sam"), headers=headers) as events:
        assert (await events.read(1))[0].json == "while sam was away"


async def test_a_refusal_has_its_status(fetch: Fetch) -> None:
    async with fetch.listen("news") as events:
        assert events.code == 401
        assert events.headers["WWW-Authenticate"]


async def test_a_client_that_stops_reading_closes_the_connection(fetch: Fetch) -> None:
    async with fetch.listen("/silent"):
        assert not Silent.closed.is_set()

    await asyncio.wait_for(Silent.closed.wait(), 30)


async def test_waiting_for_an_event_has_a_timeout(fetch: Fetch) -> None:
    async with fetch.listen("/silent") as events:
        events.patience = 0.05
        with pytest.raises(asyncio.TimeoutError):
            await events.read(1)


async def test_nothing_listens(hub: StandInHub) -> None:
    await hub.stop()

    with pytest.raises(OSError):  # noqa: PT011 - the system chooses which
        async with EventReader(hub.api_url, {}):
            pass
