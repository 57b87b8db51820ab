"""The main figures for Prometheus."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from math import nan
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Gauge

from .domain.calendar import local_date
from .figures.availability import availability

if TYPE_CHECKING:
    from .app import Activity

#: Days, today among them, for which active users are counted.
WINDOWS = (1, 7, 30)


def register(app: Activity, registry: CollectorRegistry) -> None:
    """Add them to a registry. NaN: it is not known, or not yet."""
    running = Gauge(
        "tornado_service_activity_running_servers",
        "Servers that ran at the last look at the hub.",
        registry=registry,
    )
    running.set_function(lambda: running_servers(app))
    looked = Gauge(
        "tornado_service_activity_last_sample_timestamp_seconds",
        "When the hub was last looked at, by its own clock.",
        registry=registry,
    )
    looked.set_function(lambda: app.collector.latest.taken if app.collector.latest else nan)
    users = Gauge(
        "tornado_service_activity_users",
        "Users whom the hub has.",
        registry=registry,
    )
    users.set_function(lambda: known_users(app))
    active = Gauge(
        "tornado_service_activity_active_users",
        "Users who were active in so many days, today among them.",
        ["days"],
        registry=registry,
    )
    for days in WINDOWS:
        active.labels(str(days)).set_function(partial(active_users, app, days))


def running_servers(app: Activity) -> float:
    """In the latest sample."""
    sample = app.collector.latest
    return sum(len(user.servers) for user in sample.users) if sample else nan


def known_users(app: Activity) -> float:
    """Those who are not deleted."""
    history = app.archive.history
    if not history.is_listed:
        return nan
    return sum(person.deleted is None for person in history.people.values())


def active_users(app: Activity, days: int) -> float:
    """In the days up to the latest sample; at least so many, where data is missing."""
    history = app.archive.history
    last = local_date(history.now, history.zone)
    first = last - timedelta(days=days - 1)
    is_known = availability(history, first, last).usage
    return history.active(first, last).bit_count() if is_known else nan
