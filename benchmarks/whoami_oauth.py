"""JupyterHub's mixins, used as in its documentation."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
from urllib.parse import urlsplit

from jupyterhub.services.auth import HubOAuthCallbackHandler, HubOAuthenticated
from tornado.web import Application, RequestHandler, authenticated


class WhoAmIHandler(HubOAuthenticated, RequestHandler):
    @authenticated
    def get(self) -> None:
        self.set_header("Content-Type", "application/json")
        self.write(json.dumps(self.current_user, indent=1))


async def main() -> None:
    url = urlsplit(os.environ["JUPYTERHUB_SERVICE_URL"])
    prefix = os.environ["JUPYTERHUB_SERVICE_PREFIX"]
    routes = [(prefix, WhoAmIHandler), (f"{prefix}oauth_callback", HubOAuthCallbackHandler)]
    app = Application(routes, cookie_secret=secrets.token_bytes(32))
    app.listen(url.port or 80, url.hostname or "")
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
