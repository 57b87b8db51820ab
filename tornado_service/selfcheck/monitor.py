"""The self-check: once for the doctor, and in the background of the service."""

import asyncio
import itertools
import logging
import secrets
import time
from collections.abc import Callable
from dataclasses import replace
from math import inf

from .checks import check_origin, run_checks
from .findings import CheckedSetup, Finding

#: Seconds between checks while there is a problem; the last one repeats.
RETRY_DELAYS = (1, 2, 4, 8, 15, 30, 60, 120, 300)

#: Seconds after which a working pod is Ready for its proxy, too.
READY_DELAY = 60

#: Seconds for which findings are cached.
MAX_FINDINGS_AGE = 10


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

    @property
    def is_healthy(self) -> bool:
        return bool(self.findings) and all(finding.state != "wrong" for finding in self.findings)

    @property
    def hub_version(self) -> str:
        """The hub's version at the last check; empty if unknown."""
        versions = (finding.value for finding in self.findings if finding.name == "hub-version")
        return next(versions, "")

    async def run(self) -> None:
        """Check until there is no problem; ends with the task, never with an error."""
        await self.run_until_healthy()
        self._log.info("Self-check: nothing is wrong")
        if self._setup.namespace:
            await asyncio.sleep(READY_DELAY)
            await self.run_until_healthy(include_proxy=True)

    async def run_until_healthy(self, include_proxy: bool = False) -> None:
        for pause in itertools.chain(RETRY_DELAYS, itertools.repeat(RETRY_DELAYS[-1])):
            await self.refresh(include_proxy=include_proxy)
            if self.is_healthy:
                return
            await asyncio.sleep(pause)

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

    def record_browser_origin(self, origin: str) -> None:
        """Record the origin of a browser that has signed in; the settings may not have it."""
        if not self.seen_origin:
            self.seen_origin = origin
            new = check_origin(self._setup)
            others = [finding for finding in self.findings if finding.name != "origin"]
            self.findings = others + new
            self._log_changes(new)

    @property
    def required_scopes(self) -> frozenset[str]:
        return self._make_setup().required_scopes

    @property
    def _setup(self) -> CheckedSetup:
        return replace(self._make_setup(), instance=self.instance, seen_origin=self.seen_origin)

    def _log_changes(self, findings: list[Finding]) -> None:
        """Log new and resolved problems. The lines hold no secret, but text that resembles one."""
        scrubbed = {"scrubbed": True}
        for finding in findings:
            before = self._logged.get(finding.name)
            if finding.state in ("wrong", "note") and finding != before:
                self._log.warning("Self-check, %s: %s", finding.name, finding, extra=scrubbed)
            elif finding.state == "ok" and before and before.state == "wrong":
                self._log.info("Self-check, %s: %s", finding.name, finding, extra=scrubbed)
            if finding.state != "unknown":
                self._logged[finding.name] = finding
