"""Who has a new name: the hub's users have no id that it shows."""

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
    """Which users under a new name are accounts that are not listed under theirs.

    It shows by a server that runs, of the same name and start, or by the time at which the user was
    created, if only one pair has it in common. Nobody with a pseudonym is found by a name: what was
    kept while there was a secret stays without one.

    Args:
        missing: accounts that existed and are not in the sample under their names.
        running: the sessions that ran so far.
        unmatched: users of the sample whose names are those of no account.
        full: when all users were listed last: somebody created after that may just be new.

    Returns:
        Which account it is, by new name.
    """
    unmatched = tuple(unmatched)
    lost = {person.id: person for person in missing}
    found: dict[str, Account] = {}
    by_run = _pairs(
        (((each.name, each.started), user) for user in unmatched for each in user.servers),
        (((each.server, each.started), lost[each.user]) for each in running if each.user in lost),
    )
    by_creation = _pairs(
        ((user.created, user) for user in unmatched if user.created is not None),
        ((each.created, each) for each in lost.values() if each.created is not None),
    )
    for user, person in by_run:
        if user.created is None or person.matches_creation(user.created):
            _add(found, user, person)
    for user, person in by_creation:
        if full is not None and user.created is not None and user.created <= full:
            _add(found, user, person)
    return found


def _pairs(
    new: Iterable[tuple[Hashable, UserSnapshot]], old: Iterable[tuple[Hashable, Account]]
) -> Iterator[tuple[UserSnapshot, Account]]:
    """Those who have a key in common that nobody else has."""
    users: defaultdict[Hashable, list[UserSnapshot]] = defaultdict(list)
    people: defaultdict[Hashable, list[Account]] = defaultdict(list)
    for key, user in new:
        users[key].append(user)
    for key, person in old:
        people[key].append(person)
    for key in users:
        if len(users[key]) == len(people.get(key, ())) == 1:
            yield users[key][0], people[key][0]


def _add(found: dict[str, Account], user: UserSnapshot, person: Account) -> None:
    is_found_out = is_pseudonym(person.name) and not is_pseudonym(user.name)
    if user.name not in found and person not in found.values() and not is_found_out:
        found[user.name] = person
