"""Hand-worked answers. Times are small numbers; a sample is taken every 300."""

from __future__ import annotations

import random
from dataclasses import dataclass, field, replace
from itertools import pairwise

from tornado_service.activity.model import Person, Sample, SeenServer, SeenUser, Session, Visit
from tornado_service.activity.sessions import Changes, Known, Run, apply, matters_from

HOUR = 3600


@dataclass
class History:
    """What is known after each sample, as the store would keep it."""

    known: Known = field(default_factory=Known)
    visits: set[Visit] = field(default_factory=set)

    def add(self, taken: int, *users: SeenUser, full: bool = True) -> Changes:
        sample = Sample(taken, full, users)
        running = {run: each for run, each in self.known.sessions.items() if each.ended is None}
        since = matters_from(self.known.people, running, sample)
        loaded = running | {
            run: each
            for run, each in self.known.sessions.items()
            if each.ended is not None and each.ended >= since
        }
        changes = apply(replace(self.known, sessions=loaded), sample)
        people = {each.id: each for each in self.known.people.values()}
        people |= {each.id: each for each in changes.people}
        known = self.known
        self.known = Known(
            {each.name: each for each in people.values()},
            {**known.sessions, **{each[:3]: each for each in changes.sessions}},
            first=taken if known.first is None else min(known.first, taken),
            latest=taken if known.latest is None else max(known.latest, taken),
            last_full=taken if full else known.last_full,
            next_user=changes.next_user,
        )
        self.visits |= changes.visits
        return changes

    @property
    def sessions(self) -> list[Session]:
        return sorted(self.known.sessions.values())

    def person(self, name: str) -> Person:
        return self.known.people[name]

    def session(self, user: int, started: int, server: str = "") -> Session:
        run: Run = (user, server, started)
        return self.known.sessions[run]


def ada(
    *started: int, last: int | None = None, created: int | None = None, name: str = "ada"
) -> SeenUser:
    """A user, with a default server if it has a start."""
    servers = tuple(SeenServer("", each) for each in started)
    return SeenUser(name, created, last, servers)


def servers(**started: int) -> SeenUser:
    named = tuple(SeenServer(name, each) for name, each in started.items())
    return SeenUser("ada", servers=named)


def test_a_server_that_runs_is_a_session_from_its_own_start_on() -> None:
    history = History()
    history.add(900, ada(130))

    assert history.sessions == [Session(1, "", 130, last_seen=900)]
    assert history.person("ada") == Person(1, "ada", first_seen=900)


def test_each_sample_moves_its_end_and_its_activity() -> None:
    history = History()
    history.add(900, SeenUser("ada", servers=(SeenServer("", 130, last_activity=700),)))
    history.add(1200, SeenUser("ada", servers=(SeenServer("", 130, last_activity=1100),)))
    history.add(1500, SeenUser("ada", servers=(SeenServer("", 130, last_activity=1000),)))

    assert history.sessions == [Session(1, "", 130, last_seen=1500, last_activity=1100)]


def test_a_session_that_is_not_listed_any_more_ended_when_it_was_seen_last() -> None:
    history = History()
    history.add(900, ada(130))
    history.add(1200, ada())

    assert history.session(1, 130).ended == 900


def test_it_ended_when_the_user_was_active_last_if_that_is_later() -> None:
    history = History()
    history.add(900, ada(130, last=850))
    history.add(1200, ada(last=1010))

    assert history.session(1, 130).ended == 1010
    assert history.visits == set()


def test_it_ended_when_it_was_seen_last_if_the_user_was_not_active_since() -> None:
    history = History()
    history.add(900, ada(130, last=400))
    history.add(1200, full=False)

    assert history.session(1, 130).ended == 900


def test_it_did_not_end_after_the_sample_that_lacks_it() -> None:
    history = History()
    history.add(900, ada(130, last=850))
    history.add(1200, ada(last=1201))

    assert history.session(1, 130).ended == 1200


def test_activity_tells_nothing_while_another_server_of_the_user_runs() -> None:
    history = History()
    history.add(900, servers(a=130, b=140))
    history.add(1200, replace(servers(b=140), last_activity=1100))

    assert history.session(1, 130, "a").ended == 900
    assert history.session(1, 140, "b").ended is None


def test_a_server_restarted_between_two_samples_makes_two_sessions() -> None:
    history = History()
    history.add(900, ada(130, last=890))
    history.add(1200, ada(1000, last=1150))

    assert history.sessions == [
        Session(1, "", 130, last_seen=900, ended=900),
        Session(1, "", 1000, last_seen=1200),
    ]


