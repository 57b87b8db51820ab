"""Apps that fail in different ways, for tests of error pages."""

from sqlalchemy import Column, Integer, MetaData, Table
from traitlets import Unicode

from tornado_service import PageHandler, ServiceApp, WebApp
from tornado_service.apps import retry as transient

transient.MAX_DELAY = 1.0  # instead of a minute

METADATA = MetaData()
Table("waits", METADATA, Column("id", Integer, primary_key=True))


class RaisingPage(PageHandler):
    def get(self):
        raise RuntimeError("as a test wants it")


class Raises(ServiceApp):
    name = "raises"

    def handlers(self):
        return [("", RaisingPage)]


class Broken(ServiceApp):
    name = "broken"

    async def start(self):
        raise RuntimeError("as a test wants it")


class LongWord(WebApp):
    """Its last line of output is wider than a narrow screen."""

    name = "long-word"
    command = ("sh", "-c", f"echo No module {'_'.join(['departments'] * 9)}; exit 1", "{port}")


class WaitingPage(PageHandler):
    def get(self):
        self.write("<!doctype html><title>Waits</title><h1>Here it is</h1>")


class Waits(ServiceApp):
    """Its database is in a folder that a test creates."""

    name = "waits"
    database_url = Unicode("sqlite:///later/waits.sqlite").tag(config=True)

    def handlers(self):
        return [("", WaitingPage)]

    def start(self):
        self.open_database(METADATA)
