from __future__ import annotations

import shutil
from datetime import datetime, timezone
from itertools import islice, pairwise
from pathlib import Path
from statistics import median

import pytest

from tornado_service.activity.domain.records import Sample, UserSnapshot
from tornado_service.activity.schema.upgrade import open_database
from tornado_service.activity.store.reader import Reader
from tornado_service.activity.store.writer import add_sample
from tornado_service.activity.synthetic import (
    INTERVAL,
    is_holiday,
    synthetic_samples,
    write_synthetic_history,
)

PEOPLE = {f"user-{number}": [f"class-{'abc'[number % 3]}"] for number in range(40)} | {"ada": []}
END = int(datetime(2026, 3, 10, 9, 30, tzinfo=timezone.utc).timestamp())
HOUR = 3600


@pytest.fixture(scope="module")
def samples() -> list[Sample]:
    return list(synthetic_samples(PEOPLE, END))


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with the samples, which takes seconds to make."""
    file = tmp_path_factory.mktemp("synthetic") / "activity.sqlite"
    write_synthetic_history(f"sqlite:///{file}", PEOPLE, END)
    return file


def running(sample: Sample) -> int:
    return sum(len(user.servers) for user in sample.users)


def mean_running(samples: list[Sample], choose) -> float:
    chosen = [
        running(sample)
        for sample in samples
        if choose(datetime.fromtimestamp(sample.taken, timezone.utc))
    ]
    return sum(chosen) / len(chosen)


def test_it_is_the_same_each_time(samples: list[Sample]) -> None:
    assert list(islice(synthetic_samples(PEOPLE, END), 500)) == samples[:500]
    assert list(islice(synthetic_samples(PEOPLE, END, seed=2), 500)) != samples[:500]


def test_it_is_a_year_up_to_the_end_with_one_outage(samples: list[Sample]) -> None:
    taken = [sample.taken for sample in samples]
    pauses = [after - before for before, after in pairwise(taken)]
    assert taken[0] - (END - 365 * 86400) < 2 * INTERVAL
    assert taken[-1] == END
    assert min(pauses[:-1]) == INTERVAL
    assert [pause > 2.5 * INTERVAL for pause in pauses].count(True) == 1


@pytest.mark.parametrize("end", [END, END + 7, END + INTERVAL - 1])
def test_the_last_sample_is_that_of_the_end(end: int) -> None:
    assert max(sample.taken for sample in synthetic_samples({"ada": []}, end)) == end


def test_a_collector_goes_on_without_a_gap(written: Path) -> None:
    database = open_database(f"sqlite:///{written}")
    with database.reading() as connection:
        assert Reader(connection).latest_sample() == END
    database.close()


@pytest.mark.parametrize("later", range(0, 2 * INTERVAL, 1300))
def test_the_outage_is_the_only_gap_whenever_it_ends(later: int) -> None:
    taken = [sample.taken for sample in synthetic_samples({"ada": []}, END + later)]

    gaps = [after - before for before, after in pairwise(taken) if after - before > 2.5 * INTERVAL]
    assert len(gaps) == 1


def test_nights_weekends_and_holidays_are_quiet(samples: list[Sample]) -> None:
    term = [s for s in samples if not is_holiday(datetime.fromtimestamp(s.taken).date())]
    holidays = [s for s in samples if is_holiday(datetime.fromtimestamp(s.taken).date())]
    afternoon = mean_running(term, lambda at: at.weekday() < 5 and 13 <= at.hour < 18)

    assert afternoon > 3
    assert mean_running(term, lambda at: 3 <= at.hour < 7) < 0.05 * afternoon
    assert mean_running(term, lambda at: at.weekday() > 4 and 13 <= at.hour < 18) < 0.5 * afternoon
    assert mean_running(holidays, lambda at: 13 <= at.hour < 18) < 0.4 * afternoon


def test_users_join_over_time_and_all_have_joined_at_the_end(samples: list[Sample]) -> None:
    counts = [len(sample.users) for sample in samples]
    assert counts == sorted(counts)
    assert counts[0] < counts[len(counts) // 2] < counts[-1] == len(PEOPLE)
    assert running(samples[-1]) == 0


def test_its_users_are_those_of_a_hub_that_has_just_begun(written: Path, tmp_path: Path) -> None:
    file = shutil.copy(written, tmp_path)
    users = tuple(UserSnapshot(name) for name in PEOPLE)

    database = open_database(f"sqlite:///{file}")
    with database.writing() as connection:
        add_sample(connection, Sample(END + 300, True, users), 300)
    with database.reading() as connection:
        people = Reader(connection).people()
    database.close()

    assert sorted(person.name for person in people) == sorted(PEOPLE)
    assert not [person for person in people if person.deleted]


def test_what_is_kept_of_it_is_what_ran(samples: list[Sample], written: Path) -> None:
    database = open_database(f"sqlite:///{written}")
    with database.reading() as connection:
        reader = Reader(connection)
        names = {person.id: person.name for person in reader.people()}
        kept = list(reader.sessions(0, END))
        coverage = reader.coverage(0, END)
    database.close()
    shown = {
        (user.name, server.name, server.started)
        for sample in samples
        for user in sample.users
        for server in user.servers
    }
    assert {(names[sample.user], sample.server, sample.started) for sample in kept} == shown
    assert all(sample.ended for sample in kept)
    assert HOUR < median(sample.end - sample.started for sample in kept) < 4 * HOUR
    assert [(interval.start, interval.end) for interval in coverage][-1][1] == samples[-1].taken
    assert len(coverage) == 2
