"""The base of all pages."""

from __future__ import annotations

import asyncio
from datetime import date
from functools import cached_property, partial
from typing import Any
from urllib.parse import parse_qsl, urlencode

from ... import PageHandler
from ..access.queries import DateRange, GroupFilter, Range
from ..access.view import View, ViewHandler
from ..access.visibility import (
    UNAVAILABLE,
    Groups,
    VisibleUsers,
    cached_visible_users,
    get_visible_groups,
    get_visible_users,
    groups_if_available,
)
from ..domain.calendar import local_date
from ..recorder import NoHistory
from . import formatting
from .csv_export import WEEKDAYS
from .display.changes import change_notes, comparability
from .display.colour_steps import colour_scale
from .display.presets import presets
from .links import PageQuery, build_url

#: Scripts of the charts, in the order in which they are loaded.
CHARTS = (
    "d3/d3.min.js", "plot/plot.umd.min.js", "chart_marks.js", "charts.js", "charts_keyboard.js",
)  # fmt: skip

#: Seconds for which a page without a group filter waits for the groups to choose from.
MAX_WAIT_FOR_GROUPS = 3.0

#: The style that Observable Plot gives each of its charts, which is always the same.
PLOT_STYLE = "'sha256-jSYQUrW7J0b3jPqhZP9C2Xh1PyJKHKXd4s0fpGGKrww='"


class ActivityPage(ViewHandler, PageHandler):
    """A page of Activity, about the users whom the hub lists to the visitor."""

    model: type[DateRange] = Range  # its query parameters
    tab = ""  # its name in the app's menu
    has_group_form = True  # whether a group can be chosen on it
    #: the groups that the hub shows to the visitor, when the view has been made
    groups = Groups()

    _view: View | None = None

    async def view(self, query: GroupFilter | None = None) -> View:
        """The view of the page's query; groups that are not there are reported in words."""
        visible = await get_visible_users(self)
        page_query = self.page_query
        names = getattr(page_query.query, "group", [])
        if names:
            self.groups = await get_visible_groups(self)
        elif visible.has_others:
            self.groups = await self._groups_soon()
        if unknown := [name for name in names if name not in self.groups.names]:
            page_query.ignore_groups(unknown, self.groups.missing)
        chosen = page_query.query.group if names else []
        self._view = View(self.recorder, visible, self.groups.only(chosen) if chosen else None)
        return self._view

    async def _groups_soon(self) -> Groups:
        """The groups to choose from; a page does not wait long for them, the next one has them."""
        try:
            return await asyncio.wait_for(groups_if_available(self), MAX_WAIT_FOR_GROUPS)
        except asyncio.TimeoutError:
            return Groups(missing=UNAVAILABLE)

    @cached_property
    def page_query(self) -> PageQuery:
        return PageQuery(self.model, self.request.query_arguments)

    @property
    def group_names(self) -> list[str]:
        """The groups that the page is about, which links to other pages keep."""
        return list(getattr(self.page_query.query, "group", ()))

    def link(self, *path: str, **query: Any) -> str:
        kept = {**self.page_query.period_params, "group": self.group_names}
        return build_url(self.app.prefix, path, {**kept, **query})

    def group_link(self, name: str, *path: str) -> str:
        """The page of a group, or one below it: it is about this group, whatever the filter."""
        url = self.link("groups", name, *path, group="")
        if name == "compare" and not path:  # the address of the comparison
            url = url.replace("groups/compare", "groups/%63ompare")
        return url

    def without_group(self, name: str) -> str:
        """This page without a group in its filter."""
        pairs = [
            pair
            for pair in parse_qsl(self.request.query)
            if pair != ("group", name) and pair[0] != "page"
        ]
        return self.request.path + (f"?{urlencode(pairs)}" if pairs else "")

    def template_namespace(self) -> dict[str, Any]:
        """Add the names of the navigation, which error pages have as well."""
        return {
            **super().template_namespace(),
            "visible": self.visible,
            "link": self.link,
            "group_link": self.group_link,
            "tab": self.tab,
            "has_history": self.recorder.has_history,
        }

    @property
    def visible(self) -> VisibleUsers | None:
        return self._view.visible if self._view else cached_visible_users(self)

    async def show(self, template: str, **names: Any) -> None:
        await asyncio.to_thread(self._show, template, names)  # long tables take long

    def _show(self, template: str, names: dict[str, Any]) -> None:
        view, page_query, prices = self._view, self.page_query, self.recorder.prices
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
                "presets": presets(view.today, self.terms, self.app.parsed_year_start, self._began),
                "colour_scale": colour_scale,
                "change_notes": change_notes,
                "comparability": comparability,
                "notes_in": self.notes,
                "zone": self.recorder.zone,
                "currency": prices.currency if prices else "",
                "cost_columns": {f"Cost ({prices.currency})": ""} if prices else {},
                "money": partial(formatting.money, currency=prices.currency if prices else ""),
                "reason": self.recorder.store.condition.reason,
                "is_synthetic": self.app.is_synthetic,
                "member_count": len(view.users.names) if view.users is not view.visible else None,
                "group_names": self.group_names,
                "group_filter": getattr(page_query.query, "group", []),
                "groups": self.groups,
                "has_group_form": self.has_group_form and view.visible.has_others,
                "without_group": self.without_group,
                "charts": [],
                **names,
            },
        )

    @property
    def _began(self) -> date | None:
        """The day on which data collection began."""
        moment = self.recorder.archive.history.observed_from
        return None if moment is None else local_date(moment, self.recorder.zone)

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
