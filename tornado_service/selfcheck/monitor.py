"""The self-check in the background of a service."""

import asyncio
import itertools
import logging
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from math import inf

from ..auth.login_state import SignIns
from ..telemetry.redaction import RedactedText, redact_urls
from .checks import check_origin, run_checks
from .findings import CheckedSetup, Finding
from .sign_in import check_redirect, check_sign_in
from .url import service_id

#: Seconds between checks while there is a problem; the last one repeats.
RETRY_DELAYS = (1, 2, 4, 8, 15, 30, 60, 120, 300)

#: Seconds after which a working pod is Ready for its proxy, too.
READY_DELAY = 60

#: Seconds for which findings are cached, and between checks because of failed sign-ins.
MAX_FINDINGS_AGE = 10

#: Seconds between checks of the sign-in; the hub logs a line for each.
SIGN_IN_INTERVAL = 300

#: Seconds between them while users cannot sign in.
SIGN_IN_RETRY_INTERVAL = 30


class SelfCheck:
    """Checks a running service, and logs each change once.

    Attributes:
        instance: identifies this process; random, and no secret.
        findings: those of the last check.
        seen_origin: the origin of the first browser that signed in.

    Args:
        setup: returns the current settings, without ``instance`` and ``seen_origin``.
        log: where changes are logged.
    """

    def __init__(self, setup: Callable[[], CheckedSetup], log: logging.Logger) -> None:
        self.instance = secrets.token_hex(8)
        self.started = time.time()
        self.findings: list[Finding] = []
        self.seen_origin = ""
        self._make_setup = setup
        self._log = log
        self._logged: dict[str, Finding] = {}
        self._checked_at = -inf  # on the monotonic clock
        self._lock = asyncio.Lock()
        self._sign_in_failed = asyncio.Event()

    @property
    def is_healthy(self) -> bool:
        return bool(self.findings) and all(finding.state != "wrong" for finding in self.findings)

    @property
    def is_sign_in_ok(self) -> bool:
        """Whether users can sign in, by the hub's last answer and the sign-ins until now."""
        answers = (finding for finding in self.findings if finding.name == "sign-in")
        findings = (*answers, *check_redirect(self._setup))
        return all(finding.state != "wrong" for finding in findings)

    @property
    def hub_version(self) -> str:
        """The hub's version at the last check; empty if unknown."""
        versions = (finding.value for finding in self.findings if finding.name == "hub-version")
        return next(versions, "")

    async def run(self) -> None:
        """Check everything until there is no problem, and the sign-in as long as the service runs.

        Ends with the task, never with an error.
        """
        await asyncio.gather(self._run_at_start(), self._watch_sign_in())

    async def _run_at_start(self) -> None:
        await self.run_until_healthy()
        self._log.info("Self-check: nothing is wrong")
        setup = self._setup
        if setup.namespace and not setup.is_external:
            await asyncio.sleep(READY_DELAY)
            await self.run_until_healthy(include_proxy=True)

    async def run_until_healthy(self, include_proxy: bool = False) -> None:
        for pause in itertools.chain(RETRY_DELAYS, itertools.repeat(RETRY_DELAYS[-1])):
            await self.refresh(include_proxy=include_proxy)
            if self.is_healthy:
                return
            await asyncio.sleep(pause)

    async def _watch_sign_in(self) -> None:
        """Check the sign-in again and again: the hub may get another token for the service."""
        while True:
            interval = SIGN_IN_INTERVAL if self.is_sign_in_ok else SIGN_IN_RETRY_INTERVAL
            with suppress(asyncio.TimeoutError):
                await asyncio.wait_for(self._sign_in_failed.wait(), interval)
            if self._sign_in_failed.is_set():
                await asyncio.sleep(self._checked_at + MAX_FINDINGS_AGE - time.monotonic())
                self._sign_in_failed.clear()
                await self.refresh()
            else:
                await self._refresh_sign_in()

    async def _refresh_sign_in(self) -> None:
        async with self._lock:
            try:
                self._update(await check_sign_in(self._setup))
            except Exception:
                self._log.exception("The self-check failed")

    def check_soon(self) -> None:
        """Check again after a sign-in that failed; many such calls run one check."""
        self._sign_in_failed.set()

    async def refresh(self, max_age: float = 0, include_proxy: bool = False) -> list[Finding]:
        """Check, and log changes; returns earlier findings if they are recent, or if this failed.

        Args:
            max_age: seconds for which findings are recent.
            include_proxy: whether to check the proxy's path to a pod, too.
        """
        async with self._lock:
            if time.monotonic() - self._checked_at < max_age:
                return self.findings
            try:
                self.findings = await run_checks(self._setup, include_proxy)
                self._checked_at = time.monotonic()
                self._log_changes(self.findings)
            except Exception:
                # a failing check does not stop the service
                self._log.exception("The self-check failed")
            return self.findings

    def record_sign_in(self, origin: str) -> None:
        """Record that a user has signed in, which shows that it works.

        Args:
            origin: that of the browser; the settings may not have it.
        """
        self.seen_origin = self.seen_origin or origin
        self._update([*check_origin(self._setup), *check_redirect(self._setup)])
        if not self.is_sign_in_ok:
            self.check_soon()

    def _update(self, new: list[Finding]) -> None:
        """Replace some findings."""
        names = {finding.name for finding in new}
        self.findings = [each for each in self.findings if each.name not in names] + new
        self._log_changes(new)

    @property
    def service_id(self) -> str:
        """The name of the service and the version of this program."""
        return service_id(self._make_setup())

    @property
    def sign_ins(self) -> SignIns:
        """The number of sign-ins since the start."""
        return self._make_setup().sign_ins

    @property
    def required_scopes(self) -> frozenset[str]:
        return self._make_setup().required_scopes

    @property
    def _setup(self) -> CheckedSetup:
        return replace(self._make_setup(), instance=self.instance, seen_origin=self.seen_origin)

    def _log_changes(self, findings: list[Finding]) -> None:
        """Log new and resolved problems. The lines hold no secret, but text that resembles one."""
        for finding in findings:
            before = self._logged.get(finding.name)
            line = (RedactedText("Self-check, %s: %s"), finding.name, redact_urls(str(finding)))
            if finding.state in ("wrong", "note") and finding != before:
                self._log.warning(*line)
            elif finding.state == "ok" and before and before.state == "wrong":
                self._log.info(*line)
            if finding.state != "unknown":
                self._logged[finding.name] = finding
