"""The base of all pages."""

from __future__ import annotations

import asyncio
from functools import cached_property
from typing import Any

from ... import PageHandler
from ..access.queries import Range
from ..access.view import View, ViewHandler
from ..access.visibility import VisibleUsers, cached_visible_users
from ..recorder import NoHistory
from . import formatting
from .csv_export import WEEKDAYS
from .links import PageQuery, build_url, presets

#: Scripts of the charts, in the order in which they are loaded.
CHARTS = ("d3/d3.min.js", "plot/plot.umd.min.js", "charts.js", "charts_keyboard.js")

#: The style that Observable Plot gives each of its charts, which is always the same.
PLOT_STYLE = "'sha256-jSYQUrW7J0b3jPqhZP9C2Xh1PyJKHKXd4s0fpGGKrww='"


class ActivityPage(ViewHandler, PageHandler):
    """A page of Activity, about the users whom the hub lists to the visitor."""

    model: type[Range] = Range  # its query parameters
    tab = ""  # its name in the app's menu

    _view: View | None = None

    async def view(self) -> View:
        self._view = await super().view()
        return self._view

    @cached_property
    def page_query(self) -> PageQuery:
        return PageQuery(self.model, self.request.query_arguments)

    def link(self, *path: str, **query: Any) -> str:
        return build_url(self.app.prefix, path, {**self.page_query.link_params, **query})

    def template_namespace(self) -> dict[str, Any]:
        """Add the names of the navigation, which error pages have as well."""
        return {
            **super().template_namespace(),
            "visible": self.visible,
            "link": self.link,
            "tab": self.tab,
            "has_history": self.recorder.has_history,
        }

    @property
    def visible(self) -> VisibleUsers | None:
        return self._view.visible if self._view else cached_visible_users(self)

    async def show(self, template: str, **names: Any) -> None:
        await asyncio.to_thread(self._show, template, names)  # long tables take long

    def _show(self, template: str, names: dict[str, Any]) -> None:
        view, page_query = self._view, self.page_query
        assert view is not None  # noqa: S101 - `show` comes after `view`
        first, last = page_query.query.days(view.today)
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
                "zone": self.recorder.zone,
                "reason": self.recorder.store.condition.reason,
                "is_synthetic": self.app.is_synthetic,
                "charts": [],
                **names,
            },
        )

    async def show_charts(self, template: str, **names: Any) -> None:
        """Render a template that has charts, and allow the style of what draws them."""
        url = self.template_namespace()["app_static_url"]
        try:
            scripts = [url(name) for name in CHARTS]
        except KeyError:  # the single file leaves them out: then there are the tables
            scripts = []
        if scripts:
            policy = self.settings["page_headers"]["Content-Security-Policy"]
            allowed = policy.replace("style-src ", f"style-src {PLOT_STYLE} ")
            self.set_header("Content-Security-Policy", allowed)
        await self.show(template, charts=scripts, **names)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Respond with a page of its own if there is no history, or not yet."""
        error = kwargs.get("exc_info", (None, None, None))[1]
        if not isinstance(error, NoHistory) or not self.accepts_html() or self._view is None:
            super().write_error(status_code, **kwargs)
            return
        self.set_error_headers(status_code, **kwargs)
        self.show_no_history()
        self.finish()

    def show_no_history(self) -> None:
        self._show("no_history.html", {"is_coming": self.recorder.has_history})
