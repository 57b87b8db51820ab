"""Mistakes in permissions: roles, scopes and the code that grants them."""

from collections.abc import Iterator
from contextlib import suppress

from jupyterhub.scopes import expand_scopes
from jupyterhub.services.auth import check_scopes

from .. import paths
from ..deployment import includes_activity
from ..hub_code import grants_scope
from ..merge import as_list
from ..site import Service, Site, ValuesFinding

NO_SERVERS = "no user can start a server."

#: Without these Activity records nothing.
REQUIRED_SCOPES = ("list:users", "read:servers", "read:users:activity")

#: The scopes to grant: sufficient, and they distinguish accounts with the same name.
SUGGESTED_SCOPES = ("list:users", "read:servers", "read:users")


def check(site: Site) -> Iterator[ValuesFinding]:
    yield from _user_role(site)
    yield from _managed_roles(site)
    yield from _user_scopes(site)
    for service in site.services:
        yield from _access(site, service)


def _user_role(site: Site) -> Iterator[ValuesFinding]:
    for role in site.roles:
        if role.name == "user" and role.scopes is not None and "self" not in role.scopes:
            yield site.finding(
                (*role.path, "scopes"),
                "these replace the scopes that every user has, and self is not among them: "
                + NO_SERVERS,
                f"[{', '.join(['self', *role.scopes])}]",
            )


def _managed_roles(site: Site) -> Iterator[ValuesFinding]:
    sections = site.values.submaps("hub", "config").items()
    managed = [name for name, section in sections if section.get("manage_roles") is True]
    for role in site.roles:
        if managed and role.has_members:
            yield site.finding(
                role.path,
                f"the hub crashes: with hub.config.{managed[0]}.manage_roles no role here can name"
                " users or groups.",
                "the role where the authenticator gets them from.",
            )


def _user_scopes(site: Site) -> Iterator[ValuesFinding]:
    extra = site.values.list(*paths.USER_SCOPES)
    scopes = site.role("user").scopes
    if extra and site.version < (6,):
        yield site.finding(
            paths.USER_SCOPES,
            "only JupyterHub 6 knows it; a 5.x hub ignores it, so no user gets these scopes.",
            "nothing: service.yaml grants access on 5.x too.",
        )
    elif scopes is not None:
        ours = [service.scope for service in site.services if site.grants_itself(service)]
        lost = [str(scope) for scope in extra if scope not in [*scopes, *ours]]
        if lost:
            yield site.finding(
                paths.USER_SCOPES,
                "the hub ignores it, because hub.loadRoles.user sets the scopes of everyone.",
                f"{', '.join(lost)} into hub.loadRoles.user.scopes.",
            )


def _access(site: Site, service: Service) -> Iterator[ValuesFinding]:
    everyone = _key_for_everyone(site, service)
    some = f"{service.name}-access"
    if everyone:
        if site.role(some).spec and not site.grants_itself(service):
            yield site.finding(
                (*paths.ROLES, some),
                f"{everyone} lets everyone in, not only those whom this role names.",
                "the extraConfig of service.yaml too, which takes that back.",
            )
    elif not any(role.has_members and service.is_opened_by(role.scopes) for role in site.roles):
        yield site.finding(
            service.path,
            f'only admins can open it: 403 "You do not have permission to access'
            f' {service.name}", and no link.',
            "the extraConfig of service.yaml, or groups.yaml's role.",
        )


def _key_for_everyone(site: Site, service: Service) -> str:
    scopes = site.role("user").scopes
    if service.is_opened_by(scopes):
        return "hub.loadRoles.user"
    # in JupyterHub 6, unless the role sets its own
    extra = site.values.list(*paths.USER_SCOPES) if site.version >= (6,) and scopes is None else []
    if service.is_opened_by(list(map(str, extra))):
        return ".".join(paths.USER_SCOPES)
    files = site.values.submaps(*paths.EXTRA_FILES).values()
    code = [*site.values.map(*paths.EXTRA_CONFIG).values(), *(f.get("stringData") for f in files)]
    return "hub.extraConfig" if any(grants_scope(str(text), service.scope) for text in code) else ""


def check_activity(site: Site) -> Iterator[ValuesFinding]:
    """Mistakes that leave the built-in app without data."""
    for service in site.services:
        words = [str(word) for word in service.command]
        apps = [word.partition("=")[2] for word in words if word.startswith("--TornadoService.app")]
        if includes_activity(apps):
            yield from _activity_role(site, service)
            yield from _history(site, words)


def _activity_role(site: Site, service: Service) -> Iterator[ValuesFinding]:
    granted: set[str] = set()
    for role in site.roles:
        if service.name in as_list(role.spec.get("services")):
            for scope in role.scopes or ():
                with suppress(KeyError):  # the hub reports unknown ones
                    granted |= expand_scopes({scope})
    missing = [scope for scope in REQUIRED_SCOPES if not check_scopes({scope}, granted)]
    if missing and not service.spec.get("admin"):
        yield site.finding(
            (*paths.ROLES, service.name),
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
