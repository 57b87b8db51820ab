"""Arrival cohorts: the example of figures.md, and what is not known."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from tests.support.activity import small_hub
from tests.support.activity.documentation import table
from tests.support.activity.small_hub import SmallHub, at, small_hubs
from tornado_service.activity.domain.records import FAR_FUTURE, Account, Interval, Session
from tornado_service.activity.figures.cohorts import WEEKS, Cohort, ReturnWeek, cohorts
from tornado_service.activity.figures.users import people_counts
from tornado_service.activity.history.history import History

ZONE = "Europe/Berlin"
DAY = 86400
START, NOW = at("2026-03-02 00:00", ZONE), at("2026-05-24 00:00", ZONE)
GAP = (at("2026-04-06 00:00", ZONE), at("2026-04-13 00:00", ZONE))


def noon(day: str) -> int:
    return at(f"{day} 12:00", ZONE)


def on(day: str, *users: int) -> list[Session]:
    """An hour of each of these users on a day."""
    return [small_hub.session(user, noon(day), noon(day) + 3600) for user in users]


def example() -> History:
    people, sessions = [], []
    for id_, row in enumerate(table("who", "arrived", "active on"), 1):
        arrived = noon(row["arrived"]) - 3600 if row["arrived"] else START
        people.append(Account(id_, row["who"], arrived))
        for day in row["active on"].split(", "):
            sessions += on(day, id_)
    return small_hub.history(ZONE, [(START, GAP[0]), (GAP[1], NOW)], sessions, people=people)


def text(week: ReturnWeek) -> str:
    if week.returned is None:
        return "unknown"
    return f"at least {week.returned}" if week.share < 1 else str(week.returned)


def test_the_worked_example() -> None:
    rows = table("from", "to", "arrived", *(f"week {week}" for week in WEEKS))

    assert len(rows) == 5
    for row in rows:
        first = date.fromisoformat(row["from"])
        [cohort] = cohorts(example(), first, first, "weeks")
        assert row == {
            "from": str(cohort.first),
            "to": str(cohort.last),
            "arrived": "unknown" if cohort.arrived is None else str(cohort.arrived),
            **{f"week {week.week}": text(week) for week in cohort.weeks},
        }


def test_a_month_is_known_when_the_week_of_its_last_day_is_over() -> None:
    [march] = cohorts(example(), date(2026, 3, 31), date(2026, 3, 31), "months")

    assert (march.first, march.last, march.arrived) == (date(2026, 3, 1), date(2026, 3, 31), 3)
    # 8 weeks after 31 March begin on 26 May
    known = [text(week) for week in march.weeks]
    assert known == ["at least 2", "at least 0", "at least 1", "unknown"]
    assert [week.is_over for week in march.weeks] == [True, True, True, False]


def test_a_week_is_known_from_the_moment_on_at_which_it_is_over() -> None:
    def week_1(now: int) -> ReturnWeek:
        data = small_hub.history(
            ZONE, [(START, now)], on("2026-03-11", 1), people=[Account(1, "a", START + DAY)]
        )
        return cohorts(data, date(2026, 3, 2), date(2026, 3, 2), "weeks")[0].weeks[0]

    end = at("2026-03-22 00:00", ZONE)
    assert week_1(end) == ReturnWeek(1, 1.0, is_over=True, returned=1)
    assert week_1(end - 1).returned is None


def test_the_week_of_a_user_begins_and_ends_with_days_of_their_time_zone() -> None:
    arrived = at("2026-03-03 23:59", ZONE)  # a minute later it is Wednesday
    for moment, is_back in {
        at("2026-03-09 23:30", ZONE): False,
        at("2026-03-10 00:00", ZONE): True,
        at("2026-03-16 23:00", ZONE): True,
        at("2026-03-17 00:00", ZONE): False,
    }.items():
        session = small_hub.session(1, moment, moment + 60)
        data = small_hub.history(ZONE, [(START, NOW)], [session], people=[Account(1, "a", arrived)])
        [cohort] = cohorts(data, date(2026, 3, 3), date(2026, 3, 3), "weeks")
        assert (cohort.arrived, cohort.weeks[0].returned) == (1, int(is_back))


def test_without_a_full_sample_nothing_is_known() -> None:
    data = History(ZoneInfo(ZONE)).updated(
        now=NOW,
        people=[Account(1, "a", START + DAY)],
        coverage=[Interval(START, NOW)],
        observed_from=START,
        listed_from=FAR_FUTURE,
        sessions=on("2026-03-11", 1),
    )

    [cohort] = cohorts(data, date(2026, 3, 2), date(2026, 3, 8), "weeks")
    assert (cohort.arrived, {week.returned for week in cohort.weeks}) == (None, {None})


def test_before_the_history_and_without_one_nothing_is_known() -> None:
    for data in (example(), small_hub.history(ZONE, [])):
        [cohort] = cohorts(data, date(2025, 3, 3), date(2025, 3, 3), "weeks")
        assert cohort == Cohort(
            date(2025, 3, 3), date(2025, 3, 9), 0.0, cohort.is_over, None, cohort.weeks
        )
        assert {week.returned for week in cohort.weeks} == {None}


def test_cohorts_of_a_view_are_those_of_its_users() -> None:
    [cohort] = cohorts(example().restricted({2}), date(2026, 3, 2), date(2026, 3, 2), "weeks")

    assert cohort.arrived == 1
    assert [text(week) for week in cohort.weeks] == ["1", "0", "at least 0", "1"]


@given(small_hubs(reach=20), st.sampled_from(["weeks", "months"]))
def test_a_cohort_is_made_of_the_new_users(hub: SmallHub, unit: str) -> None:
    data = hub.history()
    for cohort in cohorts(data, hub.first, hub.last, unit):
        assert cohort.arrived == people_counts(data, cohort.first, cohort.last).new
        for week in cohort.weeks:
            assert week.returned is None or week.returned <= (cohort.arrived or 0)
