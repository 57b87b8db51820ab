"""Checks that the Hub API is reachable, and how the hub knows the service."""

import asyncio
import json
from typing import Any
from urllib.parse import urljoin, urlsplit

import jupyterhub
from jupyterhub.services.auth import check_scopes

from ..hub.versions import refuses_64_characters
from ..network import is_loopback_host
from . import probe
from .findings import CheckedSetup, Finding, unknown_findings
from .sign_in import check_redirect, check_sign_in

_HUB_BIND_URL_FIX = "hub.config.JupyterHub.hub_bind_url: http://:8081, to listen on all interfaces"
_HUB_ACCESS_FIX = 'hub.labels: {hub.jupyter.org/network-access-hub: "true"}'


async def check_hub(setup: CheckedSetup) -> list[Finding]:
    try:
        response = await probe.get(f"{setup.api_url}/", tls=setup.tls.client_context())
    except probe.ProbeError as error:
        reached, version = _api_unreachable(setup, error), ""
    else:
        version = _short_string(_json(response.body), "version")
        reached = _api_responded(setup, response.status, version)
    findings = [reached, check_version(version), check_token_length(setup, version)]
    if reached.state != "ok":
        unknown = unknown_findings("token", "scopes", "sign-in")
        return [*findings, *unknown, *check_redirect(setup)]
    checks = (check_token(setup), check_sign_in(setup), check_base_url(setup))
    for found in await asyncio.gather(*checks):
        findings += found
    return findings


def _api_unreachable(setup: CheckedSetup, error: probe.ProbeError) -> Finding:
    message = f"The Hub API at {setup.api_url} cannot be reached, so users cannot sign in: {error}."
    host = urlsplit(setup.api_url).hostname or ""
    if setup.is_external:
        return Finding("hub-api", "wrong", message, _external_api_fix(setup, error))
    # a name: the hub may listen on IPv4 or IPv6 only
    local_url = f"http://localhost:8081{setup.api_path}"
    variable = setup.variable("JUPYTERHUB_API_URL", local_url)
    if error.reason == "url" or (is_loopback_host(host) and setup.api_url != local_url):
        return Finding("hub-api", "wrong", message, f"{variable}, with the hub's own port")
    ways = [_HUB_ACCESS_FIX] if error.reason in ("dropped", "no-route") else []
    alias = setup.host_alias(host, error.addresses)
    if alias and not is_loopback_host(host):
        ways += [alias, variable]
    else:
        message += f" {host} leads to the hub's pod itself, where the hub does not listen."
        ways.append(_HUB_BIND_URL_FIX)
    return Finding("hub-api", "wrong", message, ", or ".join(ways))


def _external_api_fix(setup: CheckedSetup, error: probe.ProbeError) -> str:
    """The setting for a service that is not in the hub's pod, and often on another machine."""
    host = "hub" if setup.in_pod else "HOST"
    fix = setup.variable("JUPYTERHUB_API_URL", f"http://{host}:8081{setup.api_path}")
    if setup.in_pod:
        fix += ", with hub.NAMESPACE if the hub is in another namespace"
        fix += setup.chart_keys("hub.service, hub.namespace, hub.baseUrl")
    else:
        fix += ", with the address of the hub itself, or that of its proxy"
    if error.reason == "refused":
        return f"{fix}; {_HUB_BIND_URL_FIX}, unless the hub does not run"
    if error.reason in ("dropped", "no-route") and setup.in_pod:
        label = 'hub.jupyter.org/network-access-hub: "true"'
        return (
            f"the label {label} on this pod, and port 8081 of the hub in the egress of its network"
            " policy, as the service's chart has them; from another namespace also"
            f" hub.networkPolicy.interNamespaceAccessLabels: accept; or {fix}"
        )
    return fix


def _api_responded(setup: CheckedSetup, status: int, version: str) -> Finding:
    if status == 200 and version:
        return Finding("hub-api", "ok", f"JupyterHub {version} responds at {setup.api_url}.")
    if status >= 500:
        message = f"The Hub API at {setup.api_url} returns status {status}; see the hub's log."
        return Finding("hub-api", "wrong", message)
    message = f"The server at {setup.api_url} is not a Hub API (status {status})."
    url = urlsplit(setup.api_url)
    if url.path != setup.api_path:
        message += f" With the hub's base URL, the path is {setup.api_path}."
    right = url._replace(path=setup.api_path).geturl()
    if right == setup.api_url:
        right = "with the hub's own host and port"
    return Finding("hub-api", "wrong", message, setup.variable("JUPYTERHUB_API_URL", right))


