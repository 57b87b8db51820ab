"""Finds renamed accounts: the hub's API shows no ids of users."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator

from ..domain.pseudonyms import is_pseudonym
from ..domain.records import Account, Session, UserSnapshot


def find_renames(
    missing: Iterable[Account],
    running: Iterable[Session],
    unmatched: Iterable[UserSnapshot],
    full: int | None,
) -> dict[str, Account]:
    """The accounts, by new name, that are in the sample under another name than theirs.

    It shows by a server that runs, of the same name and start, or by the time at which the user was
    created, if only one pair has it in common. A pseudonym is never matched with a name: what was
    stored under pseudonyms stays so.

    Args:
        missing: accounts that existed and are not in the sample under their names.
        running: the sessions that ran so far.
        unmatched: users of the sample whose names are those of no account.
        full: time of the latest full sample: a user who was created after that may just be new.
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
