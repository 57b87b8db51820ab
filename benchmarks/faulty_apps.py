"""A good app, and apps that are broken in different ways."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from tornado_service import APIHandler, ServiceApp

#: Size in bytes of a response that is too large.
LARGE = 64 * 1024 * 1024


class Item(APIHandler):
    async def get(self) -> dict[str, str]:
        return {"name": self.current_user["name"]}


class Good(ServiceApp):
    name = "good"

    def handlers(self) -> list[tuple[Any, ...]]:
        return [("api/item", Item)]


class StartRaises(ServiceApp):
    name = "start-raises"

    async def start(self) -> None:
        raise RuntimeError("there is no database")


class StartWaits(ServiceApp):
    name = "start-waits"

    async def start(self) -> None:
        await asyncio.sleep(3600)


class Raises(APIHandler):
    async def get(self) -> None:
        raise RuntimeError("there is no database")


class Large(APIHandler):
    def get(self) -> None:
        self.write(b"x" * LARGE)


class Blocks(APIHandler):
    def get(self) -> None:
        time.sleep(5)


class Broken(ServiceApp):
    name = "broken"

    def handlers(self) -> list[tuple[Any, ...]]:
        return [
            ("api/raises", Raises),
            ("api/large", Large),
            ("api/blocks", Blocks),
        ]
