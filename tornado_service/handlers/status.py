"""How the deployment is: what the self-check found, for admins."""

from __future__ import annotations

import platform
import time
from dataclasses import asdict
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import jupyterhub
import tornado
from tornado.web import HTTPError

from .._version import __version__
from ..selfcheck import FRESH
from .base import APIHandler, BaseHandler, PageHandler

if TYPE_CHECKING:
    from ..app import TornadoService


class AdminHandler(BaseHandler):
    """Answers admins of the hub only: findings name addresses of the inside."""

    async def prepare(self) -> None:
        """Find out who asks, and that they are an admin.

        Raises:
            HTTPError: 403 for anybody else.
        """
        await super().prepare()
        user = self.current_user
        if user and not user.get("admin"):
            raise HTTPError(
                403, "%s is signed in, but this is for admins of the hub.", user["name"]
            )


class StatusHandler(AdminHandler, PageHandler):
    """GET status: the findings as a page."""

    async def get(self) -> None:
        """Show them."""
        status = await describe(self.service)
        started = datetime.fromtimestamp(self.service.selfcheck.started, timezone.utc)
        self.write_page(
            "status.html",
            findings=status["findings"],
            apps=status["apps"],
            versions=status["versions"],
            started=started.strftime("%Y-%m-%dT%H:%M:%SZ"),
            uptime=in_words(status["uptime"]),
        )


class StatusAPIHandler(AdminHandler, APIHandler):
    """GET api/status: the same for a program."""

    async def get(self) -> None:
        """Answer with everything."""
        self.write_json(await describe(self.service))


async def describe(service: TornadoService) -> dict[str, Any]:
    """What there is to say of a service: state, findings, apps, versions, seconds since the start.

    Args:
        service: one that runs; it looks anew unless it has just looked.
    """
    check = service.selfcheck
    findings = await check.look(fresh=FRESH)
    well = check.well and not any(mount.has_failed for mount in service.mounts)
    return {
        "status": "ok" if well else "wrong",
        "findings": [asdict(finding) for finding in findings],
        "apps": service.mounts.describe(),
        "versions": {
            "tornado_service": __version__,
            "hub": check.hub_version,
            "jupyterhub": jupyterhub.__version__,
            "tornado": tornado.version,
            "python": platform.python_version(),
        },
        "uptime": round(time.time() - check.started),
    }


def in_words(seconds: int) -> str:
    """A time span as a person says it, such as ``2 days 3 h`` or ``5 min``.

    Args:
        seconds: its length.
    """
    minutes, hours, days = seconds // 60 % 60, seconds // 3600 % 24, seconds // 86400
    if days:
        return f"{days} day{'s' if days > 1 else ''} {hours} h"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
