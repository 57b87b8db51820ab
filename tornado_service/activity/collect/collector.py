"""The collector: samples the hub's users and servers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from logging import Logger

from ... import HubCalls, HubRefused, HubResponseTooLarge, HubUnavailable, User
from ...apps.retry import backoff_delays
from ...hub.models import Server
from ..domain.calendar import epoch_seconds
from ..domain.records import Sample, ServerSnapshot, UserSnapshot

#: Seconds after which all users are asked for again, not only those with a running server.
FULL_SAMPLE_INTERVAL = 3600

#: A sample is taken this part of an interval after its beginning, so that processes whose clocks
#: differ a little take it in the same one.
SAMPLE_DELAY = 0.05

#: Seconds after which to try again at the latest if the hub gave no sample.
MAX_RETRY_DELAY = 30

#: Seconds by which our clock may differ from the hub's before the log says so.
MAX_SKEW = 60

#: The longest name of a profile that is stored, in characters.
LONGEST_PROFILE = 100

#: What a user's model lacks if the service's own token lacks a scope.
REQUIRED_SCOPES = {"last_activity": "read:users:activity", "servers": "read:servers"}


class Collector:
    """Takes samples, one at a time, every ``interval`` seconds.

    ``store_sample`` is awaited with each sample and the interval; ``False``: the history lacks
    users, so the next sample is a full one.
    """

    def __init__(
        self,
        hub: HubCalls,
        interval: int,
        log: Logger,
        store_sample: Callable[[Sample, int], Awaitable[bool | None]] | None = None,
    ) -> None:
        self.latest: Sample | None = None
        #: called with each new sample; they must not block
        self.listeners: list[Callable[[Sample], None]] = []
        self._hub = hub
        self._interval = interval
        self._log = log
        self._store_sample = store_sample
        self._clock_offset = 0.0  # seconds by which the hub's clock is ahead of ours
        self._last_full_hour = -1  # the hour of the last sample of all users that was kept
        self._problem = ""

    def resume(self, latest: Sample, last_full: int | None) -> None:
        """Go on after another replica's samples: ``last_full`` is the time of the last full one."""
        self.latest = latest
        self._last_full_hour = -1 if last_full is None else last_full // FULL_SAMPLE_INTERVAL

    async def run(self, may_collect: Callable[[], bool] = lambda: True) -> None:
        """Take samples: one at once, then one in each interval.

        If there is one of this interval already (see `resume`), begin with the next. Ends when the
        next sample is due and ``may_collect()`` is False.
        """
        now = self._now()
        if self.latest and self.latest.taken // self._interval >= now // self._interval:
            await asyncio.sleep(next_time(now, self._interval) - now)
        retries = backoff_delays(MAX_RETRY_DELAY)
        while may_collect():
            try:
                sample = await self.collect(self._now())
            except Exception:
                self._log.exception("A sample of the activity failed")
                sample = None
            now = self._now()
            pause = next_time(now, self._interval) - now
            if sample:
                retries = backoff_delays(MAX_RETRY_DELAY)
            await asyncio.sleep(pause if sample else min(pause, next(retries)))

    def _now(self) -> float:
        """The time of the hub's clock, as far as is known."""
        return time.time() + self._clock_offset

    async def collect(self, now: float) -> Sample | None:
        """Take one sample, notify the listeners, store it; ``None`` if the hub did not send it all.

        ``now`` is about the time of the hub's clock. The first sample in each hour is a full one,
        until one is stored.
        """
        hour = int(now) // FULL_SAMPLE_INTERVAL
        try:
            sample = await self._sample(is_full=hour != self._last_full_hour)
        except HubResponseTooLarge as error:
            self._log_state(error.detail)
            return None
        except HubUnavailable as error:
            self._log_state("the hub does not respond", error.detail)
            return None
        except HubRefused as error:
            self._log_state(f"the service's own token needs the scope {error.scope}, for all users")
            return None
        self.latest = sample
        for listener in self.listeners:
            listener(sample)
        store = self._store_sample
        if store is not None and await store(sample, self._interval) is False:
            self._last_full_hour = -1
            return sample
        self._log_state("")
        if sample.is_full:
            self._last_full_hour = hour
        return sample

    async def _sample(self, is_full: bool) -> Sample:
        taken = 0
        users: dict[str, UserSnapshot] = {}
        async for page in self._hub.user_pages(None if is_full else "active"):
            if not taken:
                taken = page.date
                self._compare_clocks(taken)
            users.update((user.name, user_snapshot(user)) for user in page.items)
        return Sample(taken, is_full, tuple(users.values()))

    def _compare_clocks(self, taken: int) -> None:
        was_wrong = abs(self._clock_offset) > MAX_SKEW
        self._clock_offset = taken - time.time()
        if abs(self._clock_offset) > MAX_SKEW and not was_wrong:
            self._log.warning(
                "The hub's clock and ours differ by %d s. Activity goes by the hub's.",
                abs(self._clock_offset),
            )

    def _log_state(self, problem: str, detail: str = "") -> None:
        if problem and problem != self._problem:
            why = f"{problem}: {detail}" if detail else problem
            self._log.warning("Activity is not recorded at the moment: %s", why)
        elif self._problem and not problem:
            self._log.info("Activity is recorded again")
        self._problem = problem


def next_time(now: float, interval: int) -> float:
    """The time of the next sample: a little after the beginning of the next interval."""
    return (now // interval + 1 + SAMPLE_DELAY) * interval


def user_snapshot(user: User) -> UserSnapshot:
    """A user of the hub as a record; `HubRefused` if the service's token lacks a scope."""
    for field, scope in REQUIRED_SCOPES.items():
        if field not in user.model_fields_set:
            raise HubRefused(503, scope)
    servers = user.servers or {}
    return UserSnapshot(
        user.name,
        epoch_seconds(user.created),
        epoch_seconds(user.last_activity),
        tuple(
            ServerSnapshot(
                server.name,
                started,
                epoch_seconds(server.last_activity),
                server.pending is not None,
                profile_of(server),
            )
            for server in servers.values()
            # one that the hub only gets ready to start has none yet
            if (started := epoch_seconds(server.started)) is not None
        ),
    )


def profile_of(server: Server) -> str | None:
    """The name of a server's profile; empty if it has none, ``None`` if the hub does not tell.

    KubeSpawner keeps it as ``{"profile": "gpu"}`` among the options of the server; forms of other
    spawners make it a list. Nothing else of the options is read.
    """
    if "user_options" not in server.model_fields_set:
        return None
    options = server.user_options
    profile = options.get("profile") if isinstance(options, dict) else None
    if isinstance(profile, list) and len(profile) == 1:
        (profile,) = profile
    if not isinstance(profile, str):
        return ""
    # users can write any text into it: databases take neither NUL nor half of a surrogate pair
    text = profile[:LONGEST_PROFILE].replace("\0", "\ufffd")
    return text.encode(errors="replace").decode()
