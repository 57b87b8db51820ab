"""Web apps at a URL: the hub's pod has to be let out to them."""

from typing import Any

import pytest
import yaml

from tests.support.values import INGRESS, OPEN, check, documented_web_apps, load
from tornado_service.proxy.options import parse_options
from tornado_service.values.deployment import Deployment
from tornado_service.values.overlays import overlay_values
from tornado_service.values.site import ValuesFinding
from tornado_service.values.web_app_addresses import parse_address

CLOSED = {"privateIPs": False, "nonPrivateIPs": False, "cloudMetadataServer": False}
FILE = "/etc/service.json"
COMMAND = ["python3", "-m", "tornado_service", f"--config={FILE}"]


def web_apps(**urls: str) -> dict[str, Any]:
    """A site's values with web apps, in a file of the service."""
    apps = {name: {"url": url} for name, url in urls.items()}
    data = {"TornadoService": {"web_apps": apps}}
    return {
        "services": {"tornado-service": {"command": COMMAND}},
        "extraFiles": {"settings": {"mountPath": FILE, "data": data}},
    }


def found(
    hub: dict[str, Any], names: tuple[str, ...] = INGRESS, **allowed: bool
) -> list[ValuesFinding]:
    policy = {"egressAllowRules": allowed, **hub.pop("networkPolicy", {})}
    site = {"hub": {**hub, "networkPolicy": policy}}
    return check([*load(*names), ("config.yaml", site)])


@pytest.mark.parametrize("names", [INGRESS, OPEN])
@pytest.mark.parametrize(
    ("url", "where", "rule"),
    [
        (
            "http://wiki.tools.svc:8080",
            "the pods of wiki.tools.svc",
            {
                "to": [
                    {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "tools"}}}
                ],
                "ports": [{"port": 8080}],
            },
        ),
        (
            "http://wiki:8080",
            "the pods of wiki",
            {"to": [{"podSelector": {}}], "ports": [{"port": 8080}]},
        ),
        (
            "http://10.1.2.3",
            "10.1.2.3:80",
            {"to": [{"ipBlock": {"cidr": "10.1.2.3/32"}}], "ports": [{"port": 80}]},
        ),
        (
            "https://wiki.example.org",
            "wiki.example.org:443",
            {"to": [{"ipBlock": {"cidr": "ADDRESS/32"}}], "ports": [{"port": 443}]},
        ),
    ],
)
def test_an_app_that_no_rule_admits(
    url: str, where: str, rule: dict[str, Any], names: tuple[str, ...]
) -> None:
    (finding,) = found(web_apps(wiki=url), names, **CLOSED)

    assert finding.key == "hub.networkPolicy.egress"
    assert f"out to {where}, the web app wiki: " in finding.consequence
    assert yaml.safe_load(finding.fix.partition(" with ")[0]) == rule


@pytest.mark.parametrize(
    "url",
    [
        "http://wiki.tools.svc:8080",
        "http://wiki:8080",
        "http://10.1.2.3",
        "http://192.168.1.1",
        "https://8.8.8.8",
        "https://169.254.169.254",
        "https://wiki.example.org",
        "http://localhost:9000",
        "http://hub:9000",
        "junk",
    ],
)
def test_the_charts_own_rules_admit_all(url: str) -> None:
    assert found(web_apps(wiki=url)) == []


@pytest.mark.parametrize(
    ("url", "flag"),
    [
        ("http://wiki.tools.svc:8080", "privateIPs"),
        ("http://10.1.2.3", "privateIPs"),
        ("https://8.8.8.8", "nonPrivateIPs"),
        ("https://169.254.169.254", "cloudMetadataServer"),
    ],
)
def test_each_switch_of_the_chart_is_for_its_own_addresses(url: str, flag: str) -> None:
    others = {name: name != flag for name in CLOSED}

    assert len(found(web_apps(wiki=url), **others)) == 1
    assert found(web_apps(wiki=url), **{**CLOSED, flag: True}) == []


