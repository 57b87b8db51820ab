"""The latest sample for other replicas, and the term of the one that collects."""

from __future__ import annotations

import pytest

from tests.activity.conftest import Open
from tests.support.activity.stored import FIVE_MINUTES, START, sample, stored_users
from tornado_service.activity.domain.pseudonyms import pseudonyms
from tornado_service.activity.domain.records import Sample, ServerSnapshot, UserSnapshot
from tornado_service.activity.store.live_sample import Superseded
from tornado_service.activity.store.reader import Reader
from tornado_service.activity.store.store import Store

#: A user of each kind.
ADA = UserSnapshot("ada", 5, START, (ServerSnapshot("", 7), ServerSnapshot("x", 8, 9, True, "gpu")))
BOB = UserSnapshot("bob", None, None, (ServerSnapshot("", 7),))
EVE = UserSnapshot("eve", 6, START)

MAPPED = pseudonyms(b"0123456789abcdef")


async def test_other_replicas_read_the_servers_of_the_latest_sample(
    open_store: Open, database_url: str
) -> None:
    leader, follower = await open_store(database_url), await open_store(database_url)
    assert await follower.live() is None

    await leader.take_over("one")
    assert await follower.live() is None

    for taken in (START, START + FIVE_MINUTES):
        assert await leader.add(Sample(taken, True, (ADA, BOB, EVE)), FIVE_MINUTES)
    # users with a server
    assert await follower.live() == Sample(START + FIVE_MINUTES, True, (ADA, BOB))


async def test_one_process_keeps_no_copy_of_its_sample(store: Store) -> None:
    assert await store.add(sample(START, "ada"), FIVE_MINUTES)

    assert await store.live() is None


async def test_a_superseded_replica_writes_nothing(open_store: Open, database_url: str) -> None:
    before, now = await open_store(database_url), await open_store(database_url)
    await before.take_over("one")
    assert await before.add(sample(START, "ada"), FIVE_MINUTES)
    await now.take_over("two")

    with pytest.raises(Superseded, match="two"):
        await before.add(sample(START + FIVE_MINUTES, "bob"), FIVE_MINUTES)
    with pytest.raises(Superseded):
        await before.maintain()

    assert await stored_users(now) == ["ada"]
    assert await now.read(Reader.latest_sample) == START
    assert await now.live() == sample(START, "ada")
    assert await now.add(sample(START + FIVE_MINUTES, "ada"), FIVE_MINUTES)


async def test_a_replica_that_takes_over_again_may_write(store: Store, open_store: Open) -> None:
    await store.take_over("one")
    await store.take_over("one")

    assert await store.add(sample(START, "ada"), FIVE_MINUTES)


async def test_a_sample_of_an_interval_that_has_one_is_shown_and_not_counted(store: Store) -> None:
    await store.take_over("one")
    assert await store.add(sample(START, "ada"), FIVE_MINUTES)

    assert not await store.add(sample(START + 60, "ada"), FIVE_MINUTES)

    assert await store.live() == sample(START + 60, "ada")


async def test_a_forgotten_user_is_not_in_the_latest_sample_either(store: Store) -> None:
    await store.take_over("one")
    await store.add(Sample(START, True, (ADA, BOB)), FIVE_MINUTES)

    assert await store.forget("ada")

    live = await store.live()
    assert live is not None
    assert live.users == (BOB,)


async def test_the_sample_has_pseudonyms_where_users_have_them(
    open_store: Open, database_url: str
) -> None:
    named = await open_store(database_url)
    await named.take_over("one")
    await named.add(Sample(START, True, (ADA, BOB)), FIVE_MINUTES)

    hidden = await open_store(database_url, map_name=MAPPED)
    live = await hidden.live()
    assert live is not None
    assert live.users == ()  # names were stored before there was a secret

    await hidden.take_over("two")
    await hidden.add(Sample(START + FIVE_MINUTES, True, (ADA, BOB)), FIVE_MINUTES)
    live = await hidden.live()
    assert live is not None
    assert live.has_pseudonyms
    assert [user.name for user in live.users] == [MAPPED("ada"), MAPPED("bob")]
    assert [user.servers for user in live.users] == [ADA.servers, BOB.servers]
