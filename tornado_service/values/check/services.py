"""Mistakes in an entry of ``hub.services``."""

from collections.abc import Iterator

from ...hub.versions import REFUSES_64_CHARACTERS
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
FIELDS_6 = FIELDS | {"timeout"}


def check(site: Site) -> Iterator[ValuesFinding]:
    if not site.services:
        named = f" called {site.service_name}" if site.service_name else " with a url and a command"
        yield site.finding(
            ("hub", "services"),
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
    known = FIELDS_6 if site.version >= (6,) else FIELDS
    for field in service.spec:
        if field == "timeout" and field not in known:
            yield site.finding(
                (*service.path, field),
                'only JupyterHub 6 knows it; a 5.x hub exits: "No such service field: timeout".',
                "nothing: leave jupyterhub-6.yaml away.",
            )
        elif field not in known:
            yield site.finding(
                (*service.path, field),
                f'the hub exits: "No such service field: {field}".',
                did_you_mean(field, known, "nothing: leave it away."),
            )
    if service.spec.get("oauth_redirect_uri"):
        yield site.finding(
            (*service.path, "oauth_redirect_uri"),
            'sign-in ends in 400 "Mismatching redirect URI": the service sends the path that the'
            " hub gave it, and the hub compares text.",
            "nothing: the hub knows the address.",
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
    if not command:
        yield site.finding(
            path,
            "the hub takes the service for one that runs elsewhere and never starts it.",
            "image.yaml's or extra-files.yaml's.",
        )
    elif isinstance(command, str):
        yield site.finding(
            path,
            "the hub exits: it takes a list of words only.",
            scalar(command.split()),
        )
    words = enumerate(as_list(command))
    wrong = [number for number, word in words if not isinstance(word, str)]
    if wrong:
        text = site.values.source_text((*path, wrong[0]))
        yield site.finding(
            path,
            f"{text} is no text: the hub exits with a TraitError.",
            f"it in quotes: {quoted(text)}",
        )


def _environment(site: Site, service: Service) -> Iterator[ValuesFinding]:
    for name, value in service.environment.items():
        if not isinstance(value, str):
            path = (*service.path, "environment", name)
            text = site.values.source_text(path)
            yield site.finding(
                path,
                f"{text} is no text: the process cannot be started and the hub exits.",
                '"", or take the key out.' if value is None else f"it in quotes: {quoted(text)}",
            )
    yield from _api_url(site, service)
    for name in site.values.map("hub", "extraEnv"):
        if str(name).startswith("TORNADO_SERVICE_"):
            yield site.finding(
                ("hub", "extraEnv", name),
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
            f"{url._replace(path=right).geturl()}, or leave it away.",
        )
    elif url.hostname in LOOPBACK_ADDRESSES and url.hostname not in site.hub_loopback_addresses:
        yield site.finding(
            path,
            "the hub does not listen on that address (hub.config.JupyterHub.hub_bind_url), so every"
            " sign-in fails.",
            f"http://localhost:{HUB_PORT}{right}, which is both.",
        )


def _url(site: Site, service: Service) -> Iterator[ValuesFinding]:
    path = (*service.path, "url")
    host = site.hub or "RELEASE-hub"
    right = f"http://{host}:{service.port or 8181}"
    if not service.spec.get("url"):
        yield site.finding(
            path, f"there is no /services/{service.name}/ without it, and no sign-in.", right
        )
    elif service.url.scheme not in ("http", "https"):
        yield site.finding(path, "the hub exits: it takes http:// or https:// only.", right)
    elif service.host in {*LOOPBACK_ADDRESSES, "localhost", "0.0.0.0", "::"}:  # noqa: S104 - nothing is bound
        yield site.finding(
            path,
            f"{service.host} is the proxy's own pod, where nothing listens: visitors get 503.",
            right,
        )
    elif not site.points_to_hub(service):
        if not service.is_tornado_service:
            return  # a Kubernetes Service of the site's own
        yield site.finding(
            path,
            f"the hub's Kubernetes Service is not called {service.host} but {host}: the hub cannot"
            " reach the service and exits.",
            right,
        )
    elif service.port is None:
        yield site.finding(path, "without a port it is 80" + _PRIVILEGED_PORT, right)
    elif service.port == HUB_PORT:
        yield site.finding(
            path,
            f"port {HUB_PORT} is the hub's own: the service cannot listen on it, and visitors get"
            " an error page of the hub's.",
            f"http://{host}:8181",
        )
    elif service.port < 1024:
        yield site.finding(
            path, f"port {service.port} is below 1024" + _PRIVILEGED_PORT, f"http://{host}:8181"
        )


_PRIVILEGED_PORT = ", which on many clusters is for root: the service ends, and the hub exits."


def _token(site: Site, service: Service) -> Iterator[ValuesFinding]:
    field = "api_token" if service.spec.get("api_token") else "apiToken"
    path = (*service.path, field)
    token = service.spec.get(field)
    write = "8 to 64 characters: openssl rand -hex 32, or leave it to the chart."
    if site.version[:3] in REFUSES_64_CHARACTERS:
        write = "8 to 63 characters: openssl rand -hex 24; or take a newer hub."
    if token is None:
        # the chart then makes one of 64 characters
        if site.version[:3] in REFUSES_64_CHARACTERS and not site.values.get(
            "hub", "existingSecret"
        ):
            yield site.finding(path, "the chart makes one of 64 characters." + _REFUSAL, write)
    elif not isinstance(token, str):
        text = site.values.source_text(path)
        yield site.finding(
            path, "Helm refuses a token that is no text.", f"it in quotes: {quoted(text)}"
        )
    elif len(token) < 8:
        yield site.finding(path, f"{len(token)} characters are too few: the hub exits.", write)
    elif len(token) > 64:
        yield site.finding(
            path,
            f"{len(token)} characters are too many: from 5.5.3 and 6.1.0 on the hub exits.",
            write,
        )
    elif len(token) == 64 and site.version[:3] in REFUSES_64_CHARACTERS:
        yield site.finding(path, "64 characters are too many." + _REFUSAL, write)


_REFUSAL = ' The hub refuses the token: sign-in ends in "invalid_client", API calls in 403.'
