"""Arrival cohorts: page, API and CSV.

The names of the classes are labels of the service's metrics.
"""

from __future__ import annotations

from ..access.queries import CohortsQuery
from ..access.responses import ArrivalCohorts
from ..figures.cohorts import cohorts
from . import csv_export
from .api import ActivityHandler
from .page_base import ActivityPage


class CohortsAPI(ActivityHandler):
    """Users by the week or month of their arrival, and how many came back after 1 to 8 weeks."""

    operation_ids = {"get": "list_cohorts"}

    async def get(self, query: CohortsQuery) -> ArrivalCohorts:
        view = await self.view(query)
        rows = await view.compute(cohorts, query, query.unit)
        return ArrivalCohorts(self.recorder.zone.key, rows)


class CohortsCSV(ActivityHandler):
    """The same as ``api/cohorts``."""

    operation_ids = {"get": "list_cohorts_csv"}

    async def get(self, query: CohortsQuery) -> None:
        view = await self.view(query)
        rows = await view.compute(cohorts, query, query.unit)
        names = ["cohorts", query.unit]
        await self.write_csv(names, csv_export.COHORTS, rows, query.days(view.today))


class CohortsPage(ActivityPage):
    """Arrival cohorts of the users whom the visitor may see."""

    model = CohortsQuery
    tab = "cohorts"

    async def get(self) -> None:
        view, query = await self.view(), self.page_query.query
        rows = await view.compute(cohorts, query, query.unit)
        await self.show("cohorts.html", cohorts=rows)
