"""Comparisons and rosters of groups equal those of the ledger of a year."""

from __future__ import annotations

from datetime import timedelta

from tests.support.activity.ledger import each_day
from tests.support.activity.played import Played, months
from tornado_service.activity.figures.groups.comparison import compare_groups
from tornado_service.activity.figures.groups.roster import roster


def test_groups_next_to_each_other(year: Played) -> None:
    members = {name: year.ledger.group(name) for name in ("class-a", "class-b")}
    members["lab"] = {who for who in range(len(year.ledger.users)) if who % 3 == 0}
    ids = {name: year.ids(who) for name, who in members.items()}
    for span in (*months(year), (year.first, year.last)):
        result = compare_groups(year.history, *span, "months", ids)
        all_members = set().union(*members.values())
        assert result.in_several == sum(map(len, members.values())) - len(all_members)
        for group in (*result.groups, result.together):
            who = members.get(group.name, all_members)
            assert group.whole.active_users == len(year.ledger.active_users(*span) & who)
            assert group.whole.server_seconds == year.ledger.seconds(*span, who)
            assert group.whole.sessions == len(year.ledger.sessions(*span, who))
            assert group.people.new == len(year.ledger.new(*span) & who)


def test_a_roster(year: Played) -> None:
    last = year.last
    people = {
        user.name: who
        for who, user in enumerate(year.ledger.users)
        if user.deleted is None and who in year.ledger.group("class-a")
    }
    part = year.history.restricted(year.ids({*people.values()}))
    for first in (last - timedelta(27), last - timedelta(61), year.first):
        result = roster(part, first, last, [*people, "nobody"])
        days = [*each_day(result.strip_first, result.strip_last)]
        for member in result.members[1:]:
            who = people[member.name]
            active = [day for day in year.ledger.active if who in year.ledger.active[day]]
            assert member.active_days == sum(first <= day <= last for day in active)
            assert member.server_seconds == year.ledger.seconds(first, last, {who})
            for day, character in zip(days, member.strip, strict=True):
                has_data = year.ledger.covered(*year.ledger.bounds(day)) > 0
                assert character == ("?" if not has_data else "a" if day in active else ".")
        assert result.members[0].never_active
        assert len(result.members) == len(people) + 1
