"""Mistakes that leave the built-in app without anything to show."""

from collections.abc import Iterator
from contextlib import suppress

from jupyterhub.scopes import expand_scopes
from jupyterhub.services.auth import check_scopes

from ..activity import includes_activity
from ..merge import as_list
from ..site import ROLES, Service, Site, ValuesFinding

#: Without these it records nothing.
REQUIRED_SCOPES = ("list:users", "read:servers", "read:users:activity")

#: What to grant: it has all that is needed, and tells accounts of one name apart.
SUGGESTED_SCOPES = ("list:users", "read:servers", "read:users")


def check(site: Site) -> Iterator[ValuesFinding]:
    for service in site.services:
        words = [str(word) for word in service.command]
        apps = [word.partition("=")[2] for word in words if word.startswith("--TornadoService.app")]
        if includes_activity(apps):
            yield from _role(site, service)
            yield from _history(site, words)


def _role(site: Site, service: Service) -> Iterator[ValuesFinding]:
    granted: set[str] = set()
    for role in site.roles:
        if service.name in as_list(role.spec.get("services")):
            for scope in role.scopes or ():
                with suppress(KeyError):  # the hub complains of those that it does not know
                    granted |= expand_scopes({scope})
    missing = [scope for scope in REQUIRED_SCOPES if not check_scopes({scope}, granted)]
    if missing and not service.spec.get("admin"):
        yield site.finding(
            (*ROLES, service.name),
            f"Activity records nothing: no role gives the service {', '.join(missing)}.",
            f"scopes: [{', '.join(SUGGESTED_SCOPES)}] and services: [{service.name}].",
        )


def _history(site: Site, words: list[str]) -> Iterator[ValuesFinding]:
    kind = site.values.get("hub", "db", "type", default="sqlite-pvc")
    mounts = site.values.list("hub", "extraVolumeMounts")
    elsewhere = any(word.startswith(("--Activity.", "--config")) for word in words)
    if kind != "sqlite-pvc" and not mounts and not elsewhere:
        yield site.finding(
            ("hub", "db", "type"),
            "the pod has no volume then, and Activity's history ends with it, at each upgrade.",
            "--Activity.database_url=postgresql+psycopg2://USER@HOST/DATABASE into the command.",
        )
