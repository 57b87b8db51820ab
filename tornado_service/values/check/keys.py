"""Mistakes in single keys: nulls, unread keys, names that Kubernetes refuses."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from .. import names
from ..names import NameRule
from ..site import Site, ValuesFinding

#: Whether a key with this value is a mistake.
Condition = Callable[[Any, Any], bool]


class KeyCheck(NamedTuple):
    """A finding for each matching key.

    Its texts may contain ``{key}``, ``{value}``, and ``{port}`` for the port to write.
    """

    pattern: str
    condition: Condition
    consequence: str
    fix: str


def _is_null(key: Any, value: Any) -> bool:
    return value is None


def _is_set(key: Any, value: Any) -> bool:
    return bool(value)


def _bad_key(rule: NameRule) -> Condition:
    return lambda key, value: not rule.allows(str(key))


def _bad_value(rule: NameRule) -> Condition:
    return lambda key, value: isinstance(value, str) and value != "" and not rule.allows(value)


def _bad_label(key: Any, value: Any) -> bool:
    return names.LABEL_KEY.allows(str(key)) and _bad_value(names.LABEL_VALUE)(key, value)


# null deletes the chart's default; for a key of an earlier file, it leaves a null
KEY_CHECKS = (
    KeyCheck(
        "hub.loadRoles.*",
        _is_null,
        "the hub crashes: 'NoneType' object has no attribute 'setdefault'.",
        "nothing: take the entry itself out.",
    ),
    KeyCheck(
        "hub.services.*",
        _is_null,
        "Helm cannot render the chart: a null is no service.",
        "nothing: take the entry itself out.",
    ),
    KeyCheck(
        "hub.extraConfig.*",
        _is_null,
        "the hub crashes: it runs each entry, and null is no code.",
        '""',
    ),
    KeyCheck(
        "hub.config.JupyterHub.services",
        _is_set,
        "the chart drops it without a word.",
        "hub.services.",
    ),
    KeyCheck(
        "hub.config.JupyterHub.load_roles",
        _is_set,
        "it replaces the chart's own roles: the idle culler and your services lose theirs.",
        "hub.loadRoles.",
    ),
    KeyCheck(
        "hub.service.ports.extraPorts",
        lambda key, value: value is not None,
        "no chart has this key, Helm refuses the values.",
        "it one level up: hub.service.extraPorts.",
    ),
    *(
        KeyCheck(
            f"{pod}.labels.*", condition, f"Kubernetes refuses the Deployment {pod}: {why}", fix
        )
        for pod in ("hub", "proxy")
        for condition, why, fix in (
            (_bad_key(names.LABEL_KEY), "this is no name of a label.", names.LABEL_KEY.hint),
            (
                _bad_label,
                "a label does not take this value.",
                f"{names.LABEL_VALUE.hint}; or an annotation.",
            ),
        )
    ),
    *(
        KeyCheck(
            f"{pod}.extraFiles.*",
            _bad_key(names.SECRET_KEY),
            "Kubernetes refuses the Secret with the files: this is a key in it.",
            f"a name of {names.SECRET_KEY.hint}; where the file goes is its mountPath.",
        )
        for pod in ("hub", "singleuser")
    ),
    *(
        KeyCheck(
            f"hub.image.{field}",
            _bad_value(rule),
            "no image has the {key} {value}: the hub's pod stays at InvalidImageName.",
            f"a {field} of {rule.hint}.",
        )
        for field, rule in (("name", names.IMAGE), ("tag", names.IMAGE_TAG))
    ),
    KeyCheck(
        "nameOverride",
        _bad_value(names.LABEL_VALUE),
        "it is the value of a label, and Kubernetes refuses it.",
        f"a name of {names.LABEL_VALUE.hint}.",
    ),
    KeyCheck(
        "hub.service.extraPorts.*.port",
        lambda key, value: isinstance(value, str),
        'Kubernetes refuses the port "{value}", a text.',
        "{port}",
    ),
    *(
        KeyCheck(
            pattern,
            _bad_value(names.CONTAINER_PORT),
            'Kubernetes takes "{value}", a text, for the name of a port, and refuses it.',
            "{port}",
        )
        for pattern in (
            "hub.service.extraPorts.*.targetPort",
            "hub.networkPolicy.ingress.*.ports.*.port",
            "hub.networkPolicy.egress.*.ports.*.port",
            "proxy.chp.networkPolicy.egress.*.ports.*.port",
        )
    ),
)


def check(site: Site) -> Iterator[ValuesFinding]:
    for pattern, condition, consequence, fix in KEY_CHECKS:
        for path, value in site.values.find(pattern):
            if condition(path[-1], value):
                # findings name a list, not its entries
                depth = next((n for n, key in enumerate(path) if isinstance(key, int)), len(path))
                port = f"a number, or a name of {names.CONTAINER_PORT.hint}."
                if str(value).isdigit():
                    port = f"{value}, without quotes."
                texts = {"key": path[-1], "value": value, "port": port}
                yield site.finding(path[:depth], consequence.format(**texts), fix.format(**texts))
