"""The example of ``docs/reference/figures.md`` as a history."""

from __future__ import annotations

from datetime import date

from tests.support.activity import small_hub
from tests.support.activity.documentation import table
from tests.support.activity.small_hub import at
from tornado_service.activity.domain.idle import ObservedTimes
from tornado_service.activity.domain.records import Account, Interval, Visit
from tornado_service.activity.history.history import History

ZONE = "Europe/Berlin"
NAMES = {"ada": 1, "bob": 2, "cy": 3, "dee": 4}
MONDAY, SUNDAY = date(2026, 3, 2), date(2026, 3, 8)
START = at("2026-03-02 00:00", ZONE)
NOW = at("2026-03-08 18:00", ZONE)
#: What is no name of a profile.
PROFILES = {"no profile": "", "unknown": None}


def observed_times() -> list[ObservedTimes]:
    """What is known of idle time in the example."""

    def interval(text: str) -> list[Interval]:
        return [Interval(*(at(end, ZONE) for end in text.split(" to ")))] if text else []

    return [
        ObservedTimes(NAMES[row["who"]], interval(row["known"]), interval(row["idle"]))
        for row in table("who", "server", "known", "idle")
    ]


def known(value: float | int | None, form: str = "{:g}") -> str:
    return "unknown" if value is None else form.format(value)


def hours(seconds: float | int | None) -> float | None:
    return None if seconds is None else seconds / 3600


def worked_example() -> History:
    sessions = []
    profiles = {
        (row["who"], row["server"]): PROFILES.get(row["profile"], row["profile"])
        for row in table("who", "server", "profile")
    }
    for row in table("who", "server", "began", "ended"):
        user, start = NAMES[row["who"]], at(row["began"], ZONE)
        if row["ended"] == "running":
            sessions.append(small_hub.running(user, start, NOW, row["server"]))
        else:
            sessions.append(small_hub.session(user, start, at(row["ended"], ZONE), row["server"]))
    people = {number: name for name, number in NAMES.items()}
    sessions = [
        session._replace(profile=profiles[people[session.user], session.server])
        for session in sessions
    ]
    visit = at("2026-03-03 12:30", ZONE)
    return small_hub.history(
        ZONE,
        [(START, at("2026-03-04 12:00", ZONE)), (at("2026-03-06 00:00", ZONE), NOW)],
        sessions,
        people=[
            Account(id_, name, visit if name == "dee" else START) for name, id_ in NAMES.items()
        ],
        visits=[Visit(NAMES["dee"], visit // 3600)],
        observed=observed_times(),
    )
