"""``tornado-service values check``: finds failures before Helm runs."""

from collections.abc import Iterator

from ...hub.versions import SUPPORTED_VERSIONS, is_supported
from ..chart.subchart import has_site_values, sections
from ..site import Site, ValuesFinding
from . import access, code, delivery, keys, lists, names, network, schema, services, web_apps

#: Seconds after which the hub gives up, minus the time until endpoints appear.
STARTUP_TIMEOUT_5 = 8


def find_mistakes(site: Site) -> list[ValuesFinding]:
    """The findings, sorted by file in Helm's order."""
    found = [finding for check in CHECKS for finding in check(site)]
    found += schema.check(site, [finding.key for finding in found])
    files = [*site.values.files, "-"]
    return sorted(dict.fromkeys(found), key=lambda finding: files.index(finding.file))


def _duplicates(site: Site) -> Iterator[ValuesFinding]:
    for file, path, line in site.values.duplicates:
        yield ValuesFinding(
            file,
            ".".join(map(str, path)),
            f"line {line} sets this key a second time in one map: Helm silently drops the first.",
            "one key with the values of both.",
        )


def _ignored_sections(site: Site) -> Iterator[ValuesFinding]:
    """The chart's values, and ours, at a level that no chart reads."""
    values = site.values
    has_chart = bool(sections(values.map()))
    where = ".".join(map(str, values.root))
    place, fix = "the top.", "{} at the top: tornado-service values without --parent."
    if where:
        place, fix = f"the key {where}.", f"{where}.{{}}: tornado-service values --parent={where}"
    for path, chart in values.charts.items():
        # with other values, it is another chart of this kind
        if path == values.root or (has_chart and path and has_site_values(chart)):
            continue
        for section in sections(chart):
            yield ValuesFinding(
                values.file_of_tree_path((*path, section)),
                ".".join(map(str, (*path, section))),
                f"nothing reads it: the chart takes its values from {place}",
                fix.format(section),
            )


def _readiness(site: Site) -> Iterator[ValuesFinding]:
    """The hub's Service has no endpoints before the probe passes, and the hub's wait is short."""
    managed = [service for service in site.services if service.command]
    if not managed or not site.values.is_enabled("hub", "readinessProbe", "enabled"):
        return
    limit = STARTUP_TIMEOUT_5
    if site.version >= (6,):
        timeouts = [service.spec.get("timeout") for service in managed]
        limit = min(timeout if isinstance(timeout, int) else 30 for timeout in timeouts) - 10
    effect = "the hub finds no service, and exits"
    if all(map(site.has_loopback_alias, managed)):
        effect = "only the host alias keeps the hub from waiting for itself until it exits"
    for key, default in (("initialDelaySeconds", 0), ("periodSeconds", 2)):
        seconds = site.values.get("hub", "readinessProbe", key, default=0)
        if isinstance(seconds, int) and seconds > limit:
            yield site.finding(
                ("hub", "readinessProbe", key),
                f"for {seconds} s the hub's Kubernetes Service has no endpoint: users wait, and"
                f" {effect}.",
                f"{default}, the chart's own.",
            )


def _version(site: Site) -> Iterator[ValuesFinding]:
    if not is_supported(site.version):
        yield ValuesFinding(
            "-",
            "--jupyterhub-version",
            "the service does not run with this JupyterHub, or no user can sign in.",
            f"a hub of {SUPPORTED_VERSIONS}.",
        )


CHECKS = (
    _duplicates,
    _ignored_sections,
    lists.check,
    services.check,
    names.check,
    keys.check,
    network.check,
    web_apps.check,
    access.check,
    code.check,
    delivery.check,
    access.check_activity,
    _readiness,
    _version,
)
