"""URLs of web apps, and the egress rules made of them."""

from typing import Any

import pytest

from tornado_service.values.network_policy import may_reach
from tornado_service.values.web_app_addresses import parse_address

NAMESPACE = "kubernetes.io/metadata.name"
TOOLS = {"namespaceSelector": {"matchLabels": {NAMESPACE: "tools"}}}


@pytest.mark.parametrize(
    ("url", "rule"),
    [
        ("http://wiki.tools.svc:8080", {"to": [TOOLS], "ports": [{"port": 8080}]}),
        ("http://wiki.tools.svc:8080/a/b", {"to": [TOOLS], "ports": [{"port": 8080}]}),
        ("https://wiki.tools.svc.cluster.local.", {"to": [TOOLS], "ports": [{"port": 443}]}),
        ("http://0.wiki.tools.svc.lab.example", {"to": [TOOLS], "ports": [{"port": 80}]}),
        ("http://wiki.tools.svc=8080", {"to": [TOOLS], "ports": [{"port": 8080}]}),
        ("http://Wiki:9000", {"to": [{"podSelector": {}}], "ports": [{"port": 9000}]}),
        ("http://svc:9000", {"to": [{"podSelector": {}}], "ports": [{"port": 9000}]}),
        (
            "http://10.1.2.3",
            {"to": [{"ipBlock": {"cidr": "10.1.2.3/32"}}], "ports": [{"port": 80}]},
        ),
        (
            "http://[2001:DB8::1]:81",
            {"to": [{"ipBlock": {"cidr": "2001:db8::1/128"}}], "ports": [{"port": 81}]},
        ),
        ("https://wiki.example.org", None),
        ("http://wiki.svc:8080", None),
    ],
)
def test_rule_of_a_url(url: str, rule: dict[str, Any] | None) -> None:
    address = parse_address(url)

    assert address.rule == rule
    assert not address.is_in_pod
    assert rule is None or may_reach([rule], address)


@pytest.mark.parametrize("url", ["http://localhost:9000", "http://127.1.2.3", "http://[::1]:5"])
def test_the_pod_itself(url: str) -> None:
    assert parse_address(url).is_in_pod


@pytest.mark.parametrize(
    "text",
    [
        "",
        "wiki.tools.svc:8080",
        "ftp://wiki.tools.svc",
        "http://",
        "http://:80",
        "http://wiki:99999",
        "http://wiki=99999",
        "http://wiki=0",
        "http://[::1",
        "http://wi ki",
        "http://{port}:80",
        "http://wiki-.-",
    ],
)
def test_no_url(text: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        parse_address(text)


def test_a_password_is_not_in_the_shown_url() -> None:
    assert parse_address("http://me:secret@wiki:80/x").url == "http://wiki:80"


def by_name(operator: str, *values: str) -> dict[str, Any]:
    return {
        "namespaceSelector": {
            "matchExpressions": [
                {"key": NAMESPACE, "operator": operator, "values": [*values]},
                {"key": "team", "operator": "Exists"},
            ]
        }
    }


ALL_PODS = {"ipBlock": {"cidr": "10.0.0.0/8"}}


@pytest.mark.parametrize(
    ("rule", "url", "allowed"),
    [
        # without a peer, the port counts
        ({"ports": [{"port": 80}]}, "http://wiki.tools.svc", True),
        ({"ports": [{"port": 5432}]}, "http://wiki.tools.svc", False),
        ({"ports": [{"port": 8000, "endPort": 9000}]}, "http://wiki:8080", True),
        ({"ports": [{"port": 80, "protocol": "UDP"}]}, "http://wiki", False),
        ({"ports": [{"port": "http"}]}, "http://wiki", True),
        ({"ports": [{"port": "http", "protocol": "UDP"}]}, "http://wiki", False),
        ({}, "http://10.1.2.3", True),
        # a Service may map its port to any of its pods
        ({"to": [TOOLS], "ports": [{"port": 8080}]}, "http://wiki.tools.svc", True),
        ({"to": [TOOLS]}, "http://wiki.other.svc", False),
        ({"to": [{"namespaceSelector": {}}]}, "http://wiki.tools.svc", True),
        (
            {"to": [{"namespaceSelector": {"matchLabels": {"team": "a"}}}]},
            "http://wiki.tools.svc",
            True,
        ),
        ({"to": [by_name("In", "tools", "x")]}, "http://wiki.tools.svc", True),
        ({"to": [by_name("In", "x")]}, "http://wiki.tools.svc", False),
        ({"to": [by_name("NotIn", "tools")]}, "http://wiki.tools.svc", False),
        ({"to": [by_name("NotIn", "x")]}, "http://wiki.tools.svc", True),
        ({"to": [TOOLS]}, "http://wiki", True),
        ({"to": [TOOLS]}, "http://10.1.2.3", True),
        ({"to": [TOOLS]}, "http://8.8.8.8", False),
        ({"to": [{"podSelector": {"matchLabels": {"app": "wiki"}}}]}, "http://wiki", True),
        # the chart's own pods are not those of a web app
        (
            {"to": [{"podSelector": {"matchLabels": {"app.kubernetes.io/component": "hub"}}}]},
            "http://wiki",
            False,
        ),
        # blocks
        ({"to": [ALL_PODS]}, "http://wiki.tools.svc", True),
        ({"to": [ALL_PODS], "ports": [{"port": 1}]}, "http://wiki.tools.svc", False),
        ({"to": [ALL_PODS]}, "http://10.1.2.3", True),
        ({"to": [ALL_PODS]}, "http://11.1.2.3", False),
        ({"to": [ALL_PODS]}, "http://[2001:db8::1]", False),
        (
            {"to": [{"ipBlock": {"cidr": "10.0.0.0/8", "except": ["10.1.0.0/16"]}}]},
            "http://10.1.2.3",
            False,
        ),
        ({"to": [{"ipBlock": {"cidr": "nothing"}}]}, "http://10.1.2.3", False),
        ({"to": [ALL_PODS]}, "https://wiki.example.org", True),
    ],
)
def test_rule_that_may_be_meant_for_a_url(rule: dict[str, Any], url: str, allowed: bool) -> None:
    assert may_reach([rule], parse_address(url)) is allowed
