"""What the process counts, for Prometheus."""

from __future__ import annotations

import platform
from collections.abc import Callable
from typing import TYPE_CHECKING

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
)
from prometheus_client.exposition import generate_latest

from .._version import __version__

if TYPE_CHECKING:
    from prometheus_client.registry import Collector
    from tornado.web import RequestHandler

    from ..database.outage import OutageTracker

#: Any other method is counted as "OTHER", so that a visitor cannot add labels.
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

#: Upper bounds of the latency buckets, in seconds.
BUCKETS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)

_Observer = tuple[Callable[[], None], Callable[[float], None]]


class AppRegistry(CollectorRegistry):
    """What one app has registered, shown with all the rest.

    Args:
        shared: the registry of the service, in which each name is there once.
    """

    def __init__(self, shared: CollectorRegistry) -> None:
        super().__init__()
        self._shared = shared
        self._collectors: list[Collector] = []

    def register(self, collector: Collector) -> None:
        """Add one.

        Raises:
            ValueError: its name is taken.
        """
        self._shared.register(collector)
        super().register(collector)
        self._collectors.append(collector)

    def unregister(self, collector: Collector) -> None:
        """Remove one."""
        self._shared.unregister(collector)
        super().unregister(collector)
        self._collectors.remove(collector)

    def clear(self) -> None:
        """Remove all that the app has added."""
        for collector in list(self._collectors):
            self.unregister(collector)


class Metrics:
    """The counters of one service, in a registry of their own.

    Labels are bounded: handlers and apps are classes that we mounted, methods and outcomes are
    fixed lists, statuses are those that handlers give.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self.requests = Counter(
            "tornado_service_requests",
            "Requests answered.",
            ["handler", "method", "status"],
            registry=self.registry,
        )
        self.latency = Histogram(
            "tornado_service_request_duration_seconds",
            "Time from a request's arrival to its answer.",
            ["handler"],
            buckets=BUCKETS,
            registry=self.registry,
        )
        self.hub_calls = Counter(
            "tornado_service_hub_calls",
            "Calls of the Hub's REST API, by what came of them.",
            ["outcome"],
            registry=self.registry,
        )
        self.hub_latency = Histogram(
            "tornado_service_hub_call_duration_seconds",
            "Time that calls of the Hub's REST API took.",
            buckets=BUCKETS,
            registry=self.registry,
        )
        self.hub_retries = Counter(
            "tornado_service_hub_retries",
            "Calls of the Hub's REST API that were made again, as the hub had stumbled.",
            registry=self.registry,
        )
        self.identities = Counter(
            "tornado_service_identities_asked",
            "Callers that were not in the cache, or no longer, by what the hub said of them.",
            ["outcome"],
            registry=self.registry,
        )
        self.loop_blocked = Counter(
            "tornado_service_loop_held",
            "Times that something held the event loop for too long, by the app whose code it was.",
            ["app"],
            registry=self.registry,
        )
        self._cached_identities = Gauge(
            "tornado_service_identities",
            "Callers that are remembered.",
            ["kind"],
            registry=self.registry,
        )
        self._breaker = Gauge(
            "tornado_service_hub_breaker_open",
            "1 while the hub does not answer and nobody waits for it.",
            registry=self.registry,
        )
        self._streams = Gauge(
            "tornado_service_streams",
            "Event streams and web sockets that are open.",
            ["kind"],
            registry=self.registry,
        )
        self.streams_dropped = Counter(
            "tornado_service_streams_dropped",
            "Event streams and web sockets closed because their reader was too slow.",
            ["kind"],
            registry=self.registry,
        )
        self.events_sent = Counter(
            "tornado_service_events_sent",
            "Events written to streams, each counted once for each reader.",
            registry=self.registry,
        )
        self.periodic_runs = Counter(
            "tornado_service_periodic_runs",
            "Runs of what apps do periodically, by what came of them.",
            ["work", "outcome"],
            registry=self.registry,
        )
        self._apps = Gauge(
            "tornado_service_apps",
            "Apps of the settings, by their state.",
            ["state"],
            registry=self.registry,
        )
        self._databases_unavailable = Gauge(
            "tornado_service_database_unavailable",
            "1 while the database of an app cannot be used.",
            ["app", "setting"],
            registry=self.registry,
        )
        self._database_failures = Counter(
            "tornado_service_database_failures",
            "Transactions that failed because the database of an app could not be used.",
            ["app", "setting"],
            registry=self.registry,
        )
        info = Gauge(
            "tornado_service_info",
            "Always 1; the labels say what runs.",
            ["version", "python_version"],
            registry=self.registry,
        )
        info.labels(__version__, platform.python_version()).set(1)
        self._observers: dict[tuple[type, str | None, int], _Observer] = {}

    def observe(self, handler: RequestHandler, status: int, seconds: float) -> None:
        """Count one answered request.

        Args:
            handler: its handler; the class names it.
            status: the HTTP status that it was answered with.
            seconds: how long that took.
        """
        key = (type(handler), handler.request.method, status)
        observer = self._observers.get(key)
        if observer is None:
            observer = self._observer(*key)
            if key[1] in METHODS:
                self._observers[key] = observer
        observer[0]()
        observer[1](seconds)

    def _observer(self, handler: type, method: str | None, status: int) -> _Observer:
        """Look the labels up once: that costs more than the counting."""
        known = method if method in METHODS else "OTHER"
        name = getattr(handler, "metrics_name", handler.__name__)
        # a stream lasts for hours by intention
        lasts = getattr(handler, "stream_kind", None) == "events"
        return (
            self.requests.labels(name, known, str(status)).inc,
            _ignore if lasts else self.latency.labels(name).observe,
        )

    def show_identities(self, **sizes: Callable[[], float]) -> None:
        """Show how many callers are remembered, by kind."""
        for kind, size in sizes.items():
            self._cached_identities.labels(kind).set_function(size)

    def show_streams(self, kind: str, number: Callable[[], float]) -> None:
        """Show how many streams are open, by kind."""
        self._streams.labels(kind).set_function(number)
        self.streams_dropped.labels(kind)  # 0 is shown, too

    def show_breaker(self, is_open: Callable[[], float]) -> None:
        """Show whether the circuit breaker is open."""
        self._breaker.set_function(is_open)

    def make_app_registry(self) -> AppRegistry:
        """Make a part of the registry for one app."""
        return AppRegistry(self.registry)

    def show_apps(self, state: str, number: Callable[[], float]) -> None:
        """Show how many apps are in a state."""
        self._apps.labels(state).set_function(number)

    def show_database(self, app: str, setting: str, outages: OutageTracker) -> None:
        """Show whether a database of an app can be used, and count what fails."""
        self._databases_unavailable.labels(app, setting).set_function(lambda: bool(outages.problem))
        outages.on_failure = self._database_failures.labels(app, setting).inc

    def observe_hub(self, outcome: str, seconds: float) -> None:
        """Count one call of the Hub's REST API.

        Args:
            outcome: ``ok``, ``refused`` (4xx), ``failed`` (no usable answer in time), ``full`` (too
                many calls are waiting; it was not made) or ``too_large``.
            seconds: how long it took.
        """
        self.hub_calls.labels(outcome).inc()
        self.hub_latency.observe(seconds)

    def exposition(self) -> bytes:
        """All of it in Prometheus' text format."""
        return generate_latest(self.registry)


def _ignore(seconds: float) -> None:
    """Observe nothing."""
