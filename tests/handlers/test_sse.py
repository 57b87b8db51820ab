"""Event streams: delivery, and permissions."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import AsyncExitStack

import pytest

from tests.support.live_app import Live
from tests.support.streaming import (
    CLIENT,
    NEWS,
    ending,
    holding,
    metric,
    only_listener,
    read_until,
    until,
)
from tornado_service import Channel
from tornado_service.app import TornadoService
from tornado_service.streaming import channel
from tornado_service.testing import BROWSER, Fetch, StandInHub, Visitor


async def test_what_is_sent_arrives_in_order(app: Live, fetch: Fetch, token: str) -> None:
    async with fetch.listen(NEWS, token=token) as events:
        app.news.send({"title": "two\nlines\r\n\u2028, a ü"}, event="report")
        app.news.send("a text")
        app.news.send(None)
        first, second, third = await events.read(3)

    assert events.code == 200
    assert (first.name, first.json) == ("report", {"title": "two\nlines\r\n\u2028, a ü"})
    assert (second.name, second.json, third.json) == ("message", "a text", None)


async def test_nothing_on_the_way_buffers_it(service: TornadoService, token: str) -> None:
    async with holding(service, NEWS, token) as connection:
        head = (await read_until(connection, b"\r\n\r\n")).partition(b"\r\n\r\n")[0]

    lines = head.decode().split("\r\n")
    assert lines[0] == "HTTP/1.1 200 OK"
    assert "Content-Type: text/event-stream; charset=utf-8" in lines
    assert "X-Accel-Buffering: no" in lines
    assert "Cache-Control: no-store" in lines
    assert "Content-Encoding" not in head.decode()


async def test_events_of_threads_and_bursts_all_arrive(app: Live, fetch: Fetch, token: str) -> None:
    def send(thread: int) -> None:
        for number in range(100):
            app.news.send([thread, number])

    async with AsyncExitStack() as stack:
        readers = [
            await stack.enter_async_context(fetch.listen(NEWS, token=token)) for _ in range(5)
        ]
        threads = [threading.Thread(target=send, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for number in range(100):
            app.news.send([4, number])
        received = [[event.json for event in await reader.read(500)] for reader in readers]
        for thread in threads:
            thread.join()

    assert all(events == received[0] for events in received)
    for sender in range(5):
        assert [number for of, number in received[0] if of == sender] == list(range(100))


async def test_a_client_that_reconnects_gets_the_missed_events(
    app: Live, fetch: Fetch, token: str
) -> None:
    async with fetch.listen(NEWS, token=token) as events:
        app.news.send(1)
        (seen,) = await events.read(1)
    app.news.send(2)
    app.news.send(3)

    async with fetch.listen(NEWS, token=token, headers={"Last-Event-ID": seen.id}) as events:
        app.news.send(4)
        again = await events.read(3)

    assert [event.json for event in again] == [2, 3, 4]


async def test_a_client_disconnected_before_the_first_event_misses_none(
    service: TornadoService, app: Live, hub: StandInHub, token: str
) -> None:
    async with holding(service, NEWS, token) as connection:
        hello = await read_until(connection, b"\n\n\r\n")
    (last_id,) = [line for line in hello.split(b"\n") if line.startswith(b"id: ")]
    app.news.send("missed")

    assert b"retry: 3000\n" in hello
    place = app.news.offset_after(last_id[4:].decode())
    assert place is not None
    assert [event.data for event in app.news.read(place, 1000)] == ["missed"]


@pytest.mark.parametrize("last_id", ["{other}-1", "{epoch}-99", "nonsense", "-", "{epoch}--1", "²"])
async def test_a_client_that_missed_too_much_is_instructed_to_reload(
    app: Live, fetch: Fetch, token: str, last_id: str
) -> None:
    epoch = app.news.last_event_id(1).partition("-")[0]
    headers = {"Last-Event-ID": last_id.format(epoch=epoch, other="0" * 8)}
    app.news.send("before")

    async with fetch.listen(NEWS, token=token, headers=headers) as events:
        app.news.send("after")
        first, second = await events.read(2)

    assert (first.name, second.json) == ("reset", "after")


async def test_an_event_id_that_is_too_old_is_unknown(fetch: Fetch, app: Live, token: str) -> None:
    app.news = Channel(history=2)
    app.news.send(0)
    old = app.news.last_event_id(app.news.end_offset)
    for number in (1, 2):
        app.news.send(number)
    async with fetch.listen(NEWS, token=token, headers={"Last-Event-ID": old}) as events:
        assert [event.json for event in await events.read(2)] == [1, 2]
    app.news.send(3)

    async with fetch.listen(NEWS, token=token, headers={"Last-Event-ID": old}) as events:
        assert [event.name for event in await events.read(1)] == ["reset"]


async def test_each_client_gets_its_own_view(app: Live, fetch: Fetch, hub: StandInHub) -> None:
    alice, bob = hub.token_for("alice"), hub.token_for("bob")
    async with (
        fetch.listen("live/api/mine", token=alice) as for_alice,
        fetch.listen("live/api/mine", token=bob) as for_bob,
    ):
        for to in ("bob", "alice", "carol", "alice", "bob"):
            app.news.send({"to": to, "text": f"for {to}"}, event="note")
        alices, bobs = await for_alice.read(2), await for_bob.read(2)

    assert [(event.name, event.json) for event in alices] == [("note", {"text": "for alice"})] * 2
    assert [event.json for event in bobs] == [{"text": "for bob"}] * 2


async def test_a_broken_view_ends_its_stream_and_no_other(
    app: Live, fetch: Fetch, token: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with (
        fetch.listen("live/api/mine", token=token) as broken,
        fetch.listen(NEWS, token=token) as good,
    ):
        app.news.send({"broken": True})
        app.news.send({"to": "alice", "text": "x"})

        assert await ending(broken) == {"reason": "failed", "retry": False}
        assert len(await good.read(2)) == 2
    assert "the view is broken" in caplog.text


class TestWhoMayListen:
    async def test_visitors_get_401_json_even_in_the_address_bar(self, fetch: Fetch) -> None:
        for headers in ({}, BROWSER, {"Authorization": "token nonsense"}):
            response = await fetch(NEWS, headers=headers)

            assert response.code == 401
            assert json.loads(response.body)["status"] == 401

    async def test_an_open_stream_is_none(self, fetch: Fetch, token: str) -> None:
        assert (await fetch("live/api/open", token=token)).code == 401

    async def test_a_scope_can_be_requested(
        self, fetch: Fetch, hub: StandInHub, token: str
    ) -> None:
        refused = await fetch("live/api/scoped", token=token)
        reader = hub.token_for("bob", ("custom:live:read",))
        async with fetch.listen("live/api/scoped", token=reader) as events:
            code = events.code

        assert (refused.code, code) == (403, 200)
        assert "custom:live:read" in json.loads(refused.body)["message"]

    async def test_a_page_needs_its_xsrf_token(
        self, visitor: Visitor, service: TornadoService
    ) -> None:
        await visitor.open(service.prefix)

        refused = await visitor.fetch(NEWS, xsrf=False)
        async with visitor.listen(NEWS, CLIENT) as events:
            code = events.code

        assert (refused.code, code) == (403, 200)

    async def test_head_and_options_do_not_stay_open(self, fetch: Fetch, token: str) -> None:
        head = await fetch(NEWS, token=token, method="HEAD")
        options = await fetch(NEWS, method="OPTIONS")
        post = await fetch(NEWS, token=token, method="POST", body="")

        assert (head.code, head.headers["Content-Type"], head.body) == (
            200,
            "text/event-stream; charset=utf-8",
            b"",
        )
        assert (options.code, options.headers["Allow"]) == (204, "GET, HEAD, OPTIONS")
        assert post.code == 405


class TestReaders:
    async def test_a_client_that_disconnects_is_noticed_at_once(
        self, fetch: Fetch, service: TornadoService, app: Live, token: str
    ) -> None:
        async with fetch.listen(NEWS, token=token):
            assert (len(service.streams), service.context.open_requests) == (1, 1)

        await until(lambda: service.context.open_requests == 0)
        assert len(service.streams) == 0
        assert not app.news._listeners
        assert not service.streams._owners

    async def test_a_client_that_does_not_read_is_dropped_and_costs_no_more_than_others(
        self, fetch: Fetch, service: TornadoService, app: Live, token: str
    ) -> None:
        async with holding(service, NEWS, token):
            await until(lambda: len(service.streams) == 1)
            listener = only_listener(app)
            async with fetch.listen(NEWS, token=token) as events:
                sent = 0
                while metric(service, "streams_dropped_total", kind="events") == 0:
                    app.news.send("x" * 60_000)
                    await events.read(1)
                    sent += 1
                    assert len(listener._iostream._write_buffer or b"") < 2 * channel.MAX_EVENT_SIZE
                    assert sent < 1000
                app.news.send("still here")
                (last,) = await events.read(1)

        assert last.json == "still here"
        await until(lambda: service.context.open_requests == 0)

    async def test_a_client_that_reads_nothing_for_two_heartbeats_is_dropped(
        self, service: TornadoService, app: Live, token: str
    ) -> None:
        service.streams.heartbeat = 0.1
        async with holding(service, NEWS, token) as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            await until(lambda: len(service.streams) == 1)
            for _ in range(60):  # more than the kernel buffers, and less than the channel keeps
                app.news.send("x" * 60_000)

            await until(lambda: len(service.streams) == 0)

        assert metric(service, "streams_dropped_total", kind="events") == 1

    async def test_connected_clients_get_heartbeats(
        self, service: TornadoService, app: Live, token: str
    ) -> None:
        service.streams.heartbeat = 0.1
        async with holding(service, NEWS, token) as connection:
            assert await read_until(connection, b":\n\n")

    async def test_filtered_events_are_not_evaluated_again(
        self, service: TornadoService, app: Live, token: str
    ) -> None:
        service.streams.heartbeat = 0.1
        async with holding(service, "live/api/mine", token) as connection:
            await until(lambda: len(service.streams) == 1)
            app.news.send({"to": "bob", "text": "x"})

            assert await read_until(connection, f"\r\nid: {app.news.last_event_id(2)}\n\n".encode())


async def test_a_stream_is_counted_and_not_timed(
    fetch: Fetch, service: TornadoService, app: Live, token: str
) -> None:
    async with fetch.listen(NEWS, token=token) as events:
        app.news.send(1)
        app.news.send(2)
        await events.read(2)
    await until(lambda: service.context.open_requests == 0)

    assert metric(service, "events_sent_total") == 2
    assert metric(service, "streams", kind="events") == 0
    labels = {"handler": "live.News", "method": "GET", "status": "200"}
    assert metric(service, "requests_total", **labels) == 1
    duration = "request_duration_seconds_count"
    assert metric(service, duration, handler="live.News") in (None, 0)
