"""The report as one file of HTML: it needs nothing from elsewhere, and no script."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from importlib.resources import files
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from ...domain.notes import Note
from ...domain.terms import Term
from ...figures.periods import Period, Unit
from ...figures.reports.report import Report
from .. import formatting
from ..display.changes import Against, comparability, compared_with
from .bars import Chart, bar_chart
from .sentence import period_name, sentence, term_name

PACKAGE = "tornado_service.activity"

#: Groups in the table; the API has all of them.
MAX_GROUPS = 25

#: Notes in the list.
MAX_NOTES = 20

#: Labels below the bars of a chart.
MAX_LABELS = 12

_environment = Environment(
    loader=PackageLoader(PACKAGE),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@dataclass(frozen=True)
class Image:
    """The hub's logo."""

    content: bytes
    content_type: str

    @property
    def data_url(self) -> str:
        return f"data:{self.content_type};base64,{base64.b64encode(self.content).decode()}"


@dataclass(frozen=True)
class Context:
    """What a report says besides its figures.

    Attributes:
        hub_name: as its users know it.
        logo: of the hub; ``None``: the report has none.
        terms: for the name of the period.
        notes: on days of the period.
        members_of: the groups whose members the report is about; empty: it is about all users.
        user: the only user whom it is about; empty: it is about more than one.
        reader: who does not see all users; empty: the report is not limited to visible users.
        is_synthetic: whether the history is that of the demo.
    """

    hub_name: str
    logo: Image | None = None
    terms: Sequence[Term] = ()
    notes: Sequence[Note] = ()
    members_of: Sequence[str] = ()
    user: str = ""
    reader: str = ""
    is_synthetic: bool = False


def style() -> str:
    return files(PACKAGE).joinpath("templates", "report.css").read_text()


def style_hash() -> str:
    """The source of the style sheet in a Content-Security-Policy."""
    digest = hashlib.sha256(style().encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"


def title(report: Report, context: Context) -> str:
    return f"Usage: {period_name(report, context.terms)}"


def content_security_policy() -> str:
    """What the file needs of a browser: its style sheet, and the logo in it."""
    return f"default-src 'none'; style-src {style_hash()}; img-src data:"


def render_report(report: Report, context: Context) -> str:
    currency = report.currency or ""
    days = (report.first, report.last)
    return _environment.get_template(
        "report.html"
    ).render(
        report=report,
        context=context,
        title=title(report, context),
        term=term_name(report, context.terms),
        policy=content_security_policy(),
        sentence=sentence(report, context.terms, context.user),
        style=Markup(style()),  # noqa: S704 - our own file
        formatting=formatting,
        currency=currency,
        money=partial(formatting.money, currency=currency),
        zone=ZoneInfo(report.zone),
        compared_with=_known(compared_with(report.comparison, *days, context.terms)),
        comparability=comparability,
        groups=report.groups[:MAX_GROUPS],
        notes=context.notes[:MAX_NOTES],
        has_months=any(month.share for month in report.months),
        has_year_before=_has_year_before(report),
        overlaps=_overlaps(report),
        users_by_month=_by_month(report, "active_users"),
        hours_by_month=_by_month(report, "server_seconds", unit=formatting.HOUR),
        by_period=_by_period(report, context.user),
    )


def _by_month(report: Report, field: str, unit: float = 1) -> Chart:
    return bar_chart(
        [f"{month.first:%b}" for month in report.months],
        [getattr(month, field) for month in report.months],
        [getattr(month, field) for month in report.months_before if _has_year_before(report)],
        unit=unit,
    )


def _known(against: Sequence[Against]) -> list[Against]:
    return [one for one in against if one.compared]


def _has_year_before(report: Report) -> bool:
    return any(month.share for month in report.months_before)


def _overlaps(report: Report) -> bool:
    """Whether the first or last week or month has days that are not of the period."""
    ends = (report.periods[0].first, report.periods[-1].last)
    return ends != (report.first, report.last)


def _by_period(report: Report, user: str) -> Chart:
    field = "server_seconds" if user else "active_users"
    every = -(-len(report.periods) // MAX_LABELS)
    labels = [
        "" if number % every else _short(part, report.unit)
        for number, part in enumerate(report.periods)
    ]
    return bar_chart(
        labels,
        [getattr(part, field) for part in report.periods],
        unit=formatting.HOUR if field == "server_seconds" else 1,
    )


def _short(part: Period, unit: Unit) -> str:
    day: date = part.first
    return f"{day:%b}" if unit == "months" else f"{day.day} {day:%b}"
