"""Which account a name in a sample is: the hub shows names only, reuses and changes them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Hashable, Iterable, Iterator

from ..domain.pseudonyms import is_pseudonym
from ..domain.records import Account, Sample, Session, UserSnapshot, accounts_by_name


def find_accounts(
    people: Iterable[Account], sessions: Iterable[Session], sample: Sample, full: int | None
) -> dict[str, Account]:
    """The known account of each name in the newest sample; a name without one is a new account.

    ``people`` are all accounts; ``sessions`` those that run, and those that ended after a server
    of the sample began; ``full`` is the time of the latest full sample.
    """
    people, sessions = list(people), list(sessions)
    named = accounts_by_name(people)
    runs = {session[:3] for session in sessions}
    accounts: dict[str, Account] = {}
    unmatched: list[UserSnapshot] = []
    for seen in sample.users:
        person = named.get(seen.name)
        if person is not None and person.deleted is None and is_same(person, seen, runs):
            accounts[seen.name] = person
        else:
            unmatched.append(seen)
    if not unmatched:
        return accounts
    here = {person.id for person in accounts.values()}
    missing = [account for account in people if account.deleted is None and account.id not in here]
    running = (session for session in sessions if session.ended is None)
    renamed = find_renames(missing, running, unmatched, full)
    for seen in unmatched:
        person = renamed.get(seen.name) or named.get(seen.name)
        if person is not None and (seen.name in renamed or is_same(person, seen, runs)):
            accounts[seen.name] = person
    return accounts


def find_earlier_accounts(people: Iterable[Account], sample: Sample) -> dict[str, Account]:
    """The same for a late sample: the account that had the name at that moment."""
    accounts: defaultdict[str, list[Account]] = defaultdict(list)
    for person in people:
        accounts[person.name].append(person)
    accounts_now: dict[str, Account] = {}
    for seen in sample.users:
        named = accounts[seen.name]
        if seen.created is not None:
            named = [account for account in named if account.matches_creation(seen.created)]
        if named:
            accounts_now[seen.name] = _at(sample.taken, named)
    return accounts_now


def _at(moment: int, accounts: list[Account]) -> Account:
    before = [account for account in accounts if account.first_seen <= moment]
    if before:
        return max(before, key=lambda account: (account.first_seen, account.id))
    return min(accounts, key=lambda account: (account.first_seen, account.id))


def is_same(person: Account, seen: UserSnapshot, runs: Container[tuple[int, str, int]]) -> bool:
    """Whether a user of the newest sample is the account that has the name, or had it last.

    The hub tells when an account was created only with the scope ``read:users``. Without it, an
    account that was listed no more is back only if it shows something that only that account has:
    another one may have been renamed to its name. ``runs`` are the keys of the known sessions.
    """
    if seen.created is not None:
        return person.matches_creation(seen.created)
    if person.deleted is None:
        # the hub never takes an activity back
        return person.last_activity is None or seen.last_activity is not None
    if seen.last_activity is not None and seen.last_activity == person.last_activity:
        return True
    return any((person.id, server.name, server.started) in runs for server in seen.servers)


def find_renames(
    missing: Iterable[Account],  # which are not in the sample under their names
    running: Iterable[Session],  # so far
    unmatched: Iterable[UserSnapshot],  # whose names are those of no account
    full: int | None,
) -> dict[str, Account]:
    """The accounts, by new name, that are in the sample under another name than theirs.

    It shows by a server that runs, of the same name and start, or by the time at which the user was
    created, if only one pair has it in common. A pseudonym is never matched with a name: what was
    stored under pseudonyms stays so. A user who was created after the latest full sample may just
    be new.
    """
    unmatched = tuple(unmatched)
    lost = {person.id: person for person in missing}
    renamed: dict[str, Account] = {}
    by_run = _pairs(
        (((server.name, server.started), user) for user in unmatched for server in user.servers),
        (
            ((session.server, session.started), lost[session.user])
            for session in running
            if session.user in lost
        ),
    )
    by_creation = _pairs(
        ((user.created, user) for user in unmatched if user.created is not None),
        ((account.created, account) for account in lost.values() if account.created is not None),
    )
    for user, person in by_run:
        if user.created is None or person.matches_creation(user.created):
            _add(renamed, user, person)
    for user, person in by_creation:
        if full is not None and user.created is not None and user.created <= full:
            _add(renamed, user, person)
    return renamed


def _pairs(
    new: Iterable[tuple[Hashable, UserSnapshot]], old: Iterable[tuple[Hashable, Account]]
) -> Iterator[tuple[UserSnapshot, Account]]:
    """Users and accounts that have a key in common that no other has."""
    users: defaultdict[Hashable, list[UserSnapshot]] = defaultdict(list)
    people: defaultdict[Hashable, list[Account]] = defaultdict(list)
    for key, user in new:
        users[key].append(user)
    for key, person in old:
        people[key].append(person)
    for key in users:
        if len(users[key]) == len(people.get(key, ())) == 1:
            yield users[key][0], people[key][0]


def _add(renamed: dict[str, Account], user: UserSnapshot, person: Account) -> None:
    is_found_out = is_pseudonym(person.name) and not is_pseudonym(user.name)
    if user.name not in renamed and person not in renamed.values() and not is_found_out:
        renamed[user.name] = person
