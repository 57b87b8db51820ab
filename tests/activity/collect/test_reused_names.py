"""A reused name: no user who signs in sees the history of its earlier account."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.activity.conftest import Open
from tests.support.activity import course
from tests.support.activity.archives import ZONE
from tests.support.activity.course import HOUR, MONDAY, RANGE
from tests.support.activity.known import History, ada
from tornado_service.activity import Activity
from tornado_service.activity.domain.pseudonyms import pseudonyms
from tornado_service.activity.domain.records import Account, Sample, ServerSnapshot, UserSnapshot
from tornado_service.activity.history.archive import Archive
from tornado_service.testing import Fetch, StandInHub

#: After the end of the history.
LATER = "2026-01-08T00:00:30.000000Z"


def reuse_name(hub: StandInHub, name: str = "ada") -> None:
    """Another user gets the name, in the same group."""
    groups = hub.directory.users.pop(name)["groups"]
    for group in groups:
        hub.directory.groups[group]["users"].remove(name)
    hub.directory.add_user(name, groups=groups, created=LATER, last_activity=LATER)


async def own_seconds(fetch: Fetch, token: str) -> int:
    response = await fetch(f"activity/api/me?{RANGE}", token=token)
    assert response.code == 200, response.body
    return json.loads(response.body)["use"]["whole"]["server_seconds"] or 0


async def test_an_account_that_no_sample_has_shown_yet_has_no_history(
    app: Activity, hub: StandInHub, fetch: Fetch
) -> None:
    assert await own_seconds(fetch, hub.token_for("ada")) == 5 * HOUR

    reuse_name(hub)

    assert await own_seconds(fetch, hub.token_for("ada")) == 0
    instructor = hub.token_for("ines", course.of_group("class-a"))
    response = json.loads((await fetch(f"activity/api/people?{RANGE}", token=instructor)).body)
    assert [row["name"] for row in response["people"]] == ["alan"]
    assert (await fetch(f"activity/api/people/ada?{RANGE}", token=instructor)).code == 404


async def test_a_user_who_sees_all_users_has_a_page_of_their_own_usage(
    app: Activity, hub: StandInHub, fetch: Fetch
) -> None:
    reuse_name(hub)

    assert await own_seconds(fetch, hub.token_for("ada", course.ALL_USERS)) == 0


async def test_a_user_renamed_to_the_name_of_another_does_not_read_their_usage(
    app: Activity, hub: StandInHub, fetch: Fetch
) -> None:
    """Before the service has sampled it. A renamed account keeps its creation time at the hub."""
    lena = hub.directory.add_user("lena", created="2026-01-07T00:00:00.000000Z")
    await app.recorder.collector.collect(app.recorder.collector._last_full_hour * HOUR + HOUR)
    del hub.directory.users["lena"]
    hub.directory.users["ada"] = {**lena, "name": "ada"}

    assert await own_seconds(fetch, hub.token_for("ada")) == 0


@pytest.mark.parametrize("scopes", [(), course.of_group("class-a")])
async def test_without_the_scope_that_distinguishes_accounts_the_name_decides(
    app: Activity, hub: StandInHub, fetch: Fetch, scopes: tuple[str, ...]
) -> None:
    hub.service_scopes = {"list:users", "read:users:activity", "read:servers"}

    assert await own_seconds(fetch, hub.token_for("ada", scopes)) > 0


async def test_while_the_hub_is_unavailable_no_new_user_reads_the_history_of_a_name(
    app: Activity, hub: StandInHub, fetch: Fetch
) -> None:
    reuse_name(hub)
    token = hub.token_for("ada")
    await fetch("api/user", token=token)  # the service has them in its cache

    hub.fault = "error"

    assert (await fetch(f"activity/api/me?{RANGE}", token=token)).code == 503


async def test_a_server_of_an_earlier_account_is_not_shown_as_the_users(
    app: Activity, hub: StandInHub, fetch: Fetch
) -> None:
    hub.directory.add_server("ada", started=LATER)
    await app.recorder.collector.collect(MONDAY)
    token = hub.token_for("ada")

    async def now(token: str) -> list[Any]:
        return json.loads((await fetch("activity/api/now", token=token)).body)["servers"]

    assert len(await now(token)) == 1
    reuse_name(hub)
    assert await now(hub.token_for("ada")) == []


async def test_under_a_pseudonym_too_an_account_is_that_of_one_user(
    open_store: Open, sqlite_url: str
) -> None:
    store = await open_store(sqlite_url, map_name=pseudonyms(b"0123456789abcdef"))
    seen = UserSnapshot("ada", created=10, servers=(ServerSnapshot("", 90),))
    assert await store.add(Sample(100, True, (seen,)), 10)
    archive = Archive(store, ZONE)
    await archive.refresh()
    archive.close()

    of_ada = frozenset({"ada"})
    assert archive.history.ids_of(of_ada, frozenset({("ada", 10)})) == {1}
    assert archive.history.ids_of(of_ada, frozenset({("ada", 110)})) == frozenset()


@pytest.mark.parametrize(
    ("kept", "shown", "is_theirs"),
    [
        pytest.param(50, 50, True, id="the_same_time"),
        pytest.param(50, 150, False, id="another_time"),
        pytest.param(None, 100, True, id="not_after_it_was_seen_first"),
        pytest.param(None, 160, True, id="while_the_sample_was_taken"),
        pytest.param(None, 161, False, id="after_it_was_seen_first"),
        pytest.param(None, None, True, id="neither_is_known"),
        pytest.param(50, None, False, id="a_user_without_a_time"),
    ],
)
def test_an_account_is_a_users_by_its_creation(
    kept: int | None, shown: int | None, is_theirs: bool
) -> None:
    assert Account(1, "ada", first_seen=100, created=kept).matches_creation(shown) is is_theirs


def test_history_stored_without_creation_times_belongs_to_an_earlier_account() -> None:
    """The service was down meanwhile, or its role had fewer scopes."""
    history = History()
    history.add(900, ada(130, last=890))
    history.add(2 * HOUR, ada(HOUR + 60, created=HOUR, last=2 * HOUR - 5))

    people = history.known.people
    assert {account.id: account.deleted for account in people.values()} == {1: 2 * HOUR, 2: None}
    assert [session.user for session in history.sessions] == [1, 2]


def test_a_user_who_was_created_during_a_sample_stays_one_account() -> None:
    """Stored without creation times: a large hub takes seconds to return all pages of users."""
    history = History()
    history.add(900, ada(130, last=890))
    history.add(2 * HOUR, ada(HOUR + 60, created=903, last=2 * HOUR - 5))

    assert {account.id: account.created for account in history.known.people.values()} == {1: 903}
    assert [session.user for session in history.sessions] == [1, 1]


def test_a_late_sample_gives_nothing_of_the_new_account_to_the_earlier_one() -> None:
    history = History()
    history.add(900, ada(130, created=10))
    history.add(2 * HOUR, ada(1000, created=950))
    history.add(1200, ada(1000, created=950), full=False)

    assert history.known.people[1].created == 10
    assert {session.user for session in history.sessions if session.started == 1000} == {2}
