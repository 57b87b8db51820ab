"""The collector calls a simulated hub over HTTP through the service's own client."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable

import pytest

from tests.support.activity.script import Run, Script, SimulatedUser
from tests.support.activity.simulator import TOKEN, SimulatedHub
from tornado_service.activity.collect.collector import Collector
from tornado_service.activity.domain.records import Sample, ServerSnapshot, UserSnapshot
from tornado_service.hub.client import HubClient
from tornado_service.testing import StartService

NOON = 1_700_006_400 // 86400 * 86400 + 12 * 3600
LOG = logging.getLogger("test")


def simulated_users(count: int, *, running: bool = False) -> list[SimulatedUser]:
    runs = [Run("", NOON - 600, NOON + 86400, idle=NOON)] if running else []
    return [
        SimulatedUser(number, 0, [(0, f"user-{number}")], logins=[NOON - 9000], runs=list(runs))
        for number in range(1, count + 1)
    ]


@pytest.fixture
async def simulated() -> AsyncIterator[SimulatedHub]:
    hub = SimulatedHub(Script(NOON - 86400, NOON + 86400, []), NOON)
    await hub.start()
    yield hub
    await hub.stop()


@pytest.fixture
async def client(start_service: StartService, simulated: SimulatedHub) -> HubClient:
    service = await start_service(
        ServiceAuth={"api_url": simulated.api_url, "api_token": TOKEN},
        HubClient={"hub_timeout": 2.0, "breaker_failures": 1000},
    )
    return service.hub


@pytest.fixture
def collector(client: HubClient) -> Collector:
    return Collector(client, 300, LOG)


async def take(collector: Collector, now: int = NOON) -> Sample:
    sample = await collector.collect(now)
    assert sample is not None
    return sample


def names(sample: Sample) -> list[str]:
    return [user.name for user in sample.users]


async def test_a_sample_has_the_users_and_servers_of_the_hub(
    simulated: SimulatedHub, collector: Collector
) -> None:
    ada = SimulatedUser(1, 0, [(0, "ada")], logins=[NOON - 50])
    ada.runs = [
        Run("", NOON - 1000, NOON + 1, idle=NOON, pulse=300),
        Run("gpu", NOON - 10, NOON + 9, idle=NOON, pulse=300),
        Run("ended", NOON - 2000, NOON, idle=NOON - 500),
    ]
    bob = SimulatedUser(2, 0, [(0, "bob")])
    simulated.script.users = [ada, bob]

    assert await take(collector) == Sample(
        NOON,
        True,
        (
            UserSnapshot(
                "ada",
                None,
                NOON,
                (
                    ServerSnapshot("", NOON - 1000, NOON - 100),
                    ServerSnapshot("gpu", NOON - 10, NOON - 10),
                ),
            ),
            UserSnapshot("bob", None, None, ()),
        ),
    )


async def test_all_users_are_requested_once_an_hour_and_in_between_those_with_servers(
    simulated: SimulatedHub, collector: Collector
) -> None:
    simulated.script.users = [*simulated_users(2, running=True), *simulated_users(4)[2:]]
    asked = [NOON + 1800, NOON + 2100, NOON + 3300, NOON + 3615, NOON + 3900, NOON + 7215]

    samples = [await take(collector, now) for now in asked]

    assert [sample.is_full for sample in samples] == [True, False, False, True, False, True]
    assert [len(sample.users) for sample in samples] == [4, 2, 2, 4, 2, 4]


async def test_all_users_are_requested_as_soon_as_the_hub_returns_them(
    simulated: SimulatedHub, collector: Collector
) -> None:
    await take(collector, NOON)
    simulated.is_down = True
    assert await collector.collect(NOON + 3615) is None
    simulated.is_down = False

    assert (await take(collector, NOON + 3900)).is_full
    assert not (await take(collector, NOON + 4200)).is_full


async def test_all_users_are_requested_again_until_they_are_stored(
    simulated: SimulatedHub, client: HubClient
) -> None:
    responses = iter([False, False, True, True, True, False, True])

    async def keep(sample: Sample, interval: int) -> bool:
        return next(responses)

    collector = Collector(client, 300, LOG, keep)

    asked = [(await take(collector, NOON + 3600 + number * 300)).is_full for number in range(7)]

    assert asked == [True, True, True, False, False, False, True]


async def test_all_users_are_requested_again_if_storing_them_fails(
    simulated: SimulatedHub, client: HubClient
) -> None:
    samples: list[Sample] = []

    async def keep(sample: Sample, interval: int) -> None:
        samples.append(sample)
        if len(samples) == 1:
            raise OSError("no space left")

    collector = Collector(client, 300, LOG, keep)
    with pytest.raises(OSError, match="no space left"):
        await collector.collect(NOON)

    await take(collector, NOON + 300)
    await take(collector, NOON + 600)

    assert [sample.is_full for sample in samples] == [True, True, False]


@pytest.mark.parametrize("limit", [1, 2, 7, 200])
async def test_every_page_is_requested_however_small(
    simulated: SimulatedHub, collector: Collector, limit: int
) -> None:
    count = 450 if limit == 200 else 25
    simulated.script.users = simulated_users(count, running=True)
    simulated.max_limit = limit

    full = await take(collector)
    active = await take(collector)

    assert names(full) == names(active) == [f"user-{number}" for number in range(1, count + 1)]
    assert {len(user.servers) for user in (*full.users, *active.users)} == {1}


class TestWhileTheListingIsUnderWay:
    """Something changes between two pages."""

    @pytest.fixture(autouse=True)
    def _users(self, simulated: SimulatedHub) -> None:
        simulated.script.users = simulated_users(450, running=True)

    @staticmethod
    def before_page(simulated: SimulatedHub, number: int, change: Callable[[], None]) -> None:
        def between() -> None:
            if len(simulated.calls) == number:
                change()

        simulated.between = between

    @pytest.mark.parametrize("gone", [1, 15, 60, 200])
    async def test_servers_that_stop_hide_no_others(
        self, simulated: SimulatedHub, collector: Collector, gone: int
    ) -> None:
        await take(collector)
        simulated.calls.clear()

        def stop() -> None:
            simulated.script.users[:gone] = simulated_users(gone)

        self.before_page(simulated, 2, stop)
        active = await take(collector, NOON + 300)

        still = {f"user-{number}" for number in range(gone + 1, 451)}
        assert still <= set(names(active))
        assert len(names(active)) == len(set(names(active)))

    async def test_users_who_are_deleted_hide_no_others(
        self, simulated: SimulatedHub, collector: Collector
    ) -> None:
        def delete() -> None:
            del simulated.script.users[10:20]

        self.before_page(simulated, 3, delete)

        full = await take(collector)

        assert {user.names[0][1] for user in simulated.script.users} <= set(names(full))
        assert len(names(full)) == len(set(names(full)))

    async def test_users_who_are_added_come_once_or_in_the_next_sample(
        self, simulated: SimulatedHub, collector: Collector
    ) -> None:
        late = SimulatedUser(0, 0, [(0, "late")], runs=[Run("", NOON - 1, NOON + 9, idle=NOON)])
        self.before_page(simulated, 2, lambda: simulated.script.users.insert(0, late))

        full = await take(collector)

        assert set(names(full)) - {"late"} == {f"user-{number}" for number in range(1, 451)}
        assert len(names(full)) == len(set(names(full)))
        assert "late" in names(await take(collector, NOON + 300))

    async def test_when_the_hub_becomes_unavailable_nothing_of_the_sample_is_stored(
        self, simulated: SimulatedHub, client: HubClient
    ) -> None:
        kept: list[Sample] = []

        async def keep(sample: Sample, interval: int) -> None:
            kept.append(sample)

        collector = Collector(client, 300, LOG, keep)
        before = await take(collector)
        simulated.calls.clear()
        self.before_page(simulated, 2, lambda: setattr(simulated, "is_down", True))

        assert await collector.collect(NOON + 300) is None

        assert kept == [before]
        assert collector.latest is before

    async def test_a_sample_is_of_the_moment_of_its_first_page(
        self, simulated: SimulatedHub, collector: Collector
    ) -> None:
        self.before_page(simulated, 2, lambda: setattr(simulated, "now", NOON + 40))

        assert (await take(collector)).taken == NOON


async def test_ten_thousand_users_take_a_bounded_number_of_calls(
    simulated: SimulatedHub, collector: Collector
) -> None:
    simulated.script.users = simulated_users(10_000)
    for user in simulated.script.users[::5]:
        user.runs.append(Run("", NOON - 600, NOON + 600, idle=NOON))

    full = await take(collector)
    calls_for_all = len(simulated.calls)
    active = await take(collector, NOON + 300)

    assert len(full.users) == 10_000
    assert len(active.users) == 2_000
    assert calls_for_all <= 56
    assert len(simulated.calls) - calls_for_all <= 12


async def test_an_outage_is_two_lines_in_the_log(
    simulated: SimulatedHub, collector: Collector, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "test")
    await take(collector)
    simulated.is_down = True
    for _ in range(3):
        assert await collector.collect(NOON) is None
    simulated.is_down = False
    await take(collector)

    reported = [record.getMessage() for record in caplog.records if "recorded" in record.message]
    assert reported == [
        "Activity is not recorded at the moment: the hub does not respond: it returned 503",
        "Activity is recorded again",
    ]


@pytest.mark.parametrize("scope", ["list:users", "read:users:activity", "read:servers"])
async def test_a_missing_scope_is_logged_once(
    simulated: SimulatedHub, collector: Collector, caplog: pytest.LogCaptureFixture, scope: str
) -> None:
    caplog.set_level(logging.INFO, "test")
    simulated.script.users = simulated_users(1)
    simulated.scopes -= {scope}

    for _ in range(3):
        assert await collector.collect(NOON) is None

    reported = [record.getMessage() for record in caplog.records if record.name == "test"]
    assert len([line for line in reported if "not recorded" in line]) == 1
    assert f"needs the scope {scope}," in reported[-1]


async def test_a_clock_that_differs_is_logged_once(
    simulated: SimulatedHub, collector: Collector, caplog: pytest.LogCaptureFixture
) -> None:
    assert (await take(collector)).taken == NOON
    await take(collector)

    assert caplog.text.count("The hub's clock and ours differ by") == 1
