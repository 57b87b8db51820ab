"""Mistakes in an entry of ``hub.services``."""

from collections.abc import Iterator

from .. import paths
from ..deployment import HUB_PORT, LOOPBACK_ADDRESSES
from ..merge import as_list
from ..names import did_you_mean
from ..site import Service, Site, ValuesFinding, split_url
from ..yaml_files.writer import quoted, scalar

FIELDS = {
    "name", "admin", "url", "oauth_roles", "oauth_client_allowed_scopes", "api_token", "apiToken",
    "info", "display", "oauth_no_confirm", "command", "cwd", "environment", "user",
    "oauth_client_id", "oauth_redirect_uri",
}  # fmt: skip


def check(site: Site) -> Iterator[ValuesFinding]:
    if not site.services:
        named = f" called {site.service_name}" if site.service_name else " with a url and a command"
        yield site.finding(
            paths.SERVICES,
            f"there is no service{named}, so nothing is launched.",
            "the entry of values/service.yaml.",
        )
    yield from _port_conflicts(site)
    for service in site.services:
        yield from _fields(site, service)
        yield from _command(site, service)
        yield from _environment(site, service)
        yield from _url(site, service)
        yield from _token(site, service)


def _port_conflicts(site: Site) -> Iterator[ValuesFinding]:
    """Two processes in one pod cannot listen on one port."""
    first: dict[int, Service] = {}
    for service in site.all_services:
        if not service.command or service.port is None:
            continue
        other = first.setdefault(service.port, service)
        if other is not service and service in site.services:
            yield site.finding(
                service.path,
                f"{service.name} and {other.name} are both launched in the hub's pod with port"
                f" {service.port}: only one of them can listen.",
                f"another port, or {other.name} alone.",
            )


def _fields(site: Site, service: Service) -> Iterator[ValuesFinding]:
    known = FIELDS | {"timeout"} if site.version >= (6,) else FIELDS
    for field in service.spec:
        if field in known:
            continue
        who, fix = "the hub", did_you_mean(field, known, "nothing: remove it.")
        if field == "timeout":
            who = "only JupyterHub 6 knows it; a 5.x hub"
            fix = "nothing: remove jupyterhub-6.yaml."
        what = f'{who} exits: "No such service field: {field}".'
        yield site.finding((*service.path, field), what, fix)
    if service.spec.get("oauth_redirect_uri"):
        yield site.finding(
            (*service.path, "oauth_redirect_uri"),
            'sign-in ends in 400 "Mismatching redirect URI": the service sends the path that the'
            " hub gave it, and the hub compares text.",
            "nothing: the hub sets the path.",
        )
    if service.spec.get("user"):
        yield site.finding(
            (*service.path, "user"),
            "the hub's pod may not change user, so the process never starts and the hub exits.",
            "nothing: it runs as the hub does.",
        )


def _command(site: Site, service: Service) -> Iterator[ValuesFinding]:
    path = (*service.path, "command")
    command = service.spec.get("command")
    if site.is_external(service):
        return
    if not command:
        yield site.finding(
            path,
            "the hub takes the service for one that runs elsewhere and never starts it.",
            "image.yaml's or extra-files.yaml's; or external.yaml's url, for a service in pods of"
            " its own.",
        )
    elif isinstance(command, str):
        what = "the hub exits: it takes a list of words only."
        yield site.finding(path, what, scalar(command.split()))
    for number, word in enumerate(as_list(command)):
        if not isinstance(word, str):
            text = site.values.source_text((*path, number))
            yield site.finding(
                path,
                f"{text} is no text: the hub exits with a TraitError.",
                _in_quotes(site, (*path, number)),
            )
            break


def _environment(site: Site, service: Service) -> Iterator[ValuesFinding]:
    for name, value in service.environment.items():
        if not isinstance(value, str):
            path = (*service.path, "environment", name)
            text = site.values.source_text(path)
            yield site.finding(
                path,
                f"{text} is no text: the process cannot be started and the hub exits.",
                '"", or take the key out.' if value is None else _in_quotes(site, path),
            )
    if site.is_external(service) and service.environment:
        yield site.finding(
            (*service.path, "environment"),
            "the hub launches no process of this service, so nothing reads it.",
            "it in extraEnv of tornado_service's own chart.",
        )
    yield from _api_url(site, service)
    for name in site.values.map(*paths.EXTRA_ENV):
        if str(name).startswith("TORNADO_SERVICE_"):
            yield site.finding(
                (*paths.EXTRA_ENV, name),
                "this is the hub's environment; nothing of it reaches a service.",
                f"it in hub.services.{service.key}.environment.",
            )


