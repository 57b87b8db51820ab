"""An app with event streams and web sockets."""

import asyncio

from tornado.escape import json_decode

from tornado_service import (
    APIHandler,
    EventStream,
    PageHandler,
    ServiceApp,
    WebSocketHandler,
    allow_unauthenticated,
    needs_scopes,
)


class Home(PageHandler):
    async def get(self):
        self.write_page("page.html")


class News(EventStream):
    async def get(self):
        await self.stream(self.app.news)


class SlowNews(EventStream):
    """It awaits something before it streams."""

    async def get(self):
        await self.app.hold()
        await self.stream(self.app.news)


class Scoped(EventStream):
    @needs_scopes("custom:live:read")
    async def get(self):
        await self.stream(self.app.news)


class Mine(EventStream):
    """Only events for the user, without the recipient."""

    async def get(self):
        await self.stream(self.app.news)

    def view(self, event):
        if event.data.get("broken"):
            raise RuntimeError("the view is broken")
        if event.data["to"] != self.current_user["name"]:
            return None
        return event.with_data({"text": event.data["text"]})


class Open(EventStream):
    @allow_unauthenticated
    async def get(self):
        await self.stream(self.app.news)


class Send(APIHandler):
    async def post(self):
        self.app.news.send(json_decode(self.request.body), event="report")
        self.set_status(204)


class Echo(WebSocketHandler):
    def open(self):
        self.app.sockets.append(self)

    def on_message(self, message):
        self.app.received.append(message)
        if message == "break":
            raise RuntimeError("the socket is broken")
        self.write_message(message, binary=isinstance(message, bytes))

    def on_close(self):
        self.app.sockets.remove(self)


class SlowEcho(Echo):
    async def prepare(self):
        await super().prepare()
        await self.app.hold()


class ScopedEcho(Echo):
    @needs_scopes("custom:live:read")
    def open(self):
        super().open()


class Live(ServiceApp):
    name = "live"

    def handlers(self):
        return [
            ("", Home),
            ("api/news", News),
            ("api/slow", SlowNews),
            ("api/scoped", Scoped),
            ("api/mine", Mine),
            ("api/open", Open),
            ("api/send", Send),
            ("api/echo", Echo),
            ("api/slow-echo", SlowEcho),
            ("api/scoped-echo", ScopedEcho),
        ]

    async def start(self):
        self.news = self.open_channel("news")
        self.sockets = []
        self.received = []
        self.held = 0
        self.go_on = asyncio.Event()

    async def hold(self):
        self.held += 1
        await self.go_on.wait()
