"""What all pages of Activity share."""

from __future__ import annotations

import asyncio
from functools import cached_property
from typing import Any

from ... import PageHandler
from ..access.queries import Range
from ..access.view import NoHistory, View, view_for
from ..access.visibility import VisibleUsers, cached_visible_users
from ..app import Activity
from . import formatting
from .csv_export import WEEKDAYS
from .links import PageQuery, build_url, presets

#: What draws the charts, in the order in which it is loaded.
CHARTS = ("d3/d3.min.js", "plot/plot.umd.min.js", "charts.js")

#: The style that Observable Plot gives each of its charts, which is always the same.
PLOT_STYLE = "'sha256-jSYQUrW7J0b3jPqhZP9C2Xh1PyJKHKXd4s0fpGGKrww='"


class ActivityPage(PageHandler):
    """A page of Activity, about the people whom the hub shows to the visitor.

    Attributes:
        model: what its address may ask for.
        tab: its name in the app's menu.
    """

    app: Activity
    model: type[Range] = Range
    tab = ""

    _view: View | None = None

    async def view(self) -> View:
        """The visitor's view.

        Raises:
            HubUnavailable: the hub does not say whom they may see.
        """
        self._view = await view_for(self)
        return self._view

    @cached_property
    def page_query(self) -> PageQuery:
        """What the address asks for."""
        return PageQuery(self.model, self.request.query_arguments)

    def link(self, *path: str, **query: Any) -> str:
        """The address of another page of this app, about the same days."""
        return build_url(self.app.prefix, path, {**self.page_query.link_params, **query})

    def template_namespace(self) -> dict[str, Any]:
        """The names of every page, and those of the navigation: error pages have it, too."""
        return {
            **super().template_namespace(),
            "visible": self._visible(),
            "link": self.link,
            "tab": self.tab,
            "has_history": self.app.has_history,
        }

    def _visible(self) -> VisibleUsers | None:
        return self._view.visible if self._view else cached_visible_users(self)

    async def show(self, template: str, **names: Any) -> None:
        """Answer with a template, which has the figures in ``names`` and what all pages need."""
        await asyncio.to_thread(self._show, template, names)  # long tables take long

    def _show(self, template: str, names: dict[str, Any]) -> None:
        view = self._view
        assert view is not None  # noqa: S101 - nothing is shown before it is known to whom
        page_query = self.page_query
        first, last = page_query.days(view.today)
        self.write_page(
            template,
            **{
                "formatting": formatting,
                "weekdays": WEEKDAYS,
                "page_query": page_query,
                "first": first,
                "last": last,
                "today": view.today,
                "presets": presets(view.today),
                "zone": self.app.zone,
                "reason": self.app.store.condition.reason,
                "is_synthetic": self.app.is_synthetic,
                "charts": [],
                **names,
            },
        )

    async def show_charts(self, template: str, **names: Any) -> None:
        """Answer with a template that has charts, and allow what draws them its style."""
        scripts = self._chart_scripts()
        if scripts:
            policy = self.settings["page_headers"]["Content-Security-Policy"]
            allowed = policy.replace("style-src ", f"style-src {PLOT_STYLE} ")
            self.set_header("Content-Security-Policy", allowed)
        await self.show(template, charts=scripts, **names)

    def _chart_scripts(self) -> list[str]:
        url = self.template_namespace()["app_static_url"]
        try:
            return [url(name) for name in CHARTS]
        except KeyError:  # the single file leaves them out: then there are the tables
            return []

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """A page of its own for a history that is not there, or not yet."""
        error = kwargs.get("exc_info", (None, None, None))[1]
        if not isinstance(error, NoHistory) or not self.accepts_html() or self._view is None:
            super().write_error(status_code, **kwargs)
            return
        self.set_error_headers(status_code, **kwargs)
        self.show_no_history()
        self.finish()

    def show_no_history(self) -> None:
        """Say that there is no history, or not yet; admins read why."""
        self._show("no_history.html", {"is_coming": self.app.has_history})
