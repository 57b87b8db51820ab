"""``tornado-service values check``: what would fail, before Helm is run."""

from __future__ import annotations

from collections.abc import Iterator

from ..merge import Values
from ..site import Finding, Site
from . import access as check_access
from . import activity as check_activity
from . import code as check_code
from . import delivery as check_delivery
from . import kubernetes as check_kubernetes
from . import lists as check_lists
from . import names as check_names
from . import network as check_network
from . import schema as check_schema
from . import services as check_services

#: Seconds after which the hub gives up, less what the endpoints take to appear.
PATIENCE_5 = 8

#: The oldest hub whose sign-in library has no known holes, and two that cannot read their tokens.
OLDEST = (5, 4, 6)
BROKEN = ((5, 5, 3), (6, 1, 0))


def parse_version(text: str) -> tuple[int, ...]:
    """A version as numbers.

    Raises:
        ValueError: it is none.
    """
    return tuple(int(part) for part in text.split("."))


class Check:
    """The findings for some values files."""

    def __init__(
        self, values: Values, version: tuple[int, ...], release: str = "", service: str = ""
    ) -> None:
        self.site = Site(values, version, release, service)

    def findings(self) -> list[Finding]:
        """All of them, in the order of the files."""
        site = self.site
        found = [
            *_duplicates(site),
            *_unread(site),
            *check_lists.check(site),
            *check_services.check(site),
            *check_names.check(site),
            *check_kubernetes.check(site),
            *check_network.check(site),
            *check_access.check(site),
            *check_code.check(site),
            *check_delivery.check(site),
            *check_activity.check(site),
            *_readiness(site),
            *_version(site),
        ]
        found += check_schema.check(site, [finding.key for finding in found])
        files = [*site.values.files, "-"]
        return sorted(dict.fromkeys(found), key=lambda finding: files.index(finding.file))


def _duplicates(site: Site) -> Iterator[Finding]:
    for file, path, line in site.values.duplicates:
        yield Finding(
            file,
            ".".join(map(str, path)),
            f"line {line} sets this key a second time in one map: Helm silently drops the first.",
            "one key with the values of both.",
        )


def _unread(site: Site) -> Iterator[Finding]:
    """The chart's values, and ours, at a level at which no chart reads them."""
    values = site.values
    elsewhere = [path for path in values.levels if path != values.root]
    if values.sections(values.root):
        # more than ours is another chart of this kind
        elsewhere = [path for path in elsewhere if not (path and values.is_site(path))]
    where = ".".join(map(str, values.root))
    for path in elsewhere:
        for section in values.sections(path):
            yield Finding(
                values.file_at((*path, section)),
                ".".join(map(str, (*path, section))),
                "nothing reads it: the chart takes its values from "
                + (f"the key {where}." if where else "the top."),
                f"{where}.{section}: tornado-service values --parent={where}"
                if where
                else f"{section} at the top: tornado-service values without --parent.",
            )


def _readiness(site: Site) -> Iterator[Finding]:
    """The hub's Service leads nowhere before the probe passes, and the hub does not wait long."""
    managed = [service for service in site.services if service.command]
    if not managed or not site.values.is_on("hub", "readinessProbe", "enabled"):
        return
    for key in ("initialDelaySeconds", "periodSeconds"):
        seconds = site.values.get("hub", "readinessProbe", key, default=0)
        patience = PATIENCE_5
        if site.version >= (6,):
            timeouts = [service.spec.get("timeout") for service in managed]
            patience = min(each if isinstance(each, int) else 30 for each in timeouts) - 10
        if isinstance(seconds, int) and seconds > patience:
            aliased = all(service.host in site.loopback_names for service in managed)
            so = "only the host alias keeps the hub from waiting for itself until it exits"
            yield site.finding(
                ("hub", "readinessProbe", key),
                f"for {seconds} s the hub's Kubernetes Service leads nowhere: visitors wait, and "
                + (so if aliased else "the hub finds no service, and exits")
                + ".",
                "0, the chart's own." if key == "initialDelaySeconds" else "2, the chart's own.",
            )


def _version(site: Site) -> Iterator[Finding]:
    numbers = (*site.version, 99, 99)[:3]
    if numbers < OLDEST or numbers in BROKEN:
        yield Finding(
            "-",
            "--jupyterhub-version",
            "the service does not run with this JupyterHub, or signs nobody in.",
            "a hub of 5.4.6 or later, but not 5.5.3 or 6.1.0.",
        )