async def check_base_url(setup: CheckedSetup) -> list[Finding]:
    """Check the hub's base URL, which an external service takes from its settings.

    The hub redirects from its base URL to its pages. Something between may change paths.
    """
    if not setup.is_external:
        return []
    right = f"{setup.base_url}services/{setup.name}/"
    if setup.prefix != right:
        message = f"The hub's proxy sends users of the service to {right}, not to {setup.prefix}."
        key = setup.variable("JUPYTERHUB_SERVICE_PREFIX", right)
        return [Finding("base-url", "wrong", message, f"{key}, or none")]
    url = setup.api_url.removesuffix("hub/api")
    try:
        response = await probe.get(url, tls=setup.tls.client_context())
    except probe.ProbeError:
        return []
    path = urlsplit(urljoin(url, response.headers.get("Location", ""))).path
    if response.status not in (301, 302) or not path.endswith("/hub/"):
        return []
    if path == setup.hub_prefix:
        message = f"The hub's base URL is {setup.base_url}, the service is at {setup.prefix}."
        return [Finding("base-url", "ok", message)]
    base_url = path.removesuffix("hub/")
    message = f"The hub's base URL is {base_url}, the service expects {setup.base_url}."
    key = setup.variable("JUPYTERHUB_BASE_URL", base_url) + setup.chart_keys("hub.baseUrl")
    return [Finding("base-url", "wrong", message, key)]


def check_version(hub: str, ours: str = jupyterhub.__version__) -> Finding:
    if not hub:
        return unknown_findings("hub-version")[0]
    if hub.partition(".")[0] == ours.partition(".")[0]:
        message = f"The hub is {hub}, the service's library {ours}."
        return Finding("hub-version", "ok", message, value=hub)
    message = (
        f"The hub is JupyterHub {hub}, but the service authenticates users with JupyterHub {ours}."
    )
    key = f"jupyterhub=={hub} where the service is installed"
    return Finding("hub-version", "wrong", message, key, hub)


def check_token_length(setup: CheckedSetup, hub: str) -> Finding:
    length = len(setup.token)
    version = hub or jupyterhub.__version__
    message = f"The service's token has {length} characters"
    if 8 <= length <= 64 and not (length == 64 and refuses_64_characters(version)):
        return Finding("token-length", "ok", f"{message}.")
    takes = f"{version} takes 8 to 63" if length == 64 else "takes 8 to 64"
    key = f"{setup.helm_key}.apiToken, a shorter one: openssl rand -hex 16"
    if setup.is_external:
        key = f"a shorter token (openssl rand -hex 16), {setup.token_fix}"
    return Finding("token-length", "wrong", f"{message}; JupyterHub {takes}.", key)


async def check_token(setup: CheckedSetup) -> list[Finding]:
    headers = {"Authorization": f"token {setup.token}"}
    try:
        response = await probe.get(f"{setup.api_url}/user", headers, setup.tls.client_context())
    except probe.ProbeError:
        return unknown_findings("token", "scopes")
    fix = setup.token_fix
    scopes = unknown_findings("scopes", needs="accept the token")
    if response.status in (401, 403):
        message = (
            f"The hub at {setup.api_url} refuses the service's token. Either it is not the hub that"
            " launched this process, which may be left over from an earlier one, or the token was"
            " set by hand."
        )
        if setup.is_external:
            message = (
                f"The hub at {setup.api_url} refuses the service's token. Either it is not the hub"
                " that has this service, or its token for the service was changed."
            )
        return [Finding("token", "wrong", message, fix), *scopes]
    model = _json(response.body)
    name = _short_string(model, "name")
    if response.status != 200 or not name:
        message = (
            f"The hub returned status {response.status} when the service requested its own account."
        )
        return [Finding("token", "unknown", message), *scopes]
    is_service = model.get("kind") == "service"
    if (name, is_service) != (setup.name, True):
        owner = f"{'service' if is_service else 'user'} {name}"
        message = f"The token does not belong to the service {setup.name}, but to the {owner}."
        if is_service and setup.is_external:
            renamed = f"JUPYTERHUB_SERVICE_NAME={name}{setup.chart_keys('name')}"
            fix = f"{renamed}, if that is this service; or {fix}"
        return [Finding("token", "wrong", message, fix), *scopes]
    recognized = Finding("token", "ok", f"The hub accepts the token of the service {name}.")
    return [recognized, check_service_scopes(setup, model.get("scopes") or [])]


def check_service_scopes(setup: CheckedSetup, scopes: list[str]) -> Finding:
    needed = sorted(setup.required_scopes)
    missing = [scope for scope in needed if not check_scopes({scope}, set(scopes))]
    if not missing:
        message = f"The service's token has the scopes it needs: {', '.join(needed) or 'none'}."
        return Finding("scopes", "ok", message)
    role = {"scopes": needed, "services": [setup.name]}
    key = f"hub.loadRoles.{setup.name}: {json.dumps(role)}, or in jupyterhub_config.py"
    key += f" c.JupyterHub.load_roles.append({json.dumps({'name': setup.name, **role})})"
    message = f"The service's token lacks scopes that it needs: {', '.join(missing)}."
    return Finding("scopes", "wrong", message, key)


def _json(body: bytes) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _short_string(model: dict[str, Any], key: str) -> str:
    """A short string of a response, which may have any content."""
    value = model.get(key)
    return value if isinstance(value, str) and value.isprintable() and len(value) < 300 else ""
