from __future__ import annotations

from datetime import date

from tests.support.activity.small_hub import at, history, running, session
from tornado_service.activity.figures.person import OwnSession, own_use

FIRST, LAST = date(2026, 3, 2), date(2026, 3, 3)
START = at("2026-03-02 00:00")
NOW = at("2026-03-03 12:00")
HOUR = 3600


def test_own_usage_has_nothing_of_other_users() -> None:
    data = history(
        "UTC",
        [(START, NOW)],
        [
            session(1, START - HOUR, START + HOUR),
            session(1, START + 9 * HOUR, START + 11 * HOUR, "gpu"),
            running(1, NOW - HOUR, NOW),
            session(2, START, NOW),
        ],
    )

    own = own_use(data.restricted({1}), FIRST, LAST)

    assert own.sessions == (
        OwnSession("", NOW - HOUR, None, HOUR),
        OwnSession("gpu", START + 9 * HOUR, START + 11 * HOUR, 2 * HOUR),
        OwnSession("", START - HOUR, START + HOUR, 2 * HOUR),
    )
    assert own.longest in own.sessions[1:]
    assert [day.server_seconds for day in own.days] == [3 * HOUR, HOUR]
    assert own.whole.active_users == 1
    assert own.whole.peak_servers == 1
    assert own.lengths is not None
    assert (own.lengths.finished, own.lengths.running) == (1, 1)
    assert own.hours == (0.5, *[0.0] * 8, 0.5, 0.5, 0.5, *[0.0] * 12)


def test_a_user_without_activity_has_an_empty_page() -> None:
    own = own_use(history("UTC", [(START, NOW)]).restricted({1}), FIRST, LAST)

    assert own.sessions == ()
    assert own.longest is None
    assert own.whole.server_seconds == 0
