"""The main figures for Prometheus."""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from math import nan

from prometheus_client import CollectorRegistry, Gauge

from .domain.calendar import local_date
from .figures.availability import availability
from .recorder import Recorder

#: Days, today among them, for which active users are counted.
WINDOWS = (1, 7, 30)


def show(recorder: Recorder, registry: CollectorRegistry) -> None:
    """Add the metrics to a registry.

    NaN: not known, or not yet. Of several replicas, only the one that collects has values, so that
    their sum is right.
    """
    Gauge(
        "tornado_service_activity_running_servers",
        "Servers in the latest sample.",
        registry=registry,
    ).set_function(lambda: running_servers(recorder))
    Gauge(
        "tornado_service_activity_last_sample_timestamp_seconds",
        "Time of the latest sample, by the hub's clock.",
        registry=registry,
    ).set_function(lambda: last_sample(recorder))
    Gauge(
        "tornado_service_activity_users",
        "Users of the hub.",
        registry=registry,
    ).set_function(lambda: known_users(recorder))
    active = Gauge(
        "tornado_service_activity_active_users",
        "Active users in the last days, including today.",
        ["days"],
        registry=registry,
    )
    for days in WINDOWS:
        active.labels(str(days)).set_function(partial(active_users, recorder, days))


def running_servers(recorder: Recorder) -> float:
    sample = recorder.collector.latest
    if not sample or not recorder.collects:
        return nan
    return sum(len(user.servers) for user in sample.users)


def last_sample(recorder: Recorder) -> float:
    sample = recorder.collector.latest
    return sample.taken if sample and recorder.collects else nan


def known_users(recorder: Recorder) -> float:
    history = recorder.archive.history
    if not history.is_listed or not recorder.collects:
        return nan
    return sum(account.deleted is None for account in history.people.values())


def active_users(recorder: Recorder, days: int) -> float:
    """Count active users up to the latest sample; a lower bound where data is missing."""
    if not recorder.collects:
        return nan
    history = recorder.archive.history
    last = local_date(history.now, history.zone)
    first = last - timedelta(days=days - 1)
    has_data = availability(history, first, last).usage
    return history.active(first, last).bit_count() if has_data else nan