def _api_url(site: Site, service: Service) -> Iterator[ValuesFinding]:
    path = (*service.path, "environment", "JUPYTERHUB_API_URL")
    text = service.environment.get("JUPYTERHUB_API_URL")
    if not isinstance(text, str):
        return
    base_url = str(site.values.get("hub", "baseUrl", default="/")).strip("/")
    right = "/" + "/".join(filter(None, [base_url, "hub/api"]))
    url = split_url(text) if split_url(text).netloc else split_url(f"http://localhost:{HUB_PORT}")
    if url.path.rstrip("/") != right:
        yield site.finding(
            path,
            f"the Hub API is not there: hub.baseUrl is /{base_url}, so every sign-in fails.",
            f"{url._replace(path=right).geturl()}, or remove it.",
        )
    elif url.hostname in LOOPBACK_ADDRESSES and url.hostname not in site.hub_loopback_addresses:
        yield site.finding(
            path,
            "the hub does not listen on that interface (hub.config.JupyterHub.hub_bind_url), so"
            " every sign-in fails.",
            f"http://localhost:{HUB_PORT}{right}, which is both.",
        )


def _url(site: Site, service: Service) -> Iterator[ValuesFinding]:
    host = site.hub or "RELEASE-hub"
    right = f"http://{host}:{service.port or 8181}"
    privileged = ", which on many clusters is for root: the service ends, and the hub exits."
    if not service.spec.get("url"):
        problem = f"there is no /services/{service.name}/ without it, and no sign-in."
    elif service.url.scheme not in ("http", "https"):
        problem = "the hub exits: it takes http:// or https:// only."
    elif service.host in {*LOOPBACK_ADDRESSES, "localhost", "0.0.0.0", "::"}:  # noqa: S104 - nothing is bound
        problem = f"{service.host} is the proxy's own pod, where nothing listens: users get 503."
    elif not site.points_to_hub(service):
        if site.is_external(service) or not service.is_tornado_service:
            return  # another Kubernetes Service of the site
        problem = (
            f"the hub's Kubernetes Service is not called {service.host} but {host}: the hub cannot"
            " reach the service and exits."
        )
        right += "; or no command, for a service in pods of its own (external.yaml)."
    elif service.port is None:
        problem = "without a port it is 80" + privileged
    elif service.port == HUB_PORT:
        right = f"http://{host}:8181"
        problem = (
            f"port {HUB_PORT} is the hub's own: the service cannot listen on it, and users get"
            " an error page of the hub's."
        )
    elif service.port < 1024:
        right = f"http://{host}:8181"
        problem = f"port {service.port} is below 1024" + privileged
    else:
        return
    yield site.finding((*service.path, "url"), problem, right)


def _token(site: Site, service: Service) -> Iterator[ValuesFinding]:
    field = "api_token" if service.spec.get("api_token") else "apiToken"
    path = (*service.path, field)
    token = service.spec.get(field)
    refusal = ' The hub refuses the token: sign-in ends in "invalid_client", API calls in 403.'
    write = "8 to 64 characters: openssl rand -hex 32, or leave it to the chart."
    if site.refuses_64_characters:
        write = "8 to 63 characters: openssl rand -hex 24; or take a newer hub."
    if token is None:
        if not site.refuses_64_characters or site.values.get("hub", "existingSecret"):
            return
        problem = "the chart makes one of 64 characters." + refusal
    elif not isinstance(token, str):
        problem = "Helm refuses a token that is no text."
        write = _in_quotes(site, path)
    elif len(token) < 8:
        problem = f"{len(token)} characters are too few: the hub exits."
    elif len(token) > 64:
        problem = f"{len(token)} characters are too many: from 5.5.3 and 6.1.0 on the hub exits."
    elif len(token) == 64 and site.refuses_64_characters:
        problem = "64 characters are too many." + refusal
    else:
        return
    yield site.finding(path, problem, write)


def _in_quotes(site: Site, path: paths.KeyPath) -> str:
    return f"it in quotes: {quoted(site.values.source_text(path))}"
