"""Names that JupyterHub or Kubernetes refuses: roles, scopes, services, variables, ports."""

from collections.abc import Iterator
from typing import Any

from jupyterhub import version_info
from jupyterhub.scopes import scope_definitions

from .. import names, paths
from ..deployment import HUB_PORT
from ..merge import as_map
from ..site import Role, Service, Site, ValuesFinding

IDLE_CULLER = "jupyterhub-idle-culler"

#: Filters of scopes without a value, and those with one.
FILTERS = ("user", "service", "server")
FILTERS_WITH_VALUE = ("user=", "service=", "group=", "server=")


def check(site: Site) -> Iterator[ValuesFinding]:
    yield from _roles(site)
    yield from _custom_scopes(site)
    for role in site.roles:
        for scope in role.scopes or ():
            yield from _scope(site, role, scope)
    for service in site.all_services:
        yield from _service(site, service)
    yield from _variables(site)
    yield from _ports(site)
    yield from _hub_service(site)
    yield from _base_url(site)


def _roles(site: Site) -> Iterator[ValuesFinding]:
    seen = {IDLE_CULLER} if site.values.is_enabled("cull", "enabled") else set()
    for role in site.roles:
        path = (*role.path, "name") if "name" in role.spec else role.path
        if not names.ROLE.allows(role.name):
            yield site.finding(path, *refused_role(role.name))
        elif role.name in seen:
            what = f'the hub exits: "Role {role.name} multiply defined".'
            yield site.finding(path, what, "another name.")
        seen.add(str(role.name))


def refused_role(name: object) -> tuple[str, str]:
    better = names.suggest_name(str(name), names.ROLE, "role")
    return (
        f'the hub exits: "Invalid role name: {str(name)[:60]!r}".',
        f"a name of {names.ROLE.hint}: {better}",
    )


def _custom_scopes(site: Site) -> Iterator[ValuesFinding]:
    for scope, definition in site.values.map(*paths.CUSTOM_SCOPES).items():
        path = (*paths.CUSTOM_SCOPES, scope)
        if not names.CUSTOM_SCOPE.allows(scope):
            yield site.finding(path, *_refused_scope(scope))
        elif "description" not in as_map(definition):
            what = "the hub exits: a scope needs a description."
            yield site.finding(path, what, "{description: what it allows}")


def _refused_scope(scope: object) -> tuple[str, str]:
    return (
        f'the hub exits: "Invalid scope name: {str(scope)[:60]!r}".',
        f"a name of {names.CUSTOM_SCOPE.hint}.",
    )


def _scope(site: Site, role: Role, scope: str) -> Iterator[ValuesFinding]:
    path = (*role.path, "scopes")
    name, has_filter, filter_ = scope.partition("!")
    kind, _, value = filter_.partition("=")
    is_filter = filter_ in FILTERS or (f"{kind}=" in FILTERS_WITH_VALUE and value)
    if has_filter and not is_filter:
        yield site.finding(
            path,
            f'the hub has no filter "!{filter_}" for {name}: it exits or grants nothing.',
            f"one of !{', !'.join(FILTERS)}, or !{', !'.join(FILTERS_WITH_VALUE)} and a name.",
        )
    exits = f"the hub exits: \"Scope '{scope}' for role {role.key} does not exist\"."
    if not name.startswith("custom:"):
        # the installed hub knows the scopes of its own major version
        if name not in scope_definitions and site.version[0] == version_info[0]:
            fix = names.did_you_mean(name, scope_definitions, "nothing: take it out.")
            yield site.finding(path, exits, fix)
    elif not names.CUSTOM_SCOPE.allows(name):
        yield site.finding(path, *_refused_scope(name))
    elif name not in site.values.map(*paths.CUSTOM_SCOPES) and not _code_defines(site, name):
        fix = f"it under {'.'.join(paths.CUSTOM_SCOPES)} too, with a description."
        yield site.finding(path, exits, fix)


def _code_defines(site: Site, scope: str) -> bool:
    """Whether code of the site may define a scope; files may contain unknown code."""
    sections = (site.values.map("hub", key) for key in ("extraConfig", "extraFiles"))
    return any(word in str(section) for section in sections for word in ("custom_scopes", scope))


def _service(site: Site, service: Service) -> Iterator[ValuesFinding]:
    problem = names.service_name_problem(service.name)
    # without a patch number, the latest patch
    version = (*site.version, 99, 99)[:3]
    if not names.SECRET_KEY.allows(f"hub.services.{service.key}.apiToken"):
        yield site.finding(
            service.path,
            "Kubernetes refuses the Secret that holds the service's token: its key is made of this"
            " name.",
            f"a name of {names.SECRET_KEY.hint}:"
            f" {names.suggest_name(service.key, names.SERVICE, 'service')}",
        )
    elif problem and version >= ((5, 5, 3) if version < (6,) else (6, 1, 0)):
        yield site.finding(
            (*service.path, "name") if "name" in service.spec else service.path,
            f"the hub exits over the name {service.name!r}: {problem}.",
            f"such as {names.suggest_name(service.name, names.SERVICE, 'service')}",
        )


def _variables(site: Site) -> Iterator[ValuesFinding]:
    sections = [(*service.path, "environment") for service in site.services]
    for section in (*sections, paths.EXTRA_ENV):
        for name in site.values.map(*section):
            if not str(name) or "=" in str(name) or "\0" in str(name):
                what = "the process cannot be started and the hub exits"
                if section[-1] == "extraEnv":
                    what = "Kubernetes refuses the hub's Deployment"
                yield site.finding(
                    (*section, name),
                    f"this is no name of an environment variable: {what}.",
                    f"{str(name).partition('=')[0] or 'NAME'}: VALUE",
                )


def _ports(site: Site) -> Iterator[ValuesFinding]:
    used: list[Any] = ["hub", HUB_PORT]
    for entry in map(as_map, site.values.list(*paths.EXTRA_PORTS)):
        name, port = entry.get("name"), entry.get("port")
        if not names.DNS_LABEL.allows(name):
            yield site.finding(
                paths.EXTRA_PORTS,
                f"Kubernetes refuses the name {name!r}: the hub's Service is not changed.",
                f"a name of {names.DNS_LABEL.hint}:"
                f" {names.suggest_name(str(name or 'http'), names.DNS_LABEL, 'port')}",
            )
        elif name in used:
            what = f"Kubernetes refuses a second port called {name}."
            yield site.finding(paths.EXTRA_PORTS, what, "another name.")
        if port in used:
            what = f"Kubernetes refuses a second port {port}."
            yield site.finding(paths.EXTRA_PORTS, what, "another port.")
        used += [name, port]


def _hub_service(site: Site) -> Iterator[ValuesFinding]:
    if site.hub and not names.KUBERNETES_SERVICE.allows(site.hub):
        key = "fullnameOverride" if site.values.get("fullnameOverride") else "nameOverride"
        yield site.finding(
            (key,),
            f"Kubernetes refuses a Service called {site.hub}, which is the hub's.",
            f"a name of {names.KUBERNETES_SERVICE.hint}, with -hub.",
        )


def _base_url(site: Site) -> Iterator[ValuesFinding]:
    path = site.values.get(*paths.BASE_URL)
    if not isinstance(path, str):
        return
    if "://" in path:
        what = "it is taken for a path, so the hub is nowhere."
        yield site.finding(paths.BASE_URL, what, "its path alone: /lab/")
    elif path and not path.startswith("/") and site.values.get("ingress", "enabled") is True:
        what = "Kubernetes refuses the Ingress: its paths begin with a slash."
        yield site.finding(paths.BASE_URL, what, f"/{path}")
