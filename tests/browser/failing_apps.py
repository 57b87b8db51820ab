"""Apps that fail, each in its own way, for the pages that people see then."""

from tornado_service import PageHandler, ServiceApp


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
