"""What is computed after the history was loaded, before a request waits for it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from tests.support.activity.small_hub import at, history, session
from tornado_service.activity.domain.prices import Prices
from tornado_service.activity.figures import user_costs, users
from tornado_service.activity.figures.users import costs_of, user_totals
from tornado_service.activity.history import server_days
from tornado_service.activity.history.history import History
from tornado_service.activity.history.server_days import finished_server_days
from tornado_service.activity.preparation import prepare

LAST = date(2026, 3, 2)
MONTHS = date(2026, 1, 1), date(2026, 2, 28)


@pytest.fixture
def data() -> History:
    return replace(
        history(
            "UTC",
            [(at("2026-01-01 00:00"), at("2026-03-02 12:00"))],
            [
                session(1, at("2026-01-10 09:00"), at("2026-01-10 11:00"))._replace(profile="gpu"),
                session(2, at("2026-02-10 09:00"), at("2026-02-10 12:00"))._replace(profile=""),
            ],
        ),
        prices=Prices("EUR", 0.5, "profile", {"gpu": 2.0}),
    )


def test_months_that_are_over_are_not_summed_again_for_a_request(
    data: History, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = costs_of(data, *MONTHS, user_totals(data, *MONTHS))
    fresh = replace(data, derived_cache=type(data.derived_cache)())
    prepare(fresh, LAST)

    def compute(*_: Any) -> Any:
        raise AssertionError("It is computed again.")

    monkeypatch.setattr(users, "_sums", compute)
    monkeypatch.setattr(user_costs, "_finished", compute)
    monkeypatch.setattr(server_days, "_rows_of_week", compute)

    assert costs_of(fresh, *MONTHS, user_totals(fresh, *MONTHS)) == expected == {1: 4.0, 2: 1.5}
    assert len(list(finished_server_days(fresh, *MONTHS))) == 2


def test_an_empty_history_needs_nothing() -> None:
    prepare(history("UTC", [], []), LAST)
