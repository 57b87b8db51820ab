"""Metrics of apps: their own, and those that several apps have in common."""

from __future__ import annotations

import pytest
from prometheus_client import Counter, Gauge

from tornado_service.telemetry.metrics import Metrics


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


def test_several_apps_have_a_metric_in_common(metrics: Metrics) -> None:
    for app, value in (("sales", 1), ("wiki", 2)):
        metrics.make_app_registry(app).shared(Gauge, "app_up", "Up.").set(value)

    text = metrics.exposition().decode()

    assert text.count("# HELP app_up ") == 1
    assert 'app_up{app="sales"} 1.0' in text
    assert 'app_up{app="wiki"} 2.0' in text


def test_an_app_s_share_is_removed_with_its_other_metrics(metrics: Metrics) -> None:
    sales, wiki = (metrics.make_app_registry(app) for app in ("sales", "wiki"))
    for registry in (sales, wiki):
        registry.shared(Counter, "app_restarts", "Restarts.").inc()
    Gauge("sales_total", "Its own.", registry=sales)

    sales.clear()
    text = metrics.exposition().decode()

    assert "sales" not in text
    assert 'app_restarts_total{app="wiki"} 1.0' in text


def test_a_new_instance_of_an_app_begins_at_zero(metrics: Metrics) -> None:
    """As after a failed start, which is repeated with a new instance."""
    first = metrics.make_app_registry("sales")
    first.shared(Counter, "app_restarts", "Restarts.").inc()
    first.clear()
    first.clear()

    metrics.make_app_registry("sales").shared(Counter, "app_restarts", "Restarts.")

    assert 'app_restarts_total{app="sales"} 0.0' in metrics.exposition().decode()
