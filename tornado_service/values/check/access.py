"""Mistakes in who may do what: roles, scopes and the code that grants them."""

from collections.abc import Iterator
from typing import Any

from ..hub_code.settings import grants_scope
from ..site import Service, Site, ValuesFinding

ROLES = ("hub", "loadRoles")
USER_SCOPES = ("hub", "config", "JupyterHub", "extra_user_scopes")
NO_SERVERS = "nobody can start a server."


def check(site: Site) -> Iterator[ValuesFinding]:
    yield from _user_role(site)
    yield from _managed_roles(site)
    yield from _user_scopes(site)
    for service in site.services:
        yield from _access(site, service)


def _user_role(site: Site) -> Iterator[ValuesFinding]:
    for key, role in site.values.submaps(*ROLES):
        scopes = _scopes(role)
        is_user = role.get("name", key) == "user"
        if is_user and scopes is not None and "self" not in scopes:
            yield site.finding(
                (*ROLES, key, "scopes"),
                "these replace the scopes that every user has, and self is not among them: "
                + NO_SERVERS,
                f"[{', '.join(['self', *scopes])}]",
            )


def _managed_roles(site: Site) -> Iterator[ValuesFinding]:
    managed = [
        name
        for name, section in site.values.submaps("hub", "config")
        if section.get("manage_roles") is True
    ]
    for key, role in site.values.submaps(*ROLES):
        if managed and (role.get("users") or role.get("groups")):
            yield site.finding(
                (*ROLES, key),
                f"the hub crashes: with hub.config.{managed[0]}.manage_roles no role here may name"
                " users or groups.",
                "the role where the authenticator gets them from.",
            )


def _user_scopes(site: Site) -> Iterator[ValuesFinding]:
    extra = site.values.list(*USER_SCOPES)
    if not extra:
        return
    user = _role(site, "user")
    if site.version < (6,):
        yield site.finding(
            USER_SCOPES,
            "only JupyterHub 6 knows it; a 5.x hub ignores it, so nobody gets these scopes.",
            "nothing: service.yaml grants access on 5.x too.",
        )
    elif (scopes := _scopes(user)) is not None:
        ours = [service.scope for service in site.services if _grants_itself(site, service)]
        lost = [scope for scope in extra if scope not in [*scopes, *ours]]
        if lost:
            yield site.finding(
                USER_SCOPES,
                "the hub ignores it, because hub.loadRoles.user sets the scopes of everyone.",
                f"{', '.join(map(str, lost))} into hub.loadRoles.user.scopes.",
            )


def _access(site: Site, service: Service) -> Iterator[ValuesFinding]:
    everyone = _key_for_everyone(site, service)
    if not everyone and not _is_granted_to_some(site, service):
        yield site.finding(
            service.path,
            f'nobody but admins may open it: 403 "You do not have permission to access'
            f' {service.name}", and no link.',
            "the extraConfig of service.yaml, or groups.yaml's role.",
        )
    elif everyone and _role(site, f"{service.name}-access") and not _grants_itself(site, service):
        yield site.finding(
            (*ROLES, f"{service.name}-access"),
            f"{everyone} lets everyone in, not only those whom this role names.",
            "the extraConfig of service.yaml too, which takes that back.",
        )


def _key_for_everyone(site: Site, service: Service) -> str:
    user = _role(site, "user")
    if user and _includes_service(user, service):
        return "hub.loadRoles.user"
    counts = site.version >= (6,) and _scopes(user) is None
    if counts and _includes_service({"scopes": site.values.list(*USER_SCOPES)}, service):
        return ".".join(USER_SCOPES)
    code = list(map(str, site.values.map("hub", "extraConfig").values()))
    files = site.values.submaps("hub", "extraFiles")
    code += [str(details.get("stringData")) for _, details in files]
    return "hub.extraConfig" if any(grants_scope(text, service.scope) for text in code) else ""


def _is_granted_to_some(site: Site, service: Service) -> bool:
    return any(
        _includes_service(role, service) and bool(role.get("users") or role.get("groups"))
        for _, role in site.values.submaps(*ROLES)
    )


def _grants_itself(site: Site, service: Service) -> bool:
    code = site.values.map("hub", "extraConfig").get(f"~{service.name}-access")
    return isinstance(code, str) and service.scope in code


def _includes_service(role: dict[str, Any], service: Service) -> bool:
    scopes = _scopes(role) or []
    return service.scope in scopes or "access:services" in scopes


def _scopes(role: dict[str, Any]) -> list[str] | None:
    """The scopes that a role sets; nothing where it leaves them as they are."""
    scopes = role.get("scopes")
    if scopes is None:
        return None
    return [str(scope) for scope in scopes] if isinstance(scopes, list) else []


def _role(site: Site, name: str) -> dict[str, Any]:
    for key, role in site.values.submaps(*ROLES):
        if role.get("name", key) == name:
            return role
    return {}
