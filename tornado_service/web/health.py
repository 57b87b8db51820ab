"""Health, readiness and metrics for monitoring tools."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from prometheus_client import CONTENT_TYPE_LATEST

from ..apps.typed.responses import responds_with
from ..auth.decorators import allow_unauthenticated, needs_scopes
from ..handlers.base import APIHandler
from ..selfcheck import INSTANCE_HEADER, SERVICE_HEADER

if TYPE_CHECKING:
    from ..apps.manager import AppManager
    from ..selfcheck import SelfCheck


@dataclass(frozen=True)
class Health:
    """Liveness of the process."""

    status: Literal["ok"]


@dataclass(frozen=True)
class Serving:
    """Whether requests should be sent to this process."""

    status: Literal["ok", "loading", "stopping"]


@dataclass(frozen=True)
class Readiness:
    """Readiness, and each check by name."""

    status: Literal["ok", "not ready"]
    checks: dict[str, Literal["ok", "not ready"]]


class HealthHandler(APIHandler):
    """GET health: 200 while the process serves, without other calls."""

    metrics_name = "HealthHandler"
    operation_ids = {"get": "get_health"}

    quiet = True

    def initialize(self, selfcheck: SelfCheck) -> None:  # type: ignore[override]
        super().initialize()
        self._selfcheck = selfcheck

    @responds_with(Health)
    @allow_unauthenticated
    def get(self) -> None:
        """Liveness: 200 while the process serves requests."""
        if INSTANCE_HEADER in self.request.headers:  # a self-check identifies the process
            self.set_header(INSTANCE_HEADER, self._selfcheck.instance)
            self.set_header(SERVICE_HEADER, self._selfcheck.service_id)
        self.write_json({"status": "ok"})


class ServingHandler(APIHandler):
    """GET health/serving: whether to send requests here, without other calls."""

    metrics_name = "ServingHandler"
    operation_ids = {"get": "get_serving"}

    quiet = True

    def initialize(self, apps: AppManager) -> None:  # type: ignore[override]
        super().initialize()
        self._apps = apps

    @responds_with(Serving, 200, 503)
    @allow_unauthenticated
    def get(self) -> None:
        """Whether requests should come here: 200 from the load of the apps until SIGTERM, or 503.

        An app that has failed, and a hub that does not respond, leave it at 200: requests get the
        page that says so, as from every other replica.
        """
        is_loading = any(mounted.is_loading for mounted in self._apps)
        status: Literal["ok", "loading", "stopping"] = "loading" if is_loading else "ok"
        if self.context.is_stopping:
            status = "stopping"
        self.set_status(200 if status == "ok" else 503)
        self.write_json({"status": status})


class ReadyHandler(APIHandler):
    """GET health/ready: the state of each dependency by name, without details."""

    metrics_name = "ReadyHandler"
    operation_ids = {"get": "get_readiness"}

    quiet = True

    def initialize(self, selfcheck: SelfCheck, apps: AppManager) -> None:  # type: ignore[override]
        super().initialize()
        self._selfcheck = selfcheck
        self._apps = apps

    @responds_with(Readiness, 200, 503)
    @allow_unauthenticated
    async def get(self) -> None:
        """Readiness: 200 or 503, which it is also while the service stops."""
        if self.context.is_stopping:
            checks = {"stopping": False}
        else:
            checks = {
                "hub": await self.context.hub.is_ready(),
                "sign-in": self._selfcheck.is_sign_in_ok,
                **self._apps.readiness(),
            }
        ready = all(checks.values())
        self.set_status(200 if ready else 503)
        self.write_json(
            {
                "status": "ok" if ready else "not ready",
                "checks": {name: "ok" if up else "not ready" for name, up in checks.items()},
            }
        )


class MetricsHandler(APIHandler):
    """GET metrics: Prometheus' text format, for the scope ``read:metrics``."""

    metrics_name = "MetricsHandler"
    operation_ids = {"get": "get_metrics"}

    quiet = True

    @responds_with(str, media_type=CONTENT_TYPE_LATEST)
    @needs_scopes("read:metrics")
    def get(self) -> None:
        """All metrics, in Prometheus' text format."""
        self.set_header("Content-Type", CONTENT_TYPE_LATEST)
        self.write(self.context.metrics.exposition())


class PublicMetricsHandler(MetricsHandler):
    """The same without authentication, if ``authenticate_prometheus`` is off."""

    metrics_name = "MetricsHandler"
    operation_ids = {"get": "get_metrics"}

    @responds_with(str, media_type=CONTENT_TYPE_LATEST)
    @allow_unauthenticated
    def get(self) -> None:
        """All metrics, in Prometheus' text format."""
        super().get()
