"""Names of operations and of handlers in metrics: public, independent of class names."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from tests.support.api_document import document_of, operation_ids, routes_of
from tornado_service.apps.isolation.containment import AppError
from tornado_service.testing import StartService

NAMED = """
from tornado_service import APIHandler, ServiceApp

class UserAPI(APIHandler):
    metrics_name = "User"
    operation_ids = {"get": "get_user", "post": "rename"}

    async def get(self) -> str: ...

    async def post(self) -> str: ...

class Sub(UserAPI):
    pass

class Named(ServiceApp):
    name = "named"
    def handlers(self):
        return [("api/user", UserAPI), ("api/again", UserAPI), ("api/sub", Sub)]
"""

OPERATIONS = {
    "/activity/api/cohorts": "list_cohorts",
    "/activity/api/cohorts.csv": "list_cohorts_csv",
    "/activity/api/events": "stream_samples",
    "/activity/api/groups": "list_groups",
    "/activity/api/groups.csv": "list_groups_csv",
    "/activity/api/groups/compare": "compare_groups",
    "/activity/api/groups/compare.csv": "compare_groups_csv",
    "/activity/api/groups/compare/periods.csv": "compare_groups_periods_csv",
    "/activity/api/groups/{name}/roster": "get_group_roster",
    "/activity/api/groups/{name}/roster.csv": "get_group_roster_csv",
    "/activity/api/hourly": "get_hourly_servers",
    "/activity/api/hourly.csv": "get_hourly_servers_csv",
    "/activity/api/hours": "get_hours_of_week",
    "/activity/api/hours.csv": "get_hours_of_week_csv",
    "/activity/api/idle": "get_idle_time",
    "/activity/api/idle.csv": "get_idle_time_csv",
    "/activity/api/me": "get_my_activity",
    "/activity/api/me/{sheet}.csv": "get_my_activity_csv",
    "/activity/api/month/{text}": "get_month_report",
    "/activity/api/notes": "list_notes",
    "/activity/api/now": "get_running_servers",
    "/activity/api/now.csv": "get_running_servers_csv",
    "/activity/api/people": "list_users",
    "/activity/api/people.csv": "list_users_csv",
    "/activity/api/people/{name}": "get_user_activity",
    "/activity/api/people/{name}/{sheet}.csv": "get_user_activity_csv",
    "/activity/api/report": "get_report",
    "/activity/api/summary": "get_summary",
    "/activity/api/summary.csv": "get_summary_csv",
    "/activity/api/trend": "get_trend",
    "/activity/api/trend.csv": "get_trend_csv",
    "/activity/api/{unit}": "get_periods",
    "/activity/api/{unit}.csv": "get_periods_csv",
    "/activity/api/usage-by/{kind}": "get_usage_by",
    "/activity/api/usage-by/{kind}.csv": "get_usage_by_csv",
    "/api": "get_version",
    "/api/debug": "get_debug_info",
    "/api/openapi.json": "get_openapi_document",
    "/api/status": "get_status",
    "/api/user": "get_user",
    "/health": "get_health",
    "/health/ready": "get_readiness",
    "/health/serving": "get_serving",
    "/metrics": "get_metrics",
}
CORE_LABELS = {
    "DebugHandler",
    "DocsHandler",
    "HealthHandler",
    "HomeHandler",
    "HubStaticHandler",
    "LogoutHandler",
    "MetricsHandler",
    "NotFoundAPIHandler",
    "OAuthCallbackHandler",
    "OpenAPIHandler",
    "ReadyHandler",
    "RootHandler",
    "ServingHandler",
    "SlashHandler",
    "StaticHandler",
    "StatusAPIHandler",
    "StatusHandler",
    "UserHandler",
}
ACTIVITY_LABELS = {
    "activity.CohortsAPI",
    "activity.CohortsCSV",
    "activity.CohortsPage",
    "StaticHandler",
    "activity.CompareAPI",
    "activity.CompareCSV",
    "activity.ComparePage",
    "activity.ComparePeriodsCSV",
    "activity.GroupPage",
    "activity.GroupsAPI",
    "activity.GroupsCSV",
    "activity.GroupsPage",
    "activity.HourlyAPI",
    "activity.HourlyCSV",
    "activity.HoursAPI",
    "activity.HoursCSV",
    "activity.IdleAPI",
    "activity.IdleCSV",
    "activity.MeAPI",
    "activity.MeCSV",
    "activity.MePage",
    "activity.MonthAPI",
    "activity.MonthPage",
    "activity.MonthsPage",
    "activity.NewsStream",
    "activity.NotFoundPage",
    "activity.NotesAPI",
    "activity.NowAPI",
    "activity.NowCSV",
    "activity.NowPage",
    "activity.OverviewPage",
    "activity.PeopleAPI",
    "activity.PeopleCSV",
    "activity.PeoplePage",
    "activity.PeriodsAPI",
    "activity.PeriodsCSV",
    "activity.PersonAPI",
    "activity.PersonCSV",
    "activity.PersonPage",
    "activity.ReportAPI",
    "activity.ReportPage",
    "activity.RosterAPI",
    "activity.RosterCSV",
    "activity.RosterPage",
    "activity.ServersPage",
    "activity.SummaryAPI",
    "activity.SummaryCSV",
    "activity.TrendAPI",
    "activity.TrendCSV",
    "activity.UsageByAPI",
    "activity.UsageByCSV",
}


async def test_the_core_and_activity_keep_the_names_of_operations_and_metrics(
    start_service: StartService, tmp_path: Path
) -> None:
    """Generated clients and dashboards use them."""
    service = await start_service(
        TornadoService={"apps": ["activity"], "debug_api": True},
        Activity={"database_url": f"sqlite:///{tmp_path}/activity.sqlite"},
    )
    (activity,) = service.app_manager

    document = json.loads(await document_of(service).json())

    assert operation_ids(document) == OPERATIONS
    assert {route[1].metrics_name for route in routes_of(service)} == CORE_LABELS
    assert {route.handler.metrics_name for route in activity.routes} == ACTIVITY_LABELS


async def test_names_that_authors_give(
    start_service: StartService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "named_app.py").write_text(NAMED)
    monkeypatch.syspath_prepend(tmp_path)
    service = await start_service(TornadoService={"apps": ["named_app:Named"]})

    document = json.loads(await document_of(service).json())

    sys.modules.pop("named_app")
    names = operation_ids(document)
    assert {path: name for path, name in names.items() if "/named/" in path} == {
        "/named/api/user": "named_get_user",
        "post /named/api/user": "rename",
        "/named/api/again": "named_get_user_2",
        "post /named/api/again": "named_rename",
        "/named/api/sub": "named_Sub_get",
        "post /named/api/sub": "named_Sub_post",
    }
    labels = [route.handler.metrics_name for route in next(iter(service.app_manager)).routes]
    assert labels == ["named.User", "named.User", "named.Sub"]


async def test_a_name_for_a_method_that_is_not_there(
    start_service: StartService, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "misnamed_app.py").write_text(NAMED.replace('"post":', '"put":'))
    monkeypatch.syspath_prepend(tmp_path)

    with pytest.raises(AppError, match=r"UserAPI.operation_ids names put, which is none of"):
        await start_service(TornadoService={"apps": ["misnamed_app:Named"]})
    sys.modules.pop("misnamed_app")
