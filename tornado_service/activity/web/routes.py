"""All routes of Activity."""

from __future__ import annotations

from typing import Any

from . import api, cohorts, pages
from .groups import api as groups_api
from .groups import pages as group_pages
from .overview import api as overview_api
from .overview.page import OverviewPage
from .report import api as report_api
from .report import page as report_page
from .servers import api as servers_api
from .servers import page as servers_page

#: Below ``P/activity/``.
ROUTES: list[tuple[Any, ...]] = [
    ("", OverviewPage),
    ("now", pages.NowPage),
    ("people", pages.PeoplePage),
    ("people/(?P<name>[^/]+)", pages.PersonPage),
    ("groups", pages.GroupsPage),
    ("groups/compare", group_pages.ComparePage),
    ("groups/(?P<name>[^/]+)", group_pages.GroupPage),
    ("groups/(?P<name>[^/]+)/roster", group_pages.RosterPage),
    ("cohorts", cohorts.CohortsPage),
    ("me", pages.MePage),
    ("servers", servers_page.ServersPage),
    ("months", pages.MonthsPage),
    ("month/(?P<text>[^/]+)", pages.MonthPage),
    (r"report\.html", report_page.ReportPage),
    ("api/now", api.NowAPI),
    ("api/summary", api.SummaryAPI),
    ("api/(?P<unit>days|weeks|months)", api.PeriodsAPI),
    ("api/hours", api.HoursAPI),
    ("api/hourly", overview_api.HourlyAPI),
    ("api/notes", overview_api.NotesAPI),
    ("api/trend", overview_api.TrendAPI),
    ("api/people", api.PeopleAPI),
    ("api/people/(?P<name>[^/]+)", api.PersonAPI),
    ("api/groups", api.GroupsAPI),
    ("api/groups/compare", groups_api.CompareAPI),
    ("api/groups/(?P<name>[^/]+)/roster", groups_api.RosterAPI),
    ("api/cohorts", cohorts.CohortsAPI),
    ("api/me", api.MeAPI),
    ("api/month/(?P<text>[^/]+)", api.MonthAPI),
    ("api/report", report_api.ReportAPI),
    ("api/idle", servers_api.IdleAPI),
    ("api/usage-by/(?P<kind>profile|server)", servers_api.UsageByAPI),
    ("api/events", api.NewsStream),
    (r"api/now\.csv", api.NowCSV),
    (r"api/summary\.csv", overview_api.SummaryCSV),
    (r"api/hourly\.csv", overview_api.HourlyCSV),
    (r"api/trend\.csv", overview_api.TrendCSV),
    (r"api/(?P<unit>days|weeks|months)\.csv", api.PeriodsCSV),
    (r"api/hours\.csv", api.HoursCSV),
    (r"api/people\.csv", api.PeopleCSV),
    (r"api/people/(?P<name>[^/]+)/(?P<sheet>days|hours|sessions|week)\.csv", api.PersonCSV),
    (r"api/groups\.csv", api.GroupsCSV),
    (r"api/groups/compare\.csv", groups_api.CompareCSV),
    (r"api/groups/compare/periods\.csv", groups_api.ComparePeriodsCSV),
    (r"api/groups/(?P<name>[^/]+)/roster\.csv", groups_api.RosterCSV),
    (r"api/idle\.csv", servers_api.IdleCSV),
    (r"api/usage-by/(?P<kind>profile|server)\.csv", servers_api.UsageByCSV),
    (r"api/cohorts\.csv", cohorts.CohortsCSV),
    (r"api/me/(?P<sheet>days|hours|sessions|week)\.csv", api.MeCSV),
]

#: Every other path of a page.
NOT_FOUND = ("(?!api/).+", pages.NotFoundPage)
