"""Helm replaces lists: a finding only if a service loses an entry."""

from typing import Any

import pytest
import yaml

from tests.support.values import INGRESS, check, load

SCOPE = "access:services!service=tornado-service"
OURS = "{name: tornado-service, port: 8181, targetPort: 8181}"
PROXY = "{podSelector: {matchLabels: {app.kubernetes.io/component: proxy}}}"
HUB = "{podSelector: {matchLabels: {app.kubernetes.io/component: hub}}}"
RULE = f"{{ports: [{{port: 8181}}], from: [{PROXY}, {HUB}]}}"


def found(*sites: str, names: tuple[str, ...] = INGRESS, version: str = "5.5") -> list[str]:
    """The keys of lost lists, with our files first and a site's own after them."""
    files: list[tuple[str, dict[str, Any]]] = [
        (f"{number}.yaml", yaml.safe_load(text)) for number, text in enumerate(sites)
    ]
    findings = check([*load(*names), *files], version)
    return [
        finding.key for finding in findings if "Helm does not join lists" in finding.consequence
    ]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (
            "hub: {loadRoles: {tutors: {groups: [a, b], scopes: ['list:users']}}}",
            "hub: {loadRoles: {tutors: {groups: [a]}}}",
        ),
        (
            "hub: {loadRoles: {tutors: {scopes: ['list:users', 'read:users:activity']}}}",
            "hub: {loadRoles: {tutors: {scopes: ['list:users']}}}",
        ),
        (
            "hub: {loadRoles: {tutors: {users: [ada]}}}",
            "hub: {loadRoles: {tutors: {users: [bob]}}}",
        ),
        (
            f"hub: {{service: {{extraPorts: [{OURS}, {{name: a, port: 9000}}]}}}}",
            f"hub: {{service: {{extraPorts: [{OURS}]}}}}",
        ),
        (
            f"hub: {{service: {{extraPorts: [{OURS}, {{name: a, port: 9000}}]}}}}",
            f"hub: {{service: {{extraPorts: [{OURS}, {{name: b, port: 9001}}]}}}}",
        ),
        (
            f"hub: {{networkPolicy: {{ingress: [{RULE}, {{ports: [{{port: 9000}}]}}]}}}}",
            f"hub: {{networkPolicy: {{ingress: [{RULE}]}}}}",
        ),
        (
            "hub: {extraPodSpec: {hostAliases: [{ip: 127.0.0.1, hostnames: [hub]},"
            " {ip: 10.0.0.1, hostnames: [ldap]}]}}",
            "hub: {extraPodSpec: {hostAliases: [{ip: 127.0.0.1, hostnames: [hub, me]}]}}",
        ),
        (
            "hub: {services: {tornado-service: {oauth_client_allowed_scopes: ['list:users',"
            " 'list:groups']}}}",
            "hub: {services: {tornado-service: {oauth_client_allowed_scopes: ['list:users']}}}",
        ),
        (
            "hub: {services: {other: {url: 'http://x', oauth_client_allowed_scopes: [a, b]}}}",
            "hub: {services: {other: {url: 'http://x', oauth_client_allowed_scopes: [c]}}}",
        ),
        (
            "singleuser: {profileList: [{display_name: a}]}",
            "singleuser: {profileList: [{display_name: b}]}",
        ),
    ],
)
def test_a_list_that_a_site_narrows_on_purpose(first: str, second: str) -> None:
    assert found(first, second) == []


def test_the_groups_of_a_site_in_place_of_the_example() -> None:
    site = "hub: {loadRoles: {tornado-service-access: {groups: [class-a]}}}"
    assert found(site, names=(*INGRESS, "groups.yaml")) == []


def test_an_app_more_or_less_in_the_command_is_no_other_delivery() -> None:
    command = "[python3, -m, tornado_service, '--TornadoService.apps=mine:App']"
    site = yaml.safe_load(f"hub: {{services: {{tornado-service: {{command: {command}}}}}}}")
    assert check([*load(*INGRESS), ("config.yaml", site)]) == []


@pytest.mark.parametrize(
    ("site", "key"),
    [
        ("hub: {service: {extraPorts: [{name: a, port: 9000}]}}", "hub.service.extraPorts"),
        ("hub: {service: {extraPorts: []}}", "hub.service.extraPorts"),
        (
            "hub: {extraPodSpec: {hostAliases: [{ip: 10.0.0.1, hostnames: [ldap]}]}}",
            "hub.extraPodSpec.hostAliases",
        ),
        (
            f"hub: {{networkPolicy: {{ingress: [{{ports: [{{port: 8181}}], from: [{HUB}]}}]}}}}",
            "hub.networkPolicy.ingress",
        ),
        (
            "hub: {networkPolicy: {egress: [{ports: [{port: 5432}]}]}}",
            "hub.networkPolicy.egress",
        ),
        (
            "hub: {loadRoles: {tornado-service: {scopes: ['admin:users', 'list:users']}}}",
            "hub.loadRoles.tornado-service.scopes",
        ),
        (
            "hub: {services: {tornado-service: {oauth_client_allowed_scopes: ['read:hub']}}}",
            "hub.services.tornado-service.oauth_client_allowed_scopes",
        ),
    ],
)
def test_a_list_by_which_the_service_loses_something(site: str, key: str) -> None:
    assert found(site) == [key]


def test_a_list_of_a_site_that_ours_replaces() -> None:
    site = {"hub": {"service": {"extraPorts": [{"name": "a", "port": 9000}]}}}
    findings = check([("config.yaml", site), *load(*INGRESS)])
    (lost,) = [item for item in findings if "Helm does not join lists" in item.consequence]
    assert (lost.file, lost.key) == ("service.yaml", "hub.service.extraPorts")
    assert "9000" in lost.consequence


def test_a_chart_that_another_value_replaces() -> None:
    files = [
        ("1.yaml", {"lab": {"hub": {"pdb": {}}}}),
        ("2.yaml", {"lab": ["x"]}),
        ("3.yaml", {"lab": 1}),
    ]
    assert "lab.hub.services" in {finding.key for finding in check(files, parent=("lab",))}


def test_what_a_still_later_file_brings_back_is_not_missed() -> None:
    ports = f"hub: {{service: {{extraPorts: [{OURS}, {{name: a, port: 9000}}]}}}}"
    assert found("hub: {service: {extraPorts: [{name: a, port: 9000}]}}", ports) == []


@pytest.mark.parametrize("name", ["My_Service", "grader_1", "lab.example", "API"])
@pytest.mark.parametrize("host", ["grader", "grader.courses.svc.cluster.local", "10.0.0.7"])
def test_another_service_is_ignored(name: str, host: str) -> None:
    access = f"access:services!service={name}"
    hub = {
        "services": {name: {"url": f"http://{host}:10101", "command": ["python3", "-m", "x"]}},
        "loadRoles": {"graders": {"scopes": [access], "groups": ["graders"]}},
    }
    assert check([*load(*INGRESS), ("config.yaml", {"hub": hub})]) == []


def test_two_processes_with_one_port() -> None:
    hub = {"services": {"other": {"url": "http://hub:8181", "command": ["x"]}}}
    findings = check([*load(*INGRESS), ("config.yaml", {"hub": hub})])
    assert any("only one of them can listen" in finding.consequence for finding in findings)