def test_a_session_never_ends_after_the_next_start_of_its_server() -> None:
    """The hub did not list the new one at first, while it was being started."""
    history = History()
    history.add(900, ada(130))
    history.add(1200, ada(last=1190))
    assert history.session(1, 130).ended == 1190

    history.add(1500, ada(1100, last=1450))

    assert history.session(1, 130).ended == 1100
    assert history.session(1, 1100).ended is None


def test_servers_of_other_names_and_users_do_not_end_it() -> None:
    history = History()
    history.add(900, servers(a=130), ada(140, name="bob"))
    history.add(1200, servers(a=130, b=1000), ada(140, name="bob"))

    assert [each.ended for each in history.sessions] == [None, None, None]


def test_a_session_that_is_listed_again_never_ended() -> None:
    history = History()
    history.add(900, ada(130))
    history.add(1200, ada())
    changes = history.add(1500, ada(130))

    assert history.sessions == [Session(1, "", 130, last_seen=1500)]
    assert changes.since == 900  # what was taken for its end


def test_a_start_in_the_future_is_a_session_of_no_length() -> None:
    history = History()
    history.add(900, ada(960))
    assert history.session(1, 960).end == 960

    history.add(950, ada())

    assert history.session(1, 960) == Session(1, "", 960, last_seen=900, ended=960)


def test_a_start_in_the_future_becomes_a_session_when_its_time_has_come() -> None:
    history = History()
    history.add(900, ada(960))
    history.add(1200, ada(960))

    assert history.session(1, 960).end == 1200


def test_activity_in_the_future_is_taken_for_the_sample() -> None:
    history = History()
    history.add(300, ada(last=200))
    history.add(3 * HOUR, ada(last=9 * HOUR))
    history.add(4 * HOUR, ada(last=9 * HOUR))

    assert history.visits == {Visit(1, 3)}


def test_the_hub_was_down_for_a_day_and_the_server_ran_on() -> None:
    history = History()
    history.add(900, ada(130))
    changes = history.add(24 * HOUR + 900, ada(130))

    assert history.session(1, 130).end == 24 * HOUR + 900
    assert changes.since == 900


def test_the_hub_was_down_for_a_day_and_the_server_is_gone() -> None:
    history = History()
    history.add(900, ada(130, last=890))
    history.add(24 * HOUR + 900, ada(last=2000))

    assert history.session(1, 130).ended == 2000


def test_the_service_was_down_for_a_day_in_which_a_server_was_started() -> None:
    history = History()
    history.add(900, ada(last=100))
    changes = history.add(24 * HOUR + 900, ada(7000, last=24 * HOUR))

    assert history.sessions == [Session(1, "", 7000, last_seen=24 * HOUR + 900)]
    assert (changes.since, history.visits) == (7000, set())


def test_the_service_was_down_for_a_day_in_which_a_server_ran_and_ended() -> None:
    """Nobody knows of the server, but that somebody was there."""
    history = History()
    history.add(900, ada(last=100))
    changes = history.add(24 * HOUR + 900, ada(last=20 * HOUR + 17))

    assert (history.sessions, history.visits) == ([], {Visit(1, 20)})
    assert changes.since == 20 * HOUR


def test_activity_in_a_session_is_no_visit() -> None:
    history = History()
    history.add(900, ada(130, last=100))
    history.add(1200, ada(130, last=1100))
    history.add(1500, ada(last=1450))
    history.add(1800, ada(last=1450))

    assert history.visits == set()


def test_activity_that_has_not_moved_is_no_visit() -> None:
    history = History()
    history.add(2 * HOUR, ada(last=100))
    history.add(3 * HOUR, ada(last=100))

    assert history.visits == set()


def test_activity_after_a_session_is_a_visit() -> None:
    history = History()
    history.add(900, ada(130, last=100))
    history.add(1200, full=False)
    history.add(HOUR + 900, ada(last=1000))

    assert history.session(1, 130).ended == 900
    assert history.visits == {Visit(1, 0)}


def test_activity_before_we_watched_is_no_visit() -> None:
    history = History()
    history.add(24 * HOUR, ada(last=100))
    history.add(25 * HOUR, ada(last=100), ada(last=200, name="bob"))

    assert history.visits == set()


def test_the_activity_of_a_new_user_is_a_visit() -> None:
    history = History()
    history.add(24 * HOUR, ada())
    history.add(25 * HOUR, ada(), ada(last=24 * HOUR + 300, name="bob"))

    assert history.visits == {Visit(2, 24)}


