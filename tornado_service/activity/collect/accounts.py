"""Which account of the hub a name in a sample is: the hub shows names only, and reuses them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable

from ..domain.records import Account, Sample, Session, UserSnapshot, accounts_by_name
from .renames import find_renames


def find_accounts(
    people: Iterable[Account], sessions: Iterable[Session], sample: Sample, full: int | None
) -> dict[str, Account]:
    """The known account of each name in the newest sample; a name without one is a new account.

    Args:
        people: all that are known.
        sessions: all that run, and those that ended after a server of the sample began.
        sample: the newest.
        full: when all users were listed last.
    """
    people, sessions = list(people), list(sessions)
    named = accounts_by_name(people)
    runs = {session[:3] for session in sessions}
    found: dict[str, Account] = {}
    unmatched: list[UserSnapshot] = []
    for seen in sample.users:
        person = named.get(seen.name)
        if person is not None and person.deleted is None and is_same(person, seen, runs):
            found[seen.name] = person
        else:
            unmatched.append(seen)
    if not unmatched:
        return found
    here = {person.id for person in found.values()}
    missing = [each for each in people if each.deleted is None and each.id not in here]
    running = (session for session in sessions if session.ended is None)
    renamed = find_renames(missing, running, unmatched, full)
    for seen in unmatched:
        person = renamed.get(seen.name) or named.get(seen.name)
        if person is not None and (seen.name in renamed or is_same(person, seen, runs)):
            found[seen.name] = person
    return found


def find_earlier_accounts(people: Iterable[Account], sample: Sample) -> dict[str, Account]:
    """The same for a sample that comes late: the account that had the name at that moment."""
    accounts: defaultdict[str, list[Account]] = defaultdict(list)
    for person in people:
        accounts[person.name].append(person)
    found: dict[str, Account] = {}
    for seen in sample.users:
        named = accounts[seen.name]
        if seen.created is not None:
            named = [each for each in named if each.matches_creation(seen.created)]
        if named:
            found[seen.name] = _at(sample.taken, named)
    return found


def _at(moment: int, accounts: list[Account]) -> Account:
    before = [each for each in accounts if each.first_seen <= moment]
    if before:
        return max(before, key=lambda each: (each.first_seen, each.id))
    return min(accounts, key=lambda each: (each.first_seen, each.id))


def is_same(person: Account, seen: UserSnapshot, runs: Container[tuple[int, str, int]]) -> bool:
    """Whether a user of the newest sample is the account that had the name until now.

    The hub tells when an account was created only with the scope ``read:users``. Without it, an
    account that was listed no more is back only if it shows something that only that account has:
    another one may have been renamed to its name.

    Args:
        person: the account that has the name, or had it last.
        seen: the user of that name.
        runs: user, server and start of the known sessions.
    """
    if seen.created is not None:
        return person.matches_creation(seen.created)
    if person.deleted is None:
        # the hub never takes an activity back
        return person.last_activity is None or seen.last_activity is not None
    if seen.last_activity is not None and seen.last_activity == person.last_activity:
        return True
    return any((person.id, server.name, server.started) in runs for server in seen.servers)
