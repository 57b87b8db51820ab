"""All routes of Activity."""

from __future__ import annotations

from typing import Any

from . import api, cohorts, pages

#: Below ``P/activity/``.
ROUTES: list[tuple[Any, ...]] = [
    ("", pages.OverviewPage),
    ("now", pages.NowPage),
    ("people", pages.PeoplePage),
    ("people/(?P<name>[^/]+)", pages.PersonPage),
    ("groups", pages.GroupsPage),
    ("cohorts", cohorts.CohortsPage),
    ("me", pages.MePage),
    ("months", pages.MonthsPage),
    ("month/(?P<text>[^/]+)", pages.MonthPage),
    ("api/now", api.NowAPI),
    ("api/summary", api.SummaryAPI),
    ("api/(?P<unit>days|weeks|months)", api.PeriodsAPI),
    ("api/hours", api.HoursAPI),
    ("api/people", api.PeopleAPI),
    ("api/people/(?P<name>[^/]+)", api.PersonAPI),
    ("api/groups", api.GroupsAPI),
    ("api/cohorts", cohorts.CohortsAPI),
    ("api/me", api.MeAPI),
    ("api/month/(?P<text>[^/]+)", api.MonthAPI),
    ("api/events", api.NewsStream),
    (r"api/now\.csv", api.NowCSV),
    (r"api/(?P<unit>days|weeks|months)\.csv", api.PeriodsCSV),
    (r"api/hours\.csv", api.HoursCSV),
    (r"api/people\.csv", api.PeopleCSV),
    (r"api/people/(?P<name>[^/]+)/(?P<sheet>days|hours|sessions|week)\.csv", api.PersonCSV),
    (r"api/groups\.csv", api.GroupsCSV),
    (r"api/cohorts\.csv", cohorts.CohortsCSV),
    (r"api/me/(?P<sheet>days|hours|sessions|week)\.csv", api.MeCSV),
]

#: Every other path of a page.
NOT_FOUND = ("(?!api/).+", pages.NotFoundPage)
