"""Several replicas of a service, by a PostgreSQL database that they share."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import partial
from itertools import count
from typing import Any

from ..database.errors import DatabaseUnavailable
from ..database.replicas.availability import Availability
from ..database.replicas.claims import INTERVAL as CLAIM_INTERVAL
from ..database.replicas.claims import Claim, SharedClaim
from ..database.replicas.leadership import Leadership, SharedLeadership
from ..database.replicas.session import Session
from ..database.replicas.stores import events, sign_outs
from ..database.replicas.stores.claims import ClaimStore
from ..database.replicas.stores.jobs import JobStore
from ..database.replicas.stores.shared_database import SharedDatabase
from ..database.replicas.worker import Worker
from .channel import Channel
from .replicas import Replicas, check_channel_name
from .shared_channel import SharedChannel

#: Events that are stored at a time.
BATCH = 500

#: Seconds between two deletions of old rows.
PRUNE_INTERVAL = 60.0

#: Seconds that a sign-out waits for the database.
SIGN_OUT_TIMEOUT = 3.0

#: Seconds that closing may take: the process is about to end.
CLOSE_TIMEOUT = 0.8


class SharedReplicas(Replicas):
    """The replicas of a service with a shared database, as one of them knows them.

    Args:
        url: the database.
        service: the service's name.
        log: for outages.

    Raises:
        DatabaseUnusable: the URL is not that of a PostgreSQL database.
    """

    is_shared = True

    def __init__(self, url: str, service: str, log: logging.Logger) -> None:
        super().__init__()
        self._log = log
        self._service = service
        self._availability = Availability(log)
        database = self._database = SharedDatabase(url, service, self.instance)
        self._events = events.EventStore(database)
        self._sign_outs = sign_outs.SignOutStore(database)
        self._jobs = JobStore(database)
        self._claims_store = ClaimStore(database)
        self._session = Session(
            url,
            service,
            self.instance,
            self._availability,
            prepare=self._prepare,
            on_connect=self._catch_up,
            on_notification=self._on_notification,
        )
        worker = self._worker = Worker(database.prepare, database.distrust, self._availability)
        # in the order in which they are done
        self._read_sign_outs = worker.add_chore(self._do_read_sign_outs)
        self._send_sign_outs = worker.add_chore(self._do_send_sign_outs)
        self._record_runs = worker.add_chore(self._do_record_runs)
        self._confirm_claims = worker.add_chore(self._do_confirm_claims, CLAIM_INTERVAL)
        self._flush = worker.add_chore(self._do_flush)
        self._refresh = worker.add_chore(self._do_refresh)
        self._prune = worker.add_chore(self._do_prune, PRUNE_INTERVAL)
        self._lock = threading.Lock()
        self._channels: dict[str, SharedChannel] = {}
        self._numbers = count(1)
        self._claims: list[SharedClaim] = []
        self._leaderships: dict[str, SharedLeadership] = {}
        self._finished_runs: dict[tuple[str, str], None] = {}
        self._signed_out: dict[bytes, None] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._connected = asyncio.Event()
        self._remembered = 0
        self._on_sign_outs: Callable[[list[bytes]], object] = lambda tokens: None

    @property
    def problem(self) -> str:
        return self._availability.problem

    @property
    def leaders(self) -> dict[str, str]:
        return {app: one.leader for app, one in self._leaderships.items() if one.leader}

    def start(self, on_sign_outs: Callable[[list[bytes]], object], remembered: int) -> None:
        if self._loop is not None:
            return
        self._loop = asyncio.get_running_loop()
        self._on_sign_outs = on_sign_outs
        self._remembered = remembered
        self._session.start()
        self._worker.start()

    async def wait_until_connected(self, timeout: float) -> bool:
        with suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._connected.wait(), timeout)
        return self._connected.is_set()

    def leadership(self, app: str) -> Leadership:
        leadership = SharedLeadership(self._session, self._service, app)
        self._leaderships[app] = leadership
        return leadership

    def channel(self, app: str, name: str, history: int) -> Channel:
        check_channel_name(name)
        full_name = f"{app}/{name}"
        with self._lock:
            before = self._channels.get(full_name)
            if before is not None and not before.is_closed:
                raise ValueError(f"The app {app} has opened the channel {name!r} already.")
            channel = self._channels[full_name] = SharedChannel(
                full_name, history, self._numbers, self._flush, self._refresh
            )
            if before is not None:
                channel.take_over(before)
        channel.request_refresh()
        return channel

    def claim(self, app: str, key: str, value: Any, of_database: bool = False) -> Claim:
        claim = SharedClaim(app, key, value, of_database)
        with self._lock:
            self._claims.append(claim)
        self._confirm_claims.request()
        return claim

    async def begin_run(self, app: str, job: str, interval: float) -> float:
        term = self._leaderships[app].term
        begin = partial(self._jobs.begin, app, job, interval, term)
        return await asyncio.wrap_future(self._worker.call(partial(self._begin_run, begin)))

    def _begin_run(self, begin: Callable[[], float]) -> float:
        self._do_record_runs()  # before: an unfinished run would be repeated
        return begin()

    def finish_run(self, app: str, job: str) -> None:
        self._finished_runs[app, job] = None
        self._record_runs.request()

    async def publish_sign_outs(self, tokens: Iterable[bytes]) -> None:
        with self._lock:
            self._signed_out |= dict.fromkeys(tokens)
            if not self._signed_out:
                return
        stored = asyncio.wrap_future(self._worker.call(self._do_send_sign_outs))
        try:
            await asyncio.wait_for(stored, SIGN_OUT_TIMEOUT)
        except (DatabaseUnavailable, asyncio.TimeoutError) as error:
            self._log.warning(
                "Other replicas do not know of a sign-out yet, as the database that they share"
                " does not respond: %s",
                error or "no response in time",
            )
            self._send_sign_outs.request()

    async def close(self) -> None:
        self._session.close()
        for chore in (self._send_sign_outs, self._record_runs, self._confirm_claims, self._flush):
            chore.request()
        self._worker.close()
        if self._loop is not None:
            await asyncio.to_thread(self._join)
        self._database.close()

    def _join(self) -> None:
        self._worker.join(CLOSE_TIMEOUT / 2)
        self._session.join(CLOSE_TIMEOUT / 2)

    def _prepare(self) -> None:
        """Look for missing tables: the database may be a new one."""
        self._database.distrust()
        self._database.prepare()

    def _catch_up(self) -> None:
        """Read what was sent while this replica did not listen, and send what waits."""
        for chore in (
            self._read_sign_outs,
            self._send_sign_outs,
            self._record_runs,
            self._confirm_claims,
            self._flush,
        ):
            chore.request()
        for channel in self._open_channels():
            channel.request_refresh()

    def _on_notification(self, payload: str) -> None:
        kind, subject = json.loads(payload)
        if kind == events.KIND:
            channel = self._channels.get(subject)
            if channel is not None:
                channel.request_refresh()
        elif kind == sign_outs.KIND:
            self._announce([bytes.fromhex(digest) for digest in subject])

    def _announce(self, tokens: list[bytes]) -> None:
        """Announce tokens that are signed out, on the event loop."""
        self._call_on_loop(self._on_sign_outs, tokens)

    def _call_on_loop(self, function: Callable[..., object], *args: Any) -> None:
        if self._loop is not None:
            with suppress(RuntimeError):  # it is closed
                self._loop.call_soon_threadsafe(function, *args)

    def _open_channels(self) -> list[SharedChannel]:
        with self._lock:
            return list(self._channels.values())

    def _do_read_sign_outs(self) -> None:
        self._announce(self._sign_outs.recent(self._remembered))
        self._call_on_loop(self._connected.set)

    def _do_send_sign_outs(self) -> None:
        with self._lock:
            tokens = list(self._signed_out)
        if not tokens:
            return
        self._sign_outs.add(tokens)
        with self._lock:
            for token in tokens:
                self._signed_out.pop(token, None)

    def _do_record_runs(self) -> None:
        for app, job in list(self._finished_runs):
            self._jobs.finish(app, job)
            self._finished_runs.pop((app, job), None)

    def _do_confirm_claims(self) -> None:
        with self._lock:
            claims = list(self._claims)
        for claim in claims:
            if claim.is_closed:
                self._claims_store.give_up(claim)
                with self._lock:
                    self._claims.remove(claim)
            else:
                self._confirm(claim)

    def _confirm(self, claim: SharedClaim) -> None:
        began = time.monotonic()
        claim.record(began, self._claims_store.confirm(claim))

    def _do_flush(self) -> None:
        for channel in self._open_channels():
            # not what is sent meanwhile: an app as fast as the database would hold up all else
            rest = channel.waiting_count
            while waiting := channel.first_waiting(min(rest, BATCH)):
                self._events.add(waiting)
                channel.record_sent(waiting[-1].number)
                rest -= len(waiting)
            if channel.is_closed:
                self._forget(channel)

    def _forget(self, channel: SharedChannel) -> None:
        with self._lock:
            if self._channels.get(channel.name) is channel and not channel.waiting_count:
                del self._channels[channel.name]

    def _do_refresh(self) -> None:
        for channel in self._open_channels():
            if channel.is_stale:
                channel.refresh(self._events)

    def _do_prune(self) -> None:
        for channel in self._open_channels():
            channel.prune(self._events)
        self._events.prune_old()
        self._sign_outs.prune()
        self._claims_store.prune()
