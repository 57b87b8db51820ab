"""The self-check: once for the doctor, and in the background of the service."""

from __future__ import annotations

import asyncio
import itertools
import secrets
import time
from math import inf
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ..auth.service_auth import derived_cookie_secret
from .findings import Finding, Setup, is_local
from .hub import look_at_hub
from .url import look_at_listening, look_at_url, look_from_outside

if TYPE_CHECKING:
    from ..app import TornadoService

#: Seconds between looks while something is wrong; the last one again and again.
PAUSES = (1, 2, 4, 8, 15, 30, 60, 120, 300)

#: Seconds after which a pod that works is Ready for its proxy, too.
READY_AFTER = 60

#: Seconds for which findings are good enough to be shown again.
FRESH = 10


async def examine(setup: Setup, from_outside: bool = False) -> list[Finding]:
    """Look at everything, in some seconds at most.

    Args:
        setup: that of the service.
        from_outside: whether to look at the proxy's way to a pod, too.
    """
    hub, url, outside = await asyncio.gather(
        look_at_hub(setup), look_at_url(setup), _outside(setup, from_outside)
    )
    listening = look_at_listening(setup, url.state == "ok")
    return [
        *hub,
        url,
        listening,
        *outside,
        look_at_cookie_secret(setup),
        *look_at_public_url(setup),
        *look_at_origin(setup),
    ]


async def _outside(setup: Setup, wanted: bool) -> list[Finding]:
    return await look_from_outside(setup) if wanted else []


def look_at_cookie_secret(setup: Setup) -> Finding:
    """Whether cookies are signed with a good key, and how long that lasts."""
    if setup.cookie_secret == derived_cookie_secret(setup.token):
        message = "Cookies are signed with a key made from the service's token, and last as long."
        return Finding("cookie-secret", "ok", message)
    if len(setup.cookie_secret) >= 32:
        return Finding("cookie-secret", "ok", "Cookies are signed with a key from the settings.")
    return Finding(
        "cookie-secret",
        "wrong",
        "The key that signs cookies is shorter than 32 bytes.",
        f"{setup.key}.environment.TORNADO_SERVICE_COOKIE_SECRET, made by openssl rand -hex 32",
    )


def look_at_public_url(setup: Setup) -> list[Finding]:
    """Whether people come by https, as far as the hub says."""
    if not setup.public_url:
        return []
    url = urlsplit(setup.public_url)
    if url.scheme == "https" or is_local(url.hostname or ""):
        return [Finding("public-url", "ok", f"People come by {setup.public_url}.")]
    return [
        Finding(
            "public-url",
            "unknown",
            f"People come by {setup.public_url}, without TLS, if the hub's settings are right.",
            f"hub.config.JupyterHub.public_url: https://{url.netloc}{setup.hub_prefix[:-4]}",
        )
    ]


def look_at_origin(setup: Setup) -> list[Finding]:
    """What keeps other users' servers, and the network, from acting as a visitor.

    A hub on a loopback address is for its own user, who needs neither.
    """
    origin = setup.public_url or setup.hub_host or setup.seen_origin
    url, hub, callback = map(urlsplit, (origin, setup.hub_host, setup.callback_url))
    if not url.hostname:
        return []
    if hub.hostname and callback.hostname and callback.hostname != hub.hostname:
        message = "The service has an origin of its own, by c.JupyterHub.subdomain_host."
    elif url.scheme == "https":
        message = "Visitors come by https; other users' servers share the service's origin."
    elif is_local(url.hostname):
        message = "Visitors come from this machine alone."
    else:
        return [
            Finding(
                "origin",
                "note",
                "The hub has neither c.JupyterHub.subdomain_host nor https: other users' servers"
                " share the service's origin, and their pages can act here as a visitor who opens"
                " them; so can the network. SECURITY.md says how.",
                "c.JupyterHub.subdomain_host, with names and certificates for its subdomains",
                origin,
            )
        ]
    return [Finding("origin", "ok", message, value=origin)]


class SelfCheck:
    """Looks after a service that runs, and logs each change once.

    Attributes:
        instance: tells this process from others; random, and no secret.
        needed: the scopes that the service's own token should have.
        findings: those of the last look.
        seen_origin: that by which the first browser came that signed in.
    """

    def __init__(self, service: TornadoService, needed: frozenset[str] = frozenset()) -> None:
        self.instance = secrets.token_hex(8)
        self.needed = needed
        self.started = time.time()
        self.findings: list[Finding] = []
        self.seen_origin = ""
        self._service = service
        self._log = service.log
        self._said: dict[str, Finding] = {}
        self._looked = -inf  # on the monotonic clock
        self._looking = asyncio.Lock()

    @property
    def well(self) -> bool:
        """Whether there was a look, and it found nothing wrong."""
        return bool(self.findings) and all(each.state != "wrong" for each in self.findings)

    @property
    def hub_version(self) -> str:
        """The hub's version, if it said so at the last look."""
        return next((each.value for each in self.findings if each.name == "hub-version"), "")

    async def run(self) -> None:
        """Look until nothing is wrong any more; end with the task, never with an error."""
        await self.until_well()
        self._log.info("Self-check: nothing is wrong")
        if self._setup.namespace:
            await asyncio.sleep(READY_AFTER)
            await self.until_well(from_outside=True)

    async def until_well(self, from_outside: bool = False) -> None:
        """Look, and again with growing pauses while something is wrong.

        Args:
            from_outside: whether to look at the proxy's way to a pod, too.
        """
        for pause in itertools.chain(PAUSES, itertools.repeat(PAUSES[-1])):
            await self.look(from_outside=from_outside)
            if self.well:
                return
            await asyncio.sleep(pause)

    async def look(self, fresh: float = 0, from_outside: bool = False) -> list[Finding]:
        """Look, and log what has changed.

        Args:
            fresh: seconds for which the last look is good enough.
            from_outside: whether to look at the proxy's way to a pod, too.

        Returns:
            What was found; the findings of an earlier look if this one failed.
        """
        async with self._looking:
            if time.monotonic() - self._looked < fresh:
                return self.findings
            try:
                self.findings = await examine(self._setup, from_outside)
                self._looked = time.monotonic()
                self._say(self.findings)
            except Exception:
                # whatever is wrong with the looking, the service itself goes on
                self._log.exception("The self-check failed")
            return self.findings

    def saw_browser(self, origin: str) -> None:
        """Take the origin of a browser that has signed in: nobody else may know it.

        Args:
            origin: scheme and host.
        """
        if not self.seen_origin:
            self.seen_origin = origin
            found = look_at_origin(self._setup)
            self.findings = [each for each in self.findings if each.name != "origin"] + found
            self._say(found)

    @property
    def _setup(self) -> Setup:
        return Setup.of(self._service, self.needed, self.instance)

    def _say(self, findings: list[Finding]) -> None:
        """Log what is wrong now, or well again. The lines hold no secret, but much like one."""
        scrubbed = {"scrubbed": True}
        for finding in findings:
            before = self._said.get(finding.name)
            if finding.state in ("wrong", "note") and finding != before:
                self._log.warning("Self-check, %s: %s", finding.name, finding, extra=scrubbed)
            elif finding.state == "ok" and before and before.state == "wrong":
                self._log.info("Self-check, %s: %s", finding.name, finding, extra=scrubbed)
            if finding.state != "unknown":
                self._said[finding.name] = finding
