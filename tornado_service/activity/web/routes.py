"""All routes of Activity."""

from __future__ import annotations

from typing import Any

from . import api, pages
from .servers import api as servers_api
from .servers import page as servers_page

#: Below ``P/activity/``.
ROUTES: list[tuple[Any, ...]] = [
    ("", pages.OverviewPage),
    ("now", pages.NowPage),
    ("people", pages.PeoplePage),
    ("people/(?P<name>[^/]+)", pages.PersonPage),
    ("groups", pages.GroupsPage),
    ("me", pages.MePage),
    ("servers", servers_page.ServersPage),
    ("months", pages.MonthsPage),
    ("month/(?P<text>[^/]+)", pages.MonthPage),
    ("api/now", api.NowAPI),
    ("api/summary", api.SummaryAPI),
    ("api/(?P<unit>days|weeks|months)", api.PeriodsAPI),
    ("api/hours", api.HoursAPI),
    ("api/people", api.PeopleAPI),
    ("api/people/(?P<name>[^/]+)", api.PersonAPI),
    ("api/groups", api.GroupsAPI),
    ("api/me", api.MeAPI),
    ("api/month/(?P<text>[^/]+)", api.MonthAPI),
    ("api/idle", servers_api.IdleAPI),
    ("api/usage-by/(?P<kind>profile|server)", servers_api.UsageByAPI),
    ("api/events", api.NewsStream),
    (r"api/now\.csv", api.NowCSV),
    (r"api/(?P<unit>days|weeks|months)\.csv", api.PeriodsCSV),
    (r"api/hours\.csv", api.HoursCSV),
    (r"api/people\.csv", api.PeopleCSV),
    (r"api/people/(?P<name>[^/]+)/(?P<sheet>days|hours|sessions|week)\.csv", api.PersonCSV),
    (r"api/groups\.csv", api.GroupsCSV),
    (r"api/idle\.csv", servers_api.IdleCSV),
    (r"api/usage-by/(?P<kind>profile|server)\.csv", servers_api.UsageByCSV),
    (r"api/me/(?P<sheet>days|hours|sessions|week)\.csv", api.MeCSV),
]

#: Every other path of a page.
NOT_FOUND = ("(?!api/).+", pages.NotFoundPage)
