"""The leadership of an app, without a database."""

from __future__ import annotations

import asyncio

from tornado_service.database.replicas.leadership import LocalLeadership


async def test_the_only_process_leads_unless_it_may_not() -> None:
    leadership = LocalLeadership("one")
    seen: list[bool] = []
    unsubscribe = leadership.subscribe(seen.append)

    assert (leadership.is_leader, leadership.leader, leadership.term) == (True, "one", 0)
    leadership.may_lead = False
    await leadership.wait_until(False)
    await asyncio.sleep(0)
    assert (leadership.is_leader, leadership.leader, seen) == (False, "", [False])
    leadership.may_lead = True
    await leadership.wait_until()
    await asyncio.sleep(0)
    unsubscribe()
    leadership.may_lead = False
    await asyncio.sleep(0)

    assert seen == [False, True]
