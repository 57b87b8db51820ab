"""The values overlays that a service in zero-to-jupyterhub needs."""

from collections.abc import Iterable
from typing import Any

from . import activity
from .deployment import HUB_ACCESS, HUB_PORT, LOOPBACK_ADDRESSES, Deployment
from .merge import SERVICE_LISTS, Values
from .yaml_files.document import Document

PYZ_PATH = "/usr/local/share/tornado_service/tornado_service.pyz"

# Runs in the hub, after all other configuration: "~" sorts last.
GRANT_ACCESS_CODE = """\
# Adds to what you grant, and never replaces it.
from jupyterhub.app import JupyterHub as _JupyterHub
_scope = "access:services!service={name}"
_roles = {{role["name"]: role for role in c.JupyterHub.load_roles}}
_extra = c.JupyterHub.get("extra_user_scopes") or set()
_extra = set(_extra.get_value(set()) if hasattr(_extra, "get_value") else _extra)
if "{name}-access" in _roles:
    _extra.discard(_scope)
elif "scopes" in _roles.get("user", {{}}):
    _extra.discard(_scope)
    _roles["user"]["scopes"] = list(dict.fromkeys([*_roles["user"]["scopes"], _scope]))
elif hasattr(_JupyterHub, "extra_user_scopes"):
    _extra.add(_scope)
elif "user" in _roles:
    _roles["user"]["scopes"] = ["self", _scope]
else:
    c.JupyterHub.load_roles.append({{"name": "user", "scopes": ["self", _scope]}})
if hasattr(_JupyterHub, "extra_user_scopes"):
    c.JupyterHub.extra_user_scopes = _extra
"""


def service(deployment: Deployment) -> Document:
    name = deployment.name
    document = Document(
        f"{name}: what every deployment needs. It opens at {deployment.path}\n"
        "Goes with one of allowed-ingress-ports.yaml, ingress.yaml"
        " and one of image.yaml, extra-files.yaml.\n"
        "Made by tornado-service values, which also makes it for another name, port or release."
    )
    document.put(
        ("hub", "labels"),
        {HUB_ACCESS: "true"},
        f"Lets the hub's pod reach the Hub API at http://{deployment.hub}:{HUB_PORT}: the service"
        " calls it to sign people in.",
    )
    _put_service(document, deployment)
    document.put(
        ("hub", "service", "extraPorts"),
        [{"name": name, "port": deployment.port, "targetPort": deployment.port}],
        "Opens the port on the hub's Kubernetes Service, which the url above names.",
    )
    document.put(
        ("hub", "extraPodSpec", "hostAliases"),
        [{"ip": address, "hostnames": [deployment.hub]} for address in LOOPBACK_ADDRESSES],
        f"Inside the hub's pod \"{deployment.hub}\" is the pod itself: the hub's start-up check and"
        " the service's calls of the Hub API wait for no endpoints and pass no policy. Both"
        " addresses, as the hub may listen on IPv4 or IPv6 alone.",
    )
    document.put(
        ("hub", "networkPolicy", "egress"),
        [{"to": [deployment.pod_selector("hub")], "ports": _ports(HUB_PORT, deployment.port)}],
        "The same two ways, where hostAliases are your own and the hub's egress is closed"
        " (privateIPs: false, or Cilium, which applies no ipBlock to pods).",
    )
    _put_access(document, deployment)
    document.put(
        ("proxy", "chp", "networkPolicy", "egress"),
        [{"to": [deployment.pod_selector("hub")], "ports": _ports(deployment.port)}],
        f"The proxy's way to the service. The chart opens {HUB_PORT} only, and its rule for private"
        " addresses does not count on Cilium.",
    )
    return document


def _put_service(document: Document, deployment: Deployment) -> None:
    path = ("hub", "services", deployment.name)
    document.put(
        (*path, "url"),
        f"http://{deployment.hub}:{deployment.port}",
        "How the proxy reaches the process. Not 127.0.0.1: that would be the proxy's own pod.",
    )
    document.put((*path, "display"), True, "A link in the hub's Services menu.")
    document.put((*path, "oauth_no_confirm"), True, "No page that asks for consent at sign-in.")
    if deployment.user_scopes:
        document.put(
            (*path, "oauth_client_allowed_scopes"),
            sorted(deployment.user_scopes),
            "What the apps may do in a visitor's name, as far as the visitor may.",
        )
    if deployment.custom_scopes:
        document.put(
            ("hub", "config", "JupyterHub", "custom_scopes"),
            {scope: {"description": f"{scope}, of an app"} for scope in deployment.custom_scopes},
            "The apps' own scopes: while the hub does not know one of them, nobody can sign in."
            " Roles of yours (hub.loadRoles) grant them.",
        )
    environment = {"PYTHONUNBUFFERED": "1"}
    if deployment.loopback_api:
        # a name: the hub may listen on IPv4 or IPv6 alone
        api_url = f"http://localhost:{HUB_PORT}{deployment.base_url.rstrip('/')}/hub/api"
        environment["JUPYTERHUB_API_URL"] = api_url
    document.put(
        (*path, "environment"),
        environment,
        "The only environment that reaches the process: hub.extraEnv does not. Values are text.",
    )


