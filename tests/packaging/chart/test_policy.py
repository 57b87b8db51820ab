import copy
from typing import Any

import pytest

from tests.packaging.chart.charts import HARDENED, OWN_ALIASES, Values, overlay
from tests.packaging.chart.conftest import Render
from tests.packaging.chart.pods import Deployed
from tests.packaging.chart.policy import OUTSIDE, Pod
from tornado_service.values.deployment import HUB_ACCESS, Deployment
from tornado_service.values.overlays import overlay_values
from tornado_service.values.paths import SERVICE_LISTS
from tornado_service.values.web_app_addresses import parse_address

#: Connections with the port open to those that need it, and to all.
CLOSED = {
    "proxy to service": True,
    "hub to service": True,
    "service to hub": True,
    "user to service": False,
    "unlabelled to service": False,
    "other namespace to service": False,
}
#: Users' pods have no egress to the port, unless a site permits it.
OPEN = {**CLOSED, "unlabelled to service": True, "other namespace to service": True}
USERS_GO_OUT: Values = {"singleuser": {"networkPolicy": {"enabled": False}}}

SITES: dict[str, Values] = {
    "as it comes": {},
    "hardened": HARDENED,
    "own aliases": OWN_ALIASES,
    "hardened, own aliases": {**HARDENED, "hub": {**HARDENED["hub"], **OWN_ALIASES["hub"]}},
    "other names": {"nameOverride": "lab"},
}
PLUGINS: dict[str, dict[str, bool]] = {
    "ipBlock covers pods": {},
    "ipBlock does not": {"ip_blocks_cover_pods": False},
    "no policy on the way to oneself": {"hairpin_is_subject": False},
}


@pytest.mark.parametrize("plugin", PLUGINS)
@pytest.mark.parametrize("site", SITES)
@pytest.mark.parametrize(
    ("mode", "expected"), [("ingress", CLOSED), ("allowed-ingress-ports", OPEN)]
)
def test_allowed_and_blocked_connections(
    render: Render, mode: str, expected: dict[str, bool], site: str, plugin: str
) -> None:
    objects = render("service", mode, "image", SITES[site])
    assert Deployed.of(objects, **PLUGINS[plugin]).outcome() == expected


@pytest.mark.parametrize(
    ("mode", "admitted"), [("ingress", False), ("allowed-ingress-ports", True)]
)
def test_users_pods_with_egress(render: Render, mode: str, admitted: bool) -> None:
    deployed = Deployed.of(render("service", mode, "image", USERS_GO_OUT))
    assert deployed.service_from(deployed.user) is admitted


def test_the_alias_needs_no_endpoints(render: Render) -> None:
    objects = render("service", "ingress", "image")
    waiting = Deployed.of(objects, hub_is_ready=False)
    assert waiting.service_from(waiting.hub)
    assert waiting.hub_api_from_service()
    objects = render("service", "ingress", "image", OWN_ALIASES)
    assert not Deployed.of(objects, hub_is_ready=False).hub_api_from_service()


#: Web apps at a URL: in a namespace of their own, in that of the hub, elsewhere.
WEB_APPS = {
    "http://wiki.tools.svc=8080": Pod("wiki", {"app": "wiki"}, "10.1.0.6", namespace="tools"),
    "http://blog:8080": Pod("blog", {"app": "blog"}, "10.1.0.7"),
    "http://203.0.113.5:8080": Pod("outside", {}, "203.0.113.5", namespace=OUTSIDE),
}
NO_EGRESS: Values = {
    "hub": {
        "networkPolicy": {"egressAllowRules": {"privateIPs": False, "nonPrivateIPs": False}},
    }
}


@pytest.mark.parametrize("plugin", PLUGINS)
@pytest.mark.parametrize("mode", ["ingress", "allowed-ingress-ports"])
@pytest.mark.parametrize("url", WEB_APPS)
def test_the_hubs_pod_reaches_web_apps_at_a_url(
    render: Render, url: str, mode: str, plugin: str
) -> None:
    app = WEB_APPS[url]
    choices = PLUGINS[plugin]
    if "203" in url:
        choices = {}  # not a pod: a block is for it with every plugin
    deployment = Deployment(web_apps=[parse_address(url)])
    ours = overlay_values(deployment, "service.yaml", f"{mode}.yaml")

    deployed = Deployed.of(render(ours, "image", NO_EGRESS), **choices)
    without_rule = Deployed.of(render("service", mode, "image", NO_EGRESS), **choices)

    assert deployed.cluster.lets_through(deployed.hub, app, 8080)
    assert not deployed.cluster.lets_through(deployed.hub, app, 8079)
    assert not deployed.cluster.lets_through(deployed.user, app, 8080) or "203" in url
    assert not without_rule.cluster.lets_through(without_rule.hub, app, 8080)
    assert deployed.outcome() == without_rule.outcome()


NETWORK_LISTS = [path for path in SERVICE_LISTS if path[-1] != "extra_user_scopes"]


@pytest.mark.parametrize("plugin", PLUGINS)
@pytest.mark.parametrize("path", NETWORK_LISTS, ids=".".join)
def test_a_list_of_the_sites_own_does_not_take_the_hub_down(
    render: Render, path: tuple[str, ...], plugin: str
) -> None:
    site: Values = {path[-1]: []}
    for key in reversed(path[:-1]):
        site = {key: site}
    for mode in ("ingress", "allowed-ingress-ports"):
        outcome = Deployed.of(render("service", mode, "image", site), **PLUGINS[plugin]).outcome()
        assert outcome["hub to service"]
        assert outcome["service to hub"]


