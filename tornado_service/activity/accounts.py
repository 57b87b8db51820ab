"""Which account of the hub a name in a sample is: the hub shows names only, and reuses them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from .model import Person, Sample, SeenUser, Session, by_name
from .renames import find_renames


def find_accounts(
    people: Iterable[Person], running: Iterable[Session], sample: Sample, full: int | None
) -> dict[str, Person]:
    """The known account of each name in the newest sample; a name without one is a new account.

    Args:
        people: all that are known.
        running: the sessions that ran so far.
        sample: the newest.
        full: when all users were listed last.
    """
    people = list(people)
    named = by_name(people)
    found: dict[str, Person] = {}
    strangers: list[SeenUser] = []
    for seen in sample.users:
        person = named.get(seen.name)
        if person is not None and person.deleted is None and is_same(person, seen):
            found[seen.name] = person
        else:
            strangers.append(seen)
    if not strangers:
        return found
    here = {person.id for person in found.values()}
    missing = [each for each in people if each.deleted is None and each.id not in here]
    renamed = find_renames(missing, running, strangers, full)
    for seen in strangers:
        person = renamed.get(seen.name) or named.get(seen.name)
        if person is not None and (seen.name in renamed or is_same(person, seen)):
            found[seen.name] = person
    return found


def find_earlier_accounts(people: Iterable[Person], sample: Sample) -> dict[str, Person]:
    """The same for a sample that comes late: the account that had the name at that moment."""
    accounts: defaultdict[str, list[Person]] = defaultdict(list)
    for person in people:
        accounts[person.name].append(person)
    return {
        seen.name: _at(sample.taken, accounts[seen.name])
        for seen in sample.users
        if seen.name in accounts
    }


def _at(moment: int, accounts: list[Person]) -> Person:
    before = [each for each in accounts if each.first_seen <= moment]
    if before:
        return max(before, key=lambda each: (each.first_seen, each.id))
    return min(accounts, key=lambda each: (each.first_seen, each.id))


def is_same(person: Person, seen: SeenUser) -> bool:
    """Whether a user of the newest sample is the account that had the name until now.

    The hub tells when an account was created only with the scope ``read:users``. Without it, an
    account that was listed no more is back only if something of what is listed now began before.
    """
    if person.created is not None and seen.created is not None:
        return person.created == seen.created
    if person.deleted is None:
        # the hub never takes an activity back
        return person.last_activity is None or seen.last_activity is not None
    began = (seen.created, seen.last_activity, *(server.started for server in seen.servers))
    return any(moment is not None and moment < person.deleted for moment in began)
