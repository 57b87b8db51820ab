"""Metrics of the process for Prometheus."""

from __future__ import annotations

import platform
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, TypeVar, cast

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    PlatformCollector,
    ProcessCollector,
)
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics import MetricWrapperBase

from .._version import __version__

if TYPE_CHECKING:
    from prometheus_client.registry import Collector
    from tornado.web import RequestHandler

    from ..database.outage import OutageTracker

Metric = TypeVar("Metric", bound=MetricWrapperBase)

#: Other methods are counted as "OTHER", so that clients cannot add labels.
METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

#: Upper bounds of the latency buckets, in seconds.
BUCKETS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class AppRegistry(CollectorRegistry):
    """The metrics that one app has registered, exposed with all others.

    Args:
        shared: the registry of the service.
        app: the app's name.
        common: the metrics that several apps have in common, by name.
    """

    def __init__(
        self, shared: CollectorRegistry, app: str, common: dict[str, MetricWrapperBase]
    ) -> None:
        super().__init__()
        self._shared = shared
        self._app = app
        self._common = common
        self._collectors: list[Collector] = []
        self._labelled: list[MetricWrapperBase] = []

    def register(self, collector: Collector) -> None:
        self._shared.register(collector)
        super().register(collector)
        self._collectors.append(collector)

    def unregister(self, collector: Collector) -> None:
        self._shared.unregister(collector)
        super().unregister(collector)
        self._collectors.remove(collector)

    def shared(self, kind: type[Metric], name: str, documentation: str) -> Metric:
        """A metric that several apps have in common, such as those of one class.

        Args:
            kind: ``Gauge``, ``Counter`` or ``Histogram``.
            name: the same in all of these apps.
            documentation: its help text.

        Returns:
            The metric of this app, whose label ``app`` is the app's name. It is removed with the
            others if the app's ``start`` fails.
        """
        metric = self._common.get(name)
        if metric is None:
            metric = self._common[name] = kind(name, documentation, ["app"], registry=self._shared)
        self._labelled.append(metric)
        return cast("Metric", metric.labels(self._app))

    def clear(self) -> None:
        for collector in list(self._collectors):
            self.unregister(collector)
        for metric in self._labelled:
            with suppress(KeyError):
                metric.remove(self._app)
        self._labelled.clear()


class Metrics:
    """The counters of one service, in a registry of their own.

    Labels are bounded: handlers and apps are mounted classes, methods and outcomes are
    fixed lists, statuses come from handlers.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._common: dict[str, MetricWrapperBase] = {}
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        counter = partial(Counter, registry=self.registry)
        gauge = partial(Gauge, registry=self.registry)
        histogram = partial(Histogram, buckets=BUCKETS, registry=self.registry)
        self.requests = counter(
            "tornado_service_requests", "Requests.", ["handler", "method", "status"]
        )
        self.latency = histogram(
            "tornado_service_request_duration_seconds",
            "Time from a request to its response.",
            ["handler"],
        )
        self.hub_calls = counter(
            "tornado_service_hub_calls",
            "Calls of the Hub API, by outcome.",
            ["outcome"],
        )
        self.hub_latency = histogram(
            "tornado_service_hub_call_duration_seconds",
            "Time that calls of the Hub API took.",
        )
        self.hub_retries = counter(
            "tornado_service_hub_retries",
            "Repeated calls of the Hub API, after a transient failure.",
        )
        self.identities = counter(
            "tornado_service_identities_asked",
            "Users and clients that were not in the cache, or expired there, by outcome.",
            ["outcome"],
        )
        self.loop_blocked = counter(
            "tornado_service_loop_held",
            "Times that code blocked the event loop, by app.",
            ["app"],
        )
        self._cached_identities = gauge(
            "tornado_service_identities", "Cached users and clients.", ["kind"]
        )
        self._breaker = gauge(
            "tornado_service_hub_breaker_open",
            "1 while the circuit breaker of the Hub API is open.",
        )
        self._streams = gauge(
            "tornado_service_streams", "Open event streams and WebSockets.", ["kind"]
        )
        self.streams_dropped = counter(
            "tornado_service_streams_dropped",
            "Event streams and WebSockets closed because their reader was too slow.",
            ["kind"],
        )
        self.events_sent = counter(
            "tornado_service_events_sent",
            "Events sent to streams, counted once for each reader.",
        )
        self.periodic_runs = counter(
            "tornado_service_periodic_runs",
            "Runs of periodic methods of apps, by outcome.",
            ["work", "outcome"],
        )
        self._apps = gauge("tornado_service_apps", "Apps, by state.", ["state"])
        self._databases_unavailable = gauge(
            "tornado_service_database_unavailable",
            "1 while the database of an app cannot be used.",
            ["app", "setting"],
        )
        self._database_failures = counter(
            "tornado_service_database_failures",
            "Transactions that failed because the database of an app could not be used.",
            ["app", "setting"],
        )
        info = gauge(
            "tornado_service_info",
            "Always 1; the labels have the versions.",
            ["version", "python_version"],
        )
        info.labels(__version__, platform.python_version()).set(1)

    def observe(self, handler: RequestHandler, status: int, seconds: float) -> None:
        method = handler.request.method if handler.request.method in METHODS else "OTHER"
        name = getattr(handler, "metrics_name", type(handler).__name__)
        self.requests.labels(name, method, str(status)).inc()
        # a stream lasts for hours by design
        if getattr(handler, "stream_kind", None) != "events":
            self.latency.labels(name).observe(seconds)

    def show_identities(self, **sizes: Callable[[], float]) -> None:
        for kind, size in sizes.items():
            self._cached_identities.labels(kind).set_function(size)

    def show_streams(self, kind: str, number: Callable[[], float]) -> None:
        self._streams.labels(kind).set_function(number)
        self.streams_dropped.labels(kind)  # exposes 0, too

    def show_breaker(self, is_open: Callable[[], float]) -> None:
        self._breaker.set_function(is_open)

    def make_app_registry(self, app: str) -> AppRegistry:
        return AppRegistry(self.registry, app, self._common)

    def show_apps(self, state: str, number: Callable[[], float]) -> None:
        self._apps.labels(state).set_function(number)

    def show_database(self, app: str, setting: str, outages: OutageTracker) -> None:
        """Expose whether a database of an app is available, and count its failures."""
        self._databases_unavailable.labels(app, setting).set_function(lambda: bool(outages.problem))
        outages.on_failure = self._database_failures.labels(app, setting).inc

    def observe_hub(self, outcome: str, seconds: float) -> None:
        """Count one call of the Hub's REST API.

        Args:
            outcome: ``ok``, ``refused`` (4xx), ``failed`` (no usable response in time), ``full``
                (rejected because too many calls are waiting) or ``too_large``.
            seconds: its duration.
        """
        self.hub_calls.labels(outcome).inc()
        self.hub_latency.observe(seconds)

    def exposition(self) -> bytes:
        """All metrics in Prometheus' text format."""
        return generate_latest(self.registry)
