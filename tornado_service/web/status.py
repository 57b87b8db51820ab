"""The status of the deployment: the findings of the self-check, for administrators."""

from __future__ import annotations

import platform
import time
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Literal

import jupyterhub
import tornado
from tornado.web import HTTPError

from .._version import __version__
from ..apps.typed.responses import responds_with
from ..auth.login_state import SignIns
from ..auth.service_auth import ADMIN_SCOPE
from ..handlers.base import APIHandler, BaseHandler, PageHandler
from ..selfcheck import MAX_FINDINGS_AGE
from ..selfcheck.findings import BY_URGENCY, Finding

if TYPE_CHECKING:
    from ..apps.manager import AppManager
    from ..selfcheck import SelfCheck
    from ..streaming.replicas import Replicas


@dataclass(frozen=True)
class AppStatus:
    """State of an app, why it failed or is retried, and its own facts by label."""

    name: str
    app: str
    state: Literal["loading", "retrying", "ready", "failed"]
    reason: str
    details: dict[str, str]


@dataclass(frozen=True)
class Status:
    """State of the deployment, and the scopes that the service needs; uptime in seconds.

    ``instance`` is the name of the replica that responds, ``leaders`` has the leading replica of
    each app that needs one, ``sign_ins`` counts those of this replica since its start.
    """

    status: Literal["ok", "wrong"]
    findings: list[Finding]
    apps: list[AppStatus]
    scopes: list[str]
    versions: dict[str, str]
    uptime: int
    instance: str
    leaders: dict[str, str]
    sign_ins: SignIns


class AdminHandler(BaseHandler):
    """For hub admins only: findings name internal addresses."""

    #: Whether the service's own token has access, too, as the doctor uses it.
    allows_own_token = False

    def initialize(self, selfcheck: SelfCheck, apps: AppManager) -> None:  # type: ignore[override]
        super().initialize()
        self._selfcheck = selfcheck
        self._apps = apps

    async def prepare(self) -> None:
        """Authenticate the request, and check that the user is an admin.

        Raises:
            HTTPError: 403 for other users.
        """
        if self.allows_own_token and self.hub_auth.has_own_token(self):
            return
        await super().prepare()
        user = self.current_user
        if not user or self.hub_auth.is_admin(self):
            return
        if user.get("admin"):
            raise HTTPError(
                403,
                "%s is an admin of the hub, but this token lacks the scope %s.",
                user["name"],
                ADMIN_SCOPE,
            )
        raise HTTPError(
            403, "Only hub admins can open this page. You are signed in as %s.", user["name"]
        )


class StatusHandler(AdminHandler, PageHandler):
    """GET status: the findings as a page."""

    metrics_name = "StatusHandler"

    async def get(self) -> None:
        status = await status_report(self._selfcheck, self._apps, self.context.replicas)
        findings = [Finding(**finding) for finding in status["findings"]]
        started = datetime.fromtimestamp(self._selfcheck.started, timezone.utc)
        self.write_page(
            "status.html",
            findings=sorted(findings, key=lambda finding: BY_URGENCY.index(finding.state)),
            apps=sorted(status["apps"], key=lambda app: not app["reason"]),
            versions=status["versions"],
            started=started.strftime("%Y-%m-%dT%H:%M:%SZ"),
            uptime=format_uptime(status["uptime"]),
            instance=status["instance"],
            leaders=status["leaders"],
        )


class StatusAPIHandler(AdminHandler, APIHandler):
    """GET api/status: the same as JSON."""

    metrics_name = "StatusAPIHandler"
    operation_ids = {"get": "get_status"}

    allows_own_token = True

    @responds_with(Status)
    async def get(self) -> None:
        """Findings of the self-check and states of the apps, for admins."""
        self.write_json(await status_report(self._selfcheck, self._apps, self.context.replicas))


async def status_report(
    check: SelfCheck, manager: AppManager, replicas: Replicas
) -> dict[str, Any]:
    """State, findings, apps, versions, and seconds since the start.

    Args:
        check: runs again unless its findings are recent.
        manager: of the apps.
        replicas: those of the service.
    """
    findings = [*await check.refresh(max_age=MAX_FINDINGS_AGE), *check_replicas(replicas)]
    apps = manager.statuses()
    well = check.is_healthy and not replicas.problem and not any(app["reason"] for app in apps)
    return {
        "status": "ok" if well else "wrong",
        "findings": [asdict(finding) for finding in findings],
        "apps": apps,
        "scopes": sorted(check.required_scopes),
        "versions": {
            "tornado_service": __version__,
            "hub": check.hub_version,
            "jupyterhub": jupyterhub.__version__,
            "tornado": tornado.version,
            "python": platform.python_version(),
        },
        "uptime": round(time.time() - check.started),
        "instance": replicas.instance,
        "leaders": replicas.leaders,
        "sign_ins": asdict(check.sign_ins),
    }


def check_replicas(replicas: Replicas) -> list[Finding]:
    """Whether the replicas are connected by their database; none without one.

    Args:
        replicas: those of the service.
    """
    if not replicas.is_shared:
        return []
    if replicas.problem:
        message = f"The database that the replicas share is not available: {replicas.problem}"
        key = "TornadoService.database_url ($TORNADO_SERVICE_DATABASE_URL), if it is not an outage"
        return [Finding("replicas", "wrong", message, key)]
    message = f"This replica, {replicas.instance}, is connected to the database that all share."
    return [Finding("replicas", "ok", message)]


def format_uptime(seconds: int) -> str:
    """A duration for display, such as ``2 days 3 h`` or ``5 min``.

    Args:
        seconds: its length.
    """
    minutes, hours, days = seconds // 60 % 60, seconds // 3600 % 24, seconds // 86400
    if days:
        return f"{days} day{'s' if days > 1 else ''} {hours} h"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