def test_two_releases_in_one_namespace(render: Render) -> None:
    names = {release: f"{release}-jupyterhub-hub" for release in ("one", "two")}
    rendered = {}
    for release, hub in names.items():
        deployment = Deployment(hub=hub, release=release)
        ours = [overlay_values(deployment, "service.yaml", "ingress.yaml")]
        rendered[release] = render(*ours, "image", {"fullnameOverride": None}, release=release)
    both = [*rendered["one"], *rendered["two"]]
    one, two = (Deployed.of(both, f"{release}-jupyterhub-") for release in names)
    assert one.outcome() == two.outcome() == CLOSED
    assert not one.service_from(two.proxy)
    assert not one.cluster.lets_through(two.hub, one.hub, 8181)


# Every line of the overlays that opens a connection, with its situation: which site, which
# plugin, and what fails without it. Where two are redundant, the site removes the other.
Rule = tuple[tuple[str | int, ...], str, str, dict[str, bool], str]
SELECTED: list[Rule] = [
    (
        ("hub", "labels", HUB_ACCESS),
        "ingress",
        "own aliases",
        {},
        "service to hub",
    ),
    (
        ("hub", "service", "extraPorts", 0),
        "ingress",
        "as it comes",
        {},
        "proxy to service",
    ),
    (
        ("hub", "extraPodSpec", "hostAliases", 0),
        "ingress",
        "as it comes",
        {"hub_has_ipv6": False},
        "service to hub",
    ),
    (
        ("hub", "extraPodSpec", "hostAliases", 1),
        "ingress",
        "as it comes",
        {"hub_has_ipv4": False},
        "service to hub",
    ),
    (
        ("hub", "extraPodSpec", "hostAliases"),
        "ingress",
        "as it comes",
        {"hub_is_ready": False},
        "hub to service",
    ),
    (
        ("hub", "networkPolicy", "egress", 0, "ports", 0),
        "ingress",
        "hardened, own aliases",
        {},
        "service to hub",
    ),
    (
        ("hub", "networkPolicy", "egress", 0, "ports", 1),
        "ingress",
        "own aliases",
        {"ip_blocks_cover_pods": False},
        "hub to service",
    ),
    (
        ("hub", "networkPolicy", "ingress", 0, "from", 0),
        "ingress",
        "as it comes",
        {},
        "proxy to service",
    ),
    (
        ("hub", "networkPolicy", "ingress", 0, "from", 1),
        "ingress",
        "own aliases",
        {},
        "hub to service",
    ),
    (
        ("hub", "networkPolicy", "allowedIngressPorts", 0),
        "allowed-ingress-ports",
        "as it comes",
        {},
        "proxy to service",
    ),
    (
        ("proxy", "chp", "networkPolicy", "egress", 0),
        "ingress",
        "as it comes",
        {"ip_blocks_cover_pods": False},
        "proxy to service",
    ),
    (
        ("proxy", "chp", "networkPolicy", "egress", 0),
        "allowed-ingress-ports",
        "hardened",
        {},
        "proxy to service",
    ),
]


def without(values: Values, path: tuple[str | int, ...]) -> Values:
    """The values without the entry at a path, if it exists."""
    left: Any = copy.deepcopy(values)
    inner = left
    for key in path[:-1]:
        if isinstance(inner, dict) and key not in inner:
            return left
        inner = inner[key]
    if not isinstance(inner, dict) or path[-1] in inner:
        del inner[path[-1]]
    return left


@pytest.mark.parametrize(("path", "mode", "site", "choices", "fails"), SELECTED)
def test_every_rule_is_needed(
    render: Render,
    path: tuple[str | int, ...],
    mode: str,
    site: str,
    choices: dict[str, bool],
    fails: str,
) -> None:
    ours = [overlay("service"), overlay(mode)]
    assert Deployed.of(render(*ours, "image", SITES[site]), **choices).outcome()[fails]
    fewer = [without(overlay, path) for overlay in ours]
    assert fewer != ours
    assert not Deployed.of(render(*fewer, "image", SITES[site]), **choices).outcome()[fails]


#: Parts of the hub's values that open no connection.
NO_WAYS = {"services", "extraConfig", "image", "loadRoles"}


def openings(values: Any, path: tuple[str | int, ...] = ()) -> set[tuple[str | int, ...]]:
    """The lines that open a connection: each label, list entry, and peer or port of a rule."""
    if path[:1] == ("hub",) and NO_WAYS & set(path[1:2]):
        return set()
    if isinstance(values, dict):
        return {way for key, value in values.items() for way in openings(value, (*path, key))}
    if not isinstance(values, list):
        return {path}
    found = set()
    for number, item in enumerate(values):
        parts = [key for key in ("from", "ports") if isinstance(item, dict) and key in item]
        several = [(key, index) for key in parts for index in range(len(item[key])) if index]
        whole = {(*path, number)}
        first = {(*path, number, key, 0) for key, _ in several}
        found |= first | {(*path, number, *rest) for rest in several} or whole
    return found


def test_no_rule_was_forgotten() -> None:
    names = ("service", "ingress", "allowed-ingress-ports")
    alone = {path for path, *_ in SELECTED if path[-1] != "hostAliases"}  # the two together
    assert alone == {way for name in names for way in openings(overlay(name))}
