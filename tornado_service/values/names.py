"""The rules of JupyterHub, Kubernetes and Helm for names."""

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote


@dataclass(frozen=True)
class NameRule:
    """A rule for names: a pattern, and its description, which continues "a name of"."""

    pattern: str
    hint: str

    def allows(self, name: Any) -> bool:
        return isinstance(name, str) and bool(re.fullmatch(self.pattern, name, re.ASCII))


_DOMAIN = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"
_LABEL = r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?"
_LABEL_HINT = "letters, digits and -_., a letter or digit first and last, at most 63"
_IMAGE_PATH = r"[a-z0-9]+(([._]|__|-+)[a-z0-9]+)*(/[a-z0-9]+(([._]|__|-+)[a-z0-9]+)*)*"

#: Roles: https://jupyterhub.readthedocs.io/en/stable/rbac/roles.html
ROLE = NameRule(
    r"[a-z][-a-z0-9._~]{1,253}[a-z0-9]",
    "3 to 255 characters of a-z, 0-9 and -._~, a letter first, a letter or digit last",
)
#: Custom scopes: https://jupyterhub.readthedocs.io/en/stable/rbac/scopes.html
CUSTOM_SCOPE = NameRule(
    r"custom:[a-z0-9][-a-z0-9_*:]+[a-z0-9_*]",
    "custom: and 3 or more of a-z, 0-9 and -_:*, a letter or digit first, no - or : last",
)
#: Ports of a Service, and other RFC 1123 labels:
#: https://kubernetes.io/docs/concepts/overview/working-with-objects/names/
DNS_LABEL = NameRule(
    r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?",
    "a-z, 0-9 and -, a letter or digit first and last, at most 63",
)
#: A Service (RFC 1035).
KUBERNETES_SERVICE = NameRule(
    r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?",
    "a-z, 0-9 and -, a letter first, a letter or digit last, at most 63",
)
#: A port of a container, in ``targetPort`` and in network policies.
CONTAINER_PORT = NameRule(
    r"(?=.{1,15}$)(?=.*[a-z])[a-z0-9]+(-[a-z0-9]+)*",
    "a-z, 0-9 and single -, at least one letter, at most 15",
)
LABEL_VALUE = NameRule(f"({_LABEL})?", _LABEL_HINT)
#: A label's key may have a domain as a prefix.
LABEL_KEY = NameRule(rf"((?=.{{1,253}}/){_DOMAIN}/)?{_LABEL}", _LABEL_HINT)
#: A key in a Secret.
SECRET_KEY = NameRule(
    r"(?!\.\.)(?!\.$)[-._a-zA-Z0-9]{1,253}", "letters, digits and -._, at most 253"
)
#: A Helm release.
RELEASE = NameRule(
    rf"(?=.{{1,53}}$){_DOMAIN}", "a-z, 0-9 and -, a letter or digit first and last, at most 53"
)
#: An image without its tag: https://pkg.go.dev/github.com/distribution/reference
IMAGE = NameRule(
    rf"((?i:{_DOMAIN})(:[0-9]+)?/)?{_IMAGE_PATH}((:\w[\w.-]{{0,127}})?@sha256)?",
    "a-z, 0-9 and ._- between /, with the registry's host in front",
)
IMAGE_TAG = NameRule(
    r"\w[\w.-]{0,127}", "letters, digits and _.-, a letter, digit or _ first, at most 128"
)
#: A service of ours, whose name is also that of a role and of a port.
SERVICE = NameRule(
    r"[a-z][-a-z0-9]{1,61}[a-z0-9]",
    "a-z, 0-9 and -, a letter first, a letter or digit last, at least 3 and at most 63",
)

#: Names in use by the hub or the chart: its roles, its service, the port of the hub.
RESERVED_NAMES = frozenset({"admin", "hub", "jupyterhub-idle-culler", "server", "token", "user"})


def service_name_problem(name: str) -> str:
    """Why the hub refuses a service's name, from 5.5.3 and 6.1.0 on; empty if it does not."""
    if not name or name != name.strip():
        return "it is empty, or has a space at an end"
    if "/" in name:
        return "it has a slash"
    if unquote(name) != name:
        return "it has an escaped character (%)"
    return "it is a relative path" if set(name) == {"."} else ""


def suggest_name(name: str, rule: NameRule, otherwise: str) -> str:
    """A similar name that the rule allows."""
    simple = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    candidates = (simple, simple[:63].strip("-"), f"{otherwise}-{simple}"[:63].strip("-"))
    return next((candidate for candidate in candidates if rule.allows(candidate)), otherwise)


def did_you_mean(name: object, known: Iterable[str], otherwise: str) -> str:
    """The known name that is most similar, as a question."""
    similar = difflib.get_close_matches(str(name), known, n=1)
    return f"{similar[0]}?" if similar else otherwise
