"""Metrics of web apps for Prometheus, with the label ``app``."""

from __future__ import annotations

from collections.abc import Callable

from prometheus_client import Counter, Gauge

from ... import ServiceApp


def show(
    app: ServiceApp, is_up: Callable[[], float], uses: Callable[[], float]
) -> Callable[[], None]:
    """Add the metrics of one web app.

    Args:
        app: the web app.
        is_up: returns whether the app takes requests.
        uses: returns the number of current requests and WebSockets.

    Returns:
        A function that counts a restart.
    """
    app.registry.shared(
        Gauge, "tornado_service_web_app_up", "1 while the web app takes requests."
    ).set_function(is_up)
    app.registry.shared(
        Gauge, "tornado_service_web_app_open", "Current requests and WebSockets of the web app."
    ).set_function(uses)
    restarts = app.registry.shared(
        Counter,
        "tornado_service_web_app_restarts",
        "Restarts of the web app's process after a failure.",
    )
    return restarts.inc
