"""serviceEvents and serviceSocket in a real browser."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, Route

LISTEN = """
() => {
  window.seen = [];
  const note = (name) => (data, id) => seen.push([name, data ?? null, id]);
  const names = ["open", "message", "report", "reset", "error", "end"];
  const handlers = Object.fromEntries(names.map((name) => [name, note(name)]));
  window.events = serviceEvents("live/api/news", handlers);
}
"""
WAIT = """
(count) => new Promise((resolve) => {
  const look = () => (seen.length < count ? setTimeout(look, 20) : resolve(seen));
  look();
})
"""
CONNECT = """
(path) => new Promise((resolve) => {
  const socket = path.includes(":") ? new WebSocket(path) : serviceSocket(path);
  socket.onopen = () => socket.send("hello");
  socket.onmessage = (event) => resolve(event.data);
  socket.onclose = (event) => resolve(event.code);
})
"""


@pytest.fixture
def service_config() -> dict[str, Any]:
    return {"TornadoService": {"apps": ["tests.support.live_app:Live"]}}


def seen(page: Page, count: int) -> list[list[Any]]:
    """What the handlers of the page received, once there are this many entries."""
    return page.evaluate(WAIT, count)


def send(page: Page, data: Any) -> None:
    page.evaluate(
        """(data) => serviceFetch("live/api/send", {method: "POST", body: JSON.stringify(data)})""",
        data,
    )


class Script:
    """Replaces the stream by prepared responses; records the requests."""

    def __init__(self, page: Page, *responses: Any) -> None:
        self.asked: list[str | None] = []
        self._responses = list(responses)
        page.add_init_script("Math.random = () => 0")
        page.route("**/live/api/news", self._response)

    def _response(self, route: Route) -> None:
        self.asked.append(route.request.headers.get("last-event-id"))
        response = self._responses.pop(0) if len(self._responses) > 1 else self._responses[0]
        if isinstance(response, int):
            route.fulfill(status=response, headers={"Retry-After": "0"})
        elif response is None:
            route.abort()
        else:
            route.fulfill(status=200, content_type="text/event-stream", body=response)


def test_events_arrive_and_a_sign_out_elsewhere_ends_them(open_page, complaints) -> None:
    page = open_page("live/", "sam")
    page.evaluate(LISTEN)
    assert seen(page, 1)[0][0] == "open"

    for data in ({"title": "Ünicode\n\u2028lines"}, "text", None, [1, 2]):
        send(page, data)

    events = seen(page, 5)
    assert [entry[:2] for entry in events[1:]] == [
        ["report", {"title": "Ünicode\n\u2028lines"}],
        ["report", "text"],
        ["report", None],
        ["report", [1, 2]],
    ]
    assert len({entry[2] for entry in events[1:]}) == 4

    other = page.context.new_page()
    other.goto("logout")
    other.get_by_role("button", name="Logout").click()
    assert seen(page, 6)[5][:2] == ["end", {"reason": "signed-out", "retry": False}]
    assert complaints == []


def test_a_broken_stream_resumes_where_it_broke(open_page) -> None:
    page = open_page("live/", "sam")
    script = Script(
        page,
        "retry: 10\nid: a-1\n\n",
        'id: a-2\r\nevent: report\r\ndata: {"a":\r\ndata: 1}\r\n\r\n: sign of life\n\ndata: 2\n\n',
        None,
        429,
        503,
        "event: reset\nid: b-7\ndata: {}\n\ndata: 'cut off",
        'event: end\ndata: {"reason":"stopping","retry":true}\n\n',
        'event: end\ndata: {"reason":"signed-out","retry":false}\n\nid: b-8\ndata: 9\n\n',
    )
    page.reload()
    page.evaluate(LISTEN)

    events = [entry[:2] for entry in seen(page, 11)]
    assert [name for name, _ in events].count("open") == 5
    assert [name for name, _ in events].count("error") == 1
    assert [event for event in events if event[0] not in ("open", "error")] == [
        ["report", {"a": 1}],
        ["message", 2],
        ["reset", {}],
        ["end", {"reason": "stopping", "retry": True}],
        ["end", {"reason": "signed-out", "retry": False}],
    ]
    assert script.asked == [None, "a-1", "a-2", "a-2", "a-2", "a-2", "b-7", "b-7"]


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_refused_client_does_not_reconnect(open_page, status: int) -> None:
    page = open_page("live/", "sam")
    script = Script(page, status)
    page.reload()
    page.evaluate(LISTEN)

    refused = {"reason": "refused", "retry": False, "status": status}
    assert seen(page, 1)[0][:2] == ["end", refused]
    send(page, "nothing")  # a round trip, in which it would have reconnected
    assert len(script.asked) == 1


def test_a_broken_handler_of_the_page_loses_no_other_event(open_page) -> None:
    page = open_page("live/", "sam")
    Script(page, 'data: 1\n\ndata: 2\n\nevent: end\ndata: {"retry":false}\n\n')
    page.reload()

    page.evaluate("""() => new Promise((end) => {
      window.seen = [];
      const message = (data) => { seen.push(data); throw new Error("broken"); };
      serviceEvents("live/api/news", { message, end });
    })""")

    assert page.evaluate("seen") == [1, 2]


def test_a_page_can_stop_listening(open_page) -> None:
    page = open_page("live/", "sam")
    page.evaluate(LISTEN)
    seen(page, 1)

    page.evaluate("events.close()")
    send(page, "nothing")

    assert [entry[0] for entry in page.evaluate("seen")] == ["open"]


def test_a_socket_is_for_our_own_pages(open_page, real_hub) -> None:
    page = open_page("live/", "sam")
    bare = real_hub.service_public_url.replace("http", "ws", 1) + "live/api/echo"

    assert page.evaluate(CONNECT, "live/api/echo") == "hello"
    assert page.evaluate(CONNECT, bare) == 1006
