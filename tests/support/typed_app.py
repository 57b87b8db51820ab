"""An app with a typed API; its data are in memory."""

from __future__ import annotations

import datetime
import functools
import threading
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, RootModel, SecretStr, field_validator
from tornado.web import HTTPError

from tornado_service import (
    APIHandler,
    PageHandler,
    ServiceApp,
    allow_unauthenticated,
    needs_scopes,
)


class ReportQuery(BaseModel):
    model_config = ConfigDict(extra="forbid")

    since: datetime.date | None = Field(None, description="The first day.")
    tag: list[str] = []
    mood: Mood | None = None
    days: list[datetime.date] = []
    old: bool = False
    limit: int = Field(10, ge=1, le=100)
    order: Literal["newest", "oldest"] = Field("newest", alias="sort")


class Mood(Enum):
    GOOD = "good"
    BAD = "bad"


class NewReport(BaseModel):
    title: Annotated[str, Field(min_length=1, max_length=40)]
    score: float = 0
    password: SecretStr = SecretStr("")
    parts: list[Part] = []
    due: datetime.datetime | None = None
    day: datetime.date | None = None
    mood: Mood = Mood.GOOD
    count: int | None = Field(None, ge=0)
    labels: dict[str, str] = {}

    @field_validator("title")
    @classmethod
    def no_curse(cls, title: str) -> str:
        if title == "damned":
            raise ValueError(f"no curses such as {title}")
        return title


class Part(BaseModel):
    name: str


class Report(BaseModel):
    """A stored report."""

    id: int
    title: str
    score: float = 0


class Titles(RootModel[list[str]]):
    """A list of titles."""


@dataclass
class Where:
    thread: str
    main: bool


class Reports(APIHandler):
    """Reports of this hub."""

    async def get(self, query: ReportQuery) -> list[Report]:
        """The reports, by date.

        At most the requested number.

        Raises:
            HTTPError: never shown.
        """
        self.app.queries.append(query)
        reports = self.app.reports[: query.limit]
        return reports if query.order == "newest" else reports[::-1]

    @needs_scopes("custom:reports:write")
    async def post(self, body: NewReport) -> Report:
        """Create a report."""
        report = Report(id=len(self.app.reports) + 1, title=body.title, score=body.score)
        self.app.reports.append(report)
        self.set_status(201)
        return report


class OneReport(APIHandler):
    """One report."""

    def get(self, number: int) -> Report | None:
        """Return the report; nothing if it is empty."""
        if number == 0:
            return None
        return self._find(number)

    @needs_scopes("custom:reports:write")
    def put(self, number: int, body: NewReport) -> Report:
        """Replace the report."""
        report = self._find(number)
        report.title, report.score = body.title, body.score
        return report

    @needs_scopes("custom:reports:write")
    def delete(self, number: int) -> None:
        """Delete the report."""
        self.app.reports.remove(self._find(number))

    def _find(self, number: int) -> Report:
        for report in self.app.reports:
            if report.id == number:
                return report
        raise HTTPError(404, "There is no such report.")


class ByKind(APIHandler):
    """Named groups, converted."""

    async def get(self, kind: Literal["a", "b"], key: UUID) -> dict[str, str]:
        return {"kind": kind, "key": str(key)}


class Optional(APIHandler):
    """An optional group, and an optional body."""

    async def get(self, number: int = 7) -> dict[str, int]:
        return {"number": number}

    async def post(self, number: int = 7, body: Titles | None = None) -> list[str]:
        return body.root if body else []


class Leaky(Report):
    password: str = "hidden"


class Answers(APIHandler):
    """Results that a method may return, valid and invalid."""

    async def get(self, what: str) -> Report | None:
        """Return one of them."""
        return {
            "model": Report(id=1, title="x"),
            "more": Leaky(id=1, title="x"),
            "dict": {"id": 1, "title": "x"},
            "object": type("Row", (), {"id": 1, "title": "x"})(),
            "infinite": Report(id=1, title="x", score=float("inf")),
            "wrong": {"id": "secret-value", "title": "x"},
            "none": None,
        }[what]


class Untyped(APIHandler):
    """Methods without annotations."""

    def get(self, what):
        if what == "dataclass":
            return Where(threading.current_thread().name, False)
        if what == "list":
            return [Report(id=1, title="x"), {"nan": float("nan")}]
        if what == "bytes":
            return object()
        if what == "both":
            self.write("x")
            return {}
        return None


class Threaded(APIHandler):
    """Plain methods, which may block."""

    def get(self, what):
        threads = self.app.threads
        threads.append(threading.current_thread())
        if what == "blocks":
            self.app.gate.wait(20)
        elif what == "redirects":
            self.redirect("/elsewhere")
        elif what == "finishes":
            self.set_header("X-Test", "1")
            self.finish({"done": True})
        elif what == "fails-late":
            self.finish({"done": True})
            raise RuntimeError("after the answer")
        elif what == "writes-late":
            self.finish({})
            self.write("more")
        elif what == "refuses":
            raise HTTPError(409, "Not now.")
        elif what == "exits":
            raise SystemExit(3)
        elif what == "stops":
            raise StopIteration
        elif what == "flushes":
            self.flush()
        elif what == "awaits":
            return self._later()
        self.write_json({"thread": threading.current_thread().name})
        return None

    async def _later(self):
        return {"thread": threading.current_thread().name}


class Exits(APIHandler):
    async def get(self):
        raise SystemExit(3)


class Page(PageHandler):
    """A page with a path, and a query."""

    def get(self, number: int, query: ReportQuery):
        self.app.threads.append(threading.current_thread())
        self.write_page("error.html", status=number, message=query.order, reason="", retry_after=0)

    def post(self, number: int):
        return {"no": "page"}


def counted(method):
    """A decorator as authors write them."""

    @functools.wraps(method)
    async def wrapper(self, *args, **kwargs):
        self.app.counted += 1
        return await method(self, *args, **kwargs)

    return wrapper


class Decorated(APIHandler):
    """Decorators in either order."""

    @counted
    @needs_scopes("custom:reports:write")
    async def get(self, query: ReportQuery) -> dict[str, int]:
        return {"limit": query.limit}

    @needs_scopes("custom:reports:write")
    @counted
    async def post(self, body: NewReport) -> dict[str, str]:
        return {"title": body.title}


class Open(APIHandler):
    @allow_unauthenticated
    async def get(self, query: ReportQuery) -> dict[str, int]:
        """Needs no authentication."""
        return {"limit": query.limit}


class Typed(ServiceApp):
    """Reports, typed."""

    name = "typed"
    title = "Typed reports"
    user_scopes = {"custom:reports:write"}

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.reports = [Report(id=1, title="one"), Report(id=2, title="two")]
        self.queries = []
        self.threads = []
        self.counted = 0
        self.gate = threading.Event()

    def handlers(self):
        return [
            ("api/reports", Reports),
            (r"api/reports/(\d+)", OneReport),
            (r"api/kinds/(?P<kind>\w+)/(?P<key>[0-9a-f-]+)", ByKind),
            ("api/optional", Optional),
            (r"api/optional/(\d+)", Optional),
            ("api/answers/([a-z]+)", Answers),
            ("api/untyped/([a-z]+)", Untyped),
            ("api/threaded/([a-z-]+)", Threaded),
            ("api/exits", Exits),
            (r"page/([^/]+)", Page),
            ("api/decorated", Decorated),
            ("api/open", Open),
        ]


NewReport.model_rebuild()
