"""Defaults of the sign-in: the hub's variables, or what follows from an external service's few."""

from __future__ import annotations

import json
import os
import re
from urllib.parse import urlsplit

from jupyterhub.services.auth import HubOAuth
from jupyterhub.utils import url_path_join
from traitlets import TraitError, default

from ..config.launch import is_launched_by_hub
from ..config.token_file import TokenFile

#: Characters of a path segment without ``%``: https://www.rfc-editor.org/rfc/rfc3986#section-3.3
#: Of these, only those of a cookie's name, which contains that of the service.
_SEGMENT = re.compile(r"[\w.~!$&'*+:-]+", re.ASCII)

_API_PATH = re.compile(r"(?P<base>/(?:[^/]+/)*)hub/api/?")

_BASE_URL = re.compile(r"/(?:[^/?#\s]+/)*[^/?#\s]*")


def base_url_of(api_url: str) -> str:
    """The hub's base URL, such as ``/`` or ``/jupyter/``, in the URL of its API; empty without."""
    try:
        url = urlsplit(api_url)
        is_url = url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0
    except ValueError:
        return ""
    path = _API_PATH.fullmatch(url.path)
    return path["base"] if path and is_url and not url.query and not url.fragment else ""


def _is_public_url(text: str, *, is_origin: bool = False) -> bool:
    """Whether a text is a URL for browsers, or with ``is_origin`` no more than scheme and host."""
    try:
        url = urlsplit(text)
        is_url = url.scheme in ("http", "https") and bool(url.hostname) and url.port != 0
    except ValueError:
        return False
    return is_url and not (is_origin and text != f"{url.scheme}://{url.netloc}")


def external_service_problem(name: str, api_url: str, hub_host: str) -> str:
    """Why an external service cannot use its variables, or derive others; empty if it can.

    A hub sets them itself for a service that it launches.

    Args:
        name: the service's name in the hub.
        api_url: the URL of the Hub API.
        hub_host: the hub's origin for browsers; empty: that of the service.
    """
    if not _SEGMENT.fullmatch(name) or not name.strip("."):
        return (
            f"JUPYTERHUB_SERVICE_NAME is {name!r}: it takes the name of the service in the hub's"
            " configuration, which is the NAME in /services/NAME/ and in the names of cookies."
        )
    if not base_url_of(api_url):
        return (
            f"JUPYTERHUB_API_URL is {api_url!r}: it takes the URL of the Hub API, which ends in"
            " /hub/api, such as http://hub:8081/hub/api."
        )
    base_url = os.environ.get("JUPYTERHUB_BASE_URL", "")
    if base_url and not _BASE_URL.fullmatch(base_url):
        return (
            f"JUPYTERHUB_BASE_URL is {base_url!r}: it takes a path that begins and ends with a"
            " slash, such as /jupyter/."
        )
    if hub_host and not _is_public_url(hub_host, is_origin=True):
        return (
            f"JUPYTERHUB_HOST is {hub_host!r}: it takes the hub's origin, such as"
            " https://hub.example.org, without a slash at the end."
        )
    public_url = os.environ.get("JUPYTERHUB_PUBLIC_URL", "")
    if public_url and not _is_public_url(public_url):
        return (
            f"JUPYTERHUB_PUBLIC_URL is {public_url!r}: it takes the URL of the service in a"
            f" browser, such as https://hub.example.org/services/{name}/."
        )
    return ""


class EnvironmentDefaults(HubOAuth):
    """Defaults from the environment, for ``ServiceAuth``.

    A hub sets all variables of a service that it launches. An external service needs name, API URL
    and token only, as the rest follows from them. A variable that is set has precedence. The
    library reads some variables when it is imported; here they are read when they are needed.
    """

    @default("api_url")
    def _default_api_url(self) -> str:
        given = os.environ.get("JUPYTERHUB_API_URL", "")
        if given or not is_launched_by_hub():
            return given
        return "http://127.0.0.1:8081" + url_path_join(self.hub_prefix, "api")

    @default("api_token")
    def _default_api_token(self) -> str:
        if self.parent.token_file:
            return TokenFile(self.parent.token_file).read()
        return os.environ.get("JUPYTERHUB_API_TOKEN", "")

    @default("hub_prefix")
    def _default_hub_prefix(self) -> str:
        base = os.environ.get("JUPYTERHUB_BASE_URL", "")
        if not base and not is_launched_by_hub():
            base = base_url_of(self.api_url)
        return url_path_join(base or "/", "hub") + "/"

    @default("base_url")
    def _default_base_url(self) -> str:
        given = os.environ.get("JUPYTERHUB_SERVICE_PREFIX", "")
        if given or is_launched_by_hub() or not self.parent.service_name:
            return given or "/"
        hub_base_url = self.hub_prefix.rstrip("/").rpartition("/")[0]
        return url_path_join("/", hub_base_url, "services", self.parent.service_name) + "/"

    @default("oauth_client_id")
    def _default_oauth_client_id(self) -> str:
        given = os.environ.get("JUPYTERHUB_CLIENT_ID", "")
        if given or is_launched_by_hub() or not self.parent.service_name:
            return given
        return f"service-{self.parent.service_name}"

    @default("access_scopes")
    def _default_access_scopes(self) -> set[str]:
        names = ("JUPYTERHUB_OAUTH_ACCESS_SCOPES", "JUPYTERHUB_OAUTH_SCOPES")  # the second is older
        for name in names:
            if text := os.environ.get(name):
                return _parse_scopes(name, text)
        service = self.parent.service_name
        return {"access:services", f"access:services!service={service}"} if service else set()


def _parse_scopes(name: str, text: str) -> set[str]:
    """The scopes in a variable.

    Raises:
        TraitError: it is not a JSON list of texts, or it is empty.
    """
    try:
        scopes = json.loads(text)
    except ValueError:
        scopes = None
    # an empty list would let everybody in
    if isinstance(scopes, list) and scopes and all(isinstance(scope, str) for scope in scopes):
        return set(scopes)
    raise TraitError(
        f'{name} is {text!r}: it takes a JSON list, such as ["access:services!service=NAME"].'
    )
