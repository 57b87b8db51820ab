"""Good and broken apps."""

from __future__ import annotations

import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.support.commands import run_command
from tests.support.launched import ENVIRONMENT
from tornado_service.app import TornadoService

StartApps = Callable[..., Awaitable[TornadoService]]

GOOD = '''
import asyncio
from traitlets import Integer
from tornado_service import APIHandler, PageHandler, ServiceApp, allow_unauthenticated, needs_scopes


class Home(PageHandler):
    def get(self):
        self.write_page("reports.html", limit=self.app.limit)


class Items(APIHandler):
    def get(self, number="0"):
        self.write_json({"limit": self.app.limit, "number": number})

    @needs_scopes("custom:reports:write")
    def post(self, number="0"):
        self.write_json({"user": self.current_user["name"]})


class Fails(PageHandler):
    def get(self):
        raise RuntimeError("the database's password is 1234")


class Open(APIHandler):
    @allow_unauthenticated
    def get(self):
        self.write_json({})


class Reports(ServiceApp):
    """Reports of use."""

    name = "reports"
    title = "Reports of <use>"
    description = "Reports for everybody."
    service_scopes = {"list:users"}
    limit = Integer(3, help="How many reports are shown.").tag(config=True)
    events = []

    def handlers(self):
        return [("", Home), ("api/items", Items), (r"api/items/(\\d+)|x", Items), ("fails", Fails),
                ("open", Open)]

    async def start(self):
        self.events.append("start")

    async def stop(self):
        self.events.append("stop")


class Admins(ServiceApp):
    name = "admins"

    class Home(PageHandler):
        @needs_scopes("admin:users")
        def get(self):
            self.write("for admins")

    def handlers(self):
        return [("", self.Home)]


class Headless(ServiceApp):
    name = "headless"
'''

TEMPLATE = """
{% extends "templates/page.html" %}
{% block main %}<h1>{{ app_title }}</h1><p>{{ limit }} of {{ user.name }} at {{ app_prefix }}</p>
<img src="{{ app_static_url('deep/chart.svg') }}">{% endblock %}
"""

BROKEN = """
import asyncio
import sys
import threading
from tornado_service import PageHandler, ServiceApp
from tornado.web import RequestHandler


class StartRaises(ServiceApp):
    name = "start-raises"

    async def start(self):
        raise RuntimeError("no database")


class StartExits(ServiceApp):
    name = "start-exits"

    async def start(self):
        sys.exit(3)


class StartHangs(ServiceApp):
    name = "start-hangs"

    async def start(self):
        while True:
            try:
                await asyncio.sleep(0.2)
            except asyncio.CancelledError:
                if asyncio.get_running_loop().time() > END:
                    raise


class HandlersRaise(ServiceApp):
    name = "handlers-raise"

    def handlers(self):
        return [("", Nothing)]


class HandlersHang(ServiceApp):
    name = "handlers-hang"
    ended = threading.Event()

    def handlers(self):
        self.ended.wait()
        return []


class Unsigned(ServiceApp):
    name = "unsigned"

    def handlers(self):
        return [("", RequestHandler)]


class Slash(ServiceApp):
    name = "slash"

    def handlers(self):
        return [("/", PageHandler)]


class Group(ServiceApp):
    name = "group"

    def handlers(self):
        return [("a)|(?:.*", PageHandler)]


class NoTuple(ServiceApp):
    name = "no-tuple"

    def handlers(self):
        return [PageHandler]


class Again(ServiceApp):
    name = "reports"


class BadName(ServiceApp):
    name = "Bad_Name"


class Core(ServiceApp):
    name = "api"


class Nameless(ServiceApp):
    pass


class Scopes(ServiceApp):
    name = "scopes"
    service_scopes = "list:users"


class Plain:
    name = "plain"


Other = StartRaises
END = 0
"""


def states(service: TornadoService) -> dict[str, str]:
    return {
        status["app"].rpartition(":")[2]: status["state"]
        for status in service.app_manager.statuses()
    }


def reasons(service: TornadoService) -> dict[str, str]:
    return {
        status["app"].rpartition(":")[2]: status["reason"]
        for status in service.app_manager.statuses()
    }


def run(*args: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return run_command(*args, cwd=cwd, env=ENVIRONMENT)