def _put_access(document: Document, deployment: Deployment) -> None:
    name = deployment.name
    document.put(
        ("hub", "extraConfig", f"~{name}-access"),
        GRANT_ACCESS_CODE.format(name=name),
        "Lets everyone in who may use the hub: by default nobody may open a service."
        f" With a role {name}-access in hub.loadRoles (groups.yaml), only those it names.",
    )
    if deployment.service_scopes:
        document.put(
            ("hub", "loadRoles", name),
            {"scopes": sorted(deployment.service_scopes), "services": [name]},
            "What the apps ask the Hub API for, in the service's own name.\n"
            + (activity.ROLE_COMMENT if activity.includes_activity(deployment.apps) else ""),
        )


def allowed_ingress_ports(deployment: Deployment) -> Document:
    document = Document(
        "Network policy, one of two ways: open the port to every pod of the cluster, users' pods"
        " and other namespaces included. Sign-in still guards it."
    )
    document.put(("hub", "networkPolicy", "allowedIngressPorts"), [deployment.port])
    return document


def ingress(deployment: Deployment) -> Document:
    document = Document(
        "Network policy, one of two ways: open the port to the proxy and to the hub, nobody else."
    )
    path = ("hub", "networkPolicy", "ingress")
    sources = [deployment.pod_selector("proxy"), deployment.pod_selector("hub")]
    document.put(path, [{"ports": _ports(deployment.port), "from": sources}])
    document.set_comment((*path, 0, "from", 0), "Visitors come through the proxy.")
    document.set_comment(
        (*path, 0, "from", 1),
        "The hub asks the service whether it is up, and exits if no answer comes.",
    )
    return document


def image(deployment: Deployment) -> Document:
    name, _, tag = deployment.image.rpartition(":")
    document = Document("Delivery, one of two ways: an image of the hub with the service in it.")
    document.put(
        ("hub", "image"),
        {"name": name, "tag": tag},
        "Yours, see image/README.md; or --set hub.image.name=... --set hub.image.tag=...",
    )
    _put_command(document, deployment, "-m", "tornado_service")
    return document


def extra_files(deployment: Deployment) -> Document:
    document = Document(
        "Delivery, one of two ways: the chart's own hub image and one file. Hand it over with\n"
        "base64 < tornado_service.pyz > tornado_service.b64\n"
        "helm upgrade ... --set-file hub.extraFiles.tornado_service.binaryData=tornado_service.b64"
    )
    document.put(("hub", "extraFiles", "tornado_service", "mountPath"), PYZ_PATH)
    _put_command(document, deployment, PYZ_PATH)
    return document


def _put_command(document: Document, deployment: Deployment, *start: str) -> None:
    document.put(
        ("hub", "services", deployment.name, "command"),
        deployment.command(*start),
        activity.HISTORY_COMMENT if activity.includes_activity(deployment.apps) else "",
    )


def jupyterhub_6(deployment: Deployment) -> Document:
    document = Document(
        "Only where the hub is JupyterHub 6: a 5.x hub exits over the first key and ignores the"
        " second."
    )
    document.put(
        ("hub", "services", deployment.name, "timeout"),
        60,
        "Seconds that the service may take to answer before the hub gives up, and exits.",
    )
    if not deployment.groups:
        document.put(
            ("hub", "config", "JupyterHub", "extra_user_scopes"),
            [deployment.scope],
            "Lets everyone in who may use the hub, as service.yaml does at run time.",
        )
    return document


def groups(deployment: Deployment) -> Document:
    document = Document("Access for these groups only, and for admins.")
    document.put(
        ("hub", "loadRoles", f"{deployment.name}-access"),
        {"scopes": [deployment.scope], "groups": list(deployment.groups or ("staff",))},
        "service.yaml lets everyone in unless there is a role of this name.",
    )
    return document


#: The files, in the order in which they are given to Helm.
OVERLAYS = {
    "service.yaml": service,
    "allowed-ingress-ports.yaml": allowed_ingress_ports,
    "ingress.yaml": ingress,
    "image.yaml": image,
    "extra-files.yaml": extra_files,
    "jupyterhub-6.yaml": jupyterhub_6,
    "groups.yaml": groups,
}


def _ports(*numbers: int) -> list[dict[str, int]]:
    return [{"port": number} for number in numbers]


def add_site_entries(document: Document, site: Values) -> None:
    """Add the site's entries to the document's lists, which would replace the site's."""
    for path in SERVICE_LISTS:
        ours = _at(document.values, path)
        if ours is not None:
            ours.extend(item for item in site.list(*path) if item not in ours)


def _at(values: dict[str, Any], path: Iterable[str]) -> list[Any] | None:
    value: Any = values
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, list) else None