def test_a_user_who_is_missing_among_all_users_was_deleted() -> None:
    history = History()
    history.add(900, ada(130, last=800), ada(name="bob"))
    history.add(1200, ada(name="bob"))

    assert history.person("ada").deleted == 1200
    assert history.session(1, 130).ended == 900
    assert history.person("bob").deleted is None


def test_a_user_who_is_missing_among_active_ones_was_not() -> None:
    history = History()
    history.add(900, ada(130))
    history.add(1200, full=False)

    assert history.person("ada").deleted is None


def test_a_deleted_user_who_comes_back_is_the_same() -> None:
    history = History()
    history.add(900, ada(created=10))
    history.add(1200)
    history.add(1500, ada(created=1400))

    assert history.person("ada") == Person(1, "ada", first_seen=900, created=1400)


def test_a_renamed_user_keeps_the_session_that_runs() -> None:
    history = History()
    history.add(900, ada(130))
    history.add(1200, ada(130, name="countess"))

    assert [*history.known.people] == ["countess"]
    assert history.sessions == [Session(1, "", 130, last_seen=1200)]


def test_samples_of_the_same_second_are_told_apart_by_nothing_but_their_order() -> None:
    history = History()
    history.add(900, ada(130))
    history.add(900, ada())

    assert history.session(1, 130).ended is None


def test_a_sample_that_comes_late_ends_and_deletes_nothing() -> None:
    history = History()
    history.add(900, ada(130))
    history.add(1500, ada(130))
    before = history.sessions
    changes = history.add(1200)

    assert history.sessions == before
    assert history.person("ada").deleted is None
    assert changes.since is None


def test_a_sample_that_comes_late_moves_an_end_but_opens_nothing() -> None:
    history = History()
    history.add(900, ada(130))
    history.add(1500, ada())
    history.add(1200, ada(130))

    assert history.sessions == [Session(1, "", 130, last_seen=1200, ended=1200)]


def test_a_sample_that_comes_late_does_not_shorten_an_end() -> None:
    history = History()
    history.add(900, ada(130, last=890))
    history.add(1500, ada(last=1400))
    history.add(1200, ada(130, last=1150))

    assert history.sessions == [Session(1, "", 130, last_seen=1200, ended=1400)]


def test_a_session_that_only_a_late_sample_shows_ended_with_it() -> None:
    history = History()
    history.add(1500, ada())
    history.add(1200, ada(1000))

    assert history.sessions == [Session(1, "", 1000, last_seen=1200, ended=1200)]
    assert history.person("ada").first_seen == 1200


def test_a_session_that_only_a_late_sample_shows_ended_at_the_next_start() -> None:
    history = History()
    history.add(1500, ada(1150))
    history.add(1200, ada(1000))

    assert history.session(1, 1000).ended == 1150
    assert history.session(1, 1150).ended is None


def test_a_sample_that_comes_late_does_not_bring_a_deleted_user_back() -> None:
    history = History()
    history.add(900, ada())
    history.add(1500)
    history.add(1200, ada())

    assert history.person("ada").deleted == 1500


def test_the_same_sample_twice_changes_nothing() -> None:
    history = History()
    users = [ada(130, last=800), ada(name="bob", last=700)]
    history.add(900, *users)

    changes = history.add(900, *users)

    assert (changes.people, changes.sessions, changes.visits) == ((), (), frozenset())


def test_runs_of_a_server_never_overlap_and_none_is_longer_than_it_was() -> None:
    """A thousand samples of servers that are started and stopped at random, a few of them late."""
    dice = random.Random(7)
    starts = sorted(dice.sample(range(100_000), 400))
    runs = [(start, dice.randrange(start, following)) for start, following in pairwise(starts)]
    times = [*range(300, 100_000, 300)]
    for at in range(0, len(times) - 2, 7):
        times[at], times[at + 2] = times[at + 2], times[at]
    history = History()
    for taken in times:
        running = [start for start, stop in runs if start <= taken < stop]
        active = max((min(stop, taken) for start, stop in runs if start <= taken), default=None)
        history.add(taken, ada(*running, last=active))

    stops = dict(runs)
    found = [(each.started, each.end) for each in history.sessions]
    assert len(found) > 100  # the others fell between two samples
    for (start, end), (following, _) in zip(found, [*found[1:], (100_000, 0)], strict=True):
        assert start <= end <= following
        assert end <= stops[start] + 900  # the first sample that came after it
