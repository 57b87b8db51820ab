"""The demonstration hub's user server: a page with the user's name, instead of Jupyter."""

import asyncio
import html
import logging
import os
import signal
from urllib.parse import urlsplit

from jupyterhub import __version__ as hub_version
from jupyterhub.services.auth import HubOAuthCallbackHandler, HubOAuthenticated
from tornado.web import Application, RequestHandler, authenticated

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>:root {{ color-scheme: light dark; font: 1.1rem/1.5 system-ui; padding: 2rem }}</style>
<h1>{title}</h1>
<p>{name}: a stand-in, nothing runs here.</p>
<p><a href="{hub}home">Back to the hub</a></p>
</html>
"""


class VersionHandler(RequestHandler):
    """Responds to the hub's readiness check."""

    def get(self) -> None:
        self.set_header("X-JupyterHub-Version", hub_version)  # the hub compares the versions
        self.write({"version": hub_version})


class PageHandler(HubOAuthenticated, RequestHandler):
    """The page at all paths below the prefix."""

    @authenticated
    def get(self) -> None:
        name = f"{os.environ.get('JUPYTERHUB_USER', 'user')}'s server"
        server = os.environ.get("JUPYTERHUB_SERVER_NAME")
        title = f"{name} {server}" if server else name
        hub = self.hub_auth.hub_host + self.hub_auth.hub_prefix
        self.write(PAGE.format(title=html.escape(title), name=html.escape(name), hub=hub))


def make_web_app(prefix: str) -> Application:
    return Application(
        [
            (prefix + "api/?", VersionHandler),
            (prefix + "oauth_callback", HubOAuthCallbackHandler),
            (prefix + ".*", PageHandler),
        ],
        cookie_secret=os.urandom(32),
        log_function=lambda handler: None,
    )


async def main() -> None:
    url = urlsplit(os.environ["JUPYTERHUB_SERVICE_URL"])
    app = make_web_app(os.environ["JUPYTERHUB_SERVICE_PREFIX"])
    server = app.listen(url.port or 80, url.hostname or "127.0.0.1")
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()
    server.stop()
    await server.close_all_connections()


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING)
    asyncio.run(main())
