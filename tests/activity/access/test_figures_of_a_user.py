from __future__ import annotations

from datetime import date

from tests.support.activity.small_hub import at, history, running, session
from tornado_service.activity.access.view import of_user
from tornado_service.activity.figures.person import own_use

DAY = date(2026, 3, 2)


def test_a_figure_of_a_user_is_of_their_account_at_the_latest_sample() -> None:
    nine, ten = (at(f"2026-03-02 {hour}:00") for hour in ("09", "10"))
    data = history(
        "UTC", [(at("2026-03-02 00:00"), ten)], [running(1, nine, ten), session(2, nine, ten)]
    )

    def hours(name: str) -> list[float]:
        use = of_user(data, DAY, DAY, name, own_use)
        assert use is not None
        return [one.seconds / 3600 for one in use.sessions]

    assert [hours(name) for name in ("user-1", "user-2", "user-1")] == [[1.0], [1.0], [1.0]]
    assert of_user(data, DAY, DAY, "eve", own_use) is None
    data = data.updated(
        now=ten + 3600,
        people=data.people.values(),
        coverage=[*data.coverage],
        observed_from=data.observed_from,
        sessions=[running(1, nine, ten + 3600)],
    )
    assert [hours(name) for name in ("user-1", "user-2")] == [[2.0], [1.0]]
