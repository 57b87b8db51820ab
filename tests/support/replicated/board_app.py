"""An app that uses all that replicas share: a database, events, and work of one replica."""

from __future__ import annotations

import asyncio
import os
import time
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from tornado.escape import json_decode
from traitlets import Unicode, default

from tornado_service import (
    APIHandler,
    EventStream,
    PageHandler,
    ServiceApp,
    WebSocketHandler,
    periodic,
)


class Base(DeclarativeBase):
    pass


class Note(Base):
    __tablename__ = "notes"

    id: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str]


class Run(Base):
    """One run of the work that one replica does."""

    __tablename__ = "runs"

    id: Mapped[int] = mapped_column(primary_key=True)
    process: Mapped[int]
    at: Mapped[float]


class Home(PageHandler):
    app: Board

    async def get(self) -> None:
        self.write_page("page.html")


class NotesAPI(APIHandler):
    app: Board

    def get(self) -> list[str]:
        """The latest notes."""
        with self.app.sessions.reading() as session:
            return list(session.scalars(select(Note.text).order_by(Note.id.desc()).limit(20)))

    def post(self) -> None:
        text = self.get_query_argument("text")
        with self.app.sessions.writing() as session:
            session.add(Note(text=text))


class EventsAPI(EventStream):
    app: Board

    async def get(self) -> None:
        await self.stream(self.app.events)


class SendAPI(APIHandler):
    """Send an event: the JSON in the body, else the text in the query and this many bytes."""

    app: Board

    async def post(self) -> None:
        size = int(self.get_query_argument("size", "0"))
        text = self.get_query_argument("text", "") + "x" * size
        self.app.events.send(json_decode(self.request.body) if self.request.body else text)
        self.set_status(204)


class HoldAPI(APIHandler):
    """Requests that take as long as they are told to."""

    app: Board

    async def get(self) -> None:
        await self._hold()

    async def post(self) -> None:
        await self._hold()

    async def _hold(self) -> None:
        held = self.app.held
        held[method := self.request.method] += 1
        try:
            await asyncio.sleep(min(10, float(self.get_query_argument("seconds"))))
        finally:
            held[method] -= 1
        self.write_json({"process": os.getpid()})


class HeldAPI(APIHandler):
    app: Board

    async def get(self) -> None:
        self.write_json(self.app.held)


class LeadsAPI(APIHandler):
    app: Board

    async def get(self) -> None:
        self.write_json(self.app.leadership.is_leader)


class EchoAPI(WebSocketHandler):
    app: Board

    def on_message(self, message: str | bytes) -> None:
        self.write_message(message)


class Board(ServiceApp):
    name = "board"

    database_url = Unicode(help="Where the notes are; by default, with the service's data.")

    @default("database_url")
    def _default_database_url(self) -> str:
        return os.environ["TORNADO_SERVICE_DATABASE_URL"]

    def handlers(self) -> list[tuple[Any, ...]]:
        return [
            ("", Home),
            ("api/notes", NotesAPI),
            ("api/events", EventsAPI),
            ("api/send", SendAPI),
            ("api/hold", HoldAPI),
            ("api/held", HeldAPI),
            ("api/leads", LeadsAPI),
            ("api/echo", EchoAPI),
        ]

    def start(self) -> None:
        self.sessions = self.open_database(Base.metadata)
        self.events = self.open_channel("events")
        self.held = {"GET": 0, "POST": 0}

    @periodic(1, once=True)
    def work(self) -> None:
        with self.sessions.writing() as session:
            session.add(Run(process=os.getpid(), at=time.time()))
