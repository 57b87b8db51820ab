"""The floor: a bare Tornado handler that returns configured JSON without authentication.

It encodes the JSON again for each response, as Tornado's ``write`` does.
"""

from __future__ import annotations

import asyncio
import json
import os
from typing import Any
from urllib.parse import urlsplit

from tornado.web import Application, HTTPError, RequestHandler

models: dict[str, Any] = {}


class ModelHandler(RequestHandler):
    def get(self, name: str) -> None:
        if name not in models:
            raise HTTPError(404)
        self.write(models[name])

    def put(self, name: str) -> None:
        models[name] = json.loads(self.request.body)


async def main() -> None:
    url = urlsplit(os.environ["JUPYTERHUB_SERVICE_URL"])
    prefix = os.environ["JUPYTERHUB_SERVICE_PREFIX"]
    Application([(f"{prefix}(.*)", ModelHandler)]).listen(url.port or 80, url.hostname or "")
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