def test_the_charts_rules_are_of_ipv4() -> None:
    (finding,) = found(web_apps(wiki="http://[2001:db8::1]:81"))

    assert "out to 2001:db8::1:81," in finding.consequence


def test_a_hub_without_a_policy() -> None:
    hub = {**web_apps(wiki="http://wiki.tools.svc"), "networkPolicy": {"enabled": False}}

    assert found(hub, **CLOSED) == []


@pytest.mark.parametrize("url", ["http://wiki.tools.svc:8080", "http://wiki", "http://8.8.8.8"])
def test_what_the_command_writes_is_enough(url: str) -> None:
    deployment = Deployment(web_apps=[parse_address(url)])
    ours = overlay_values(deployment, "service.yaml", "ingress.yaml", "image.yaml")
    hub = {**web_apps(wiki=url), "networkPolicy": {"egressAllowRules": CLOSED}}

    assert check([("ours.yaml", ours), ("config.yaml", {"hub": hub})]) == []


def test_a_list_that_replaces_the_rule_of_an_app() -> None:
    deployment = Deployment(web_apps=[parse_address("http://wiki.tools.svc:8080")])
    ours = overlay_values(deployment, "service.yaml", "ingress.yaml", "image.yaml")
    egress = ours["hub"]["networkPolicy"]["egress"][:1]
    hub = {**web_apps(wiki="http://wiki.tools.svc:8080"), "networkPolicy": {"egress": egress}}

    (finding,) = check([("ours.yaml", ours), ("config.yaml", {"hub": hub})])

    assert "Helm does not join lists" in finding.consequence
    assert "namespaceSelector" in finding.consequence


SETS = "c.TornadoService.web_apps = {'wiki': {'url': 'http://wiki'}}"
HUB_FILE = "/usr/local/etc/jupyterhub/jupyterhub_config.d/apps.py"


@pytest.mark.parametrize(
    ("hub", "key"),
    [
        ({"extraConfig": {"mine": SETS}}, "extraConfig.mine"),
        (
            {"extraFiles": {"mine": {"mountPath": HUB_FILE, "stringData": SETS}}},
            "extraFiles.mine.stringData",
        ),
        (
            {"config": {"TornadoService": {"web_apps": {"wiki": {"url": "http://wiki"}}}}},
            "config.TornadoService.web_apps",
        ),
    ],
)
def test_settings_where_only_the_hub_reads_them(hub: dict[str, Any], key: str) -> None:
    (finding,) = found(hub)

    assert finding.key == f"hub.{key}"
    assert "the service reads nothing" in finding.consequence


def test_a_file_that_both_read() -> None:
    command = ["python3", "-m", "tornado_service", f"--config={HUB_FILE}"]
    hub = {
        "services": {"tornado-service": {"command": command}},
        "extraFiles": {"mine": {"mountPath": HUB_FILE, "stringData": SETS}},
    }

    assert found(hub) == []


def test_other_code_of_the_hub() -> None:
    assert found({"extraConfig": {"mine": "c.TornadoService.apps = []\nx = 'web_apps'"}}) == []


def test_the_single_file_runs_none() -> None:
    service, ingress, _ = INGRESS
    hub = web_apps(wiki="http://wiki")
    pyz = "/usr/local/share/tornado_service/tornado_service.pyz"
    hub["services"]["tornado-service"]["command"] = ["python3", pyz, f"--config={FILE}"]

    (finding,) = found(hub, (service, ingress, "extra-files.yaml"))

    assert finding.key == "hub.services.tornado-service.command"
    assert "the single file does without web apps" in finding.consequence


def test_the_guide_is_right() -> None:
    guide = documented_web_apps()
    entries = guide["hub"]["extraFiles"]["tornado_service_config"]["data"]["TornadoService"]

    for name, entry in entries["web_apps"].items():
        parse_options(entry, name, {})
    assert check([*load(*INGRESS), ("config.yaml", guide)]) == []
    (finding,) = found(guide["hub"], **CLOSED)
    assert "the pods of wiki.tools.svc, the web app wiki" in finding.consequence
