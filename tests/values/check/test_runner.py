import copy
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from traitlets import TraitError

from tests.support.values import INGRESS, OPEN, VALUES, check, load, stop
from tornado_service.values import ValuesApp
from tornado_service.values.cli import CheckApp
from tornado_service.values.merge import Values
from tornado_service.values.site import ValuesFinding
from tornado_service.values.yaml_files import loader

MODES = ("allowed-ingress-ports.yaml", "ingress.yaml")
DELIVERIES = ("image.yaml", "extra-files.yaml")
MISTAKES = sorted((Path(__file__).parent / "mistakes").glob("*.yaml"))
HUB_PEER = "{podSelector: {matchLabels: {app.kubernetes.io/component: hub}}}"


def check_with(
    text: str, names: tuple[str, ...] = INGRESS, version: str = "5.5"
) -> list[ValuesFinding]:
    """Our overlays, and after them a site's own file."""
    site = [("config.yaml", document) for document in loader.load(text)]
    return check([*load(*names), *site], version)


def combinations() -> Iterator[tuple[tuple[str, ...], str]]:
    for mode in MODES:
        for delivery in DELIVERIES:
            for group in ((), ("groups.yaml",)):
                names = ("service.yaml", mode, delivery, *group)
                yield names, "5.4.6"
                yield names, "5.5"
                yield names, "6.1.1"
                yield (*names, "jupyterhub-6.yaml"), "6.0"
                yield (*names, "jupyterhub-6.yaml"), "6.1.1"


@pytest.mark.parametrize(("names", "version"), list(combinations()))
def test_our_own_files_have_no_finding(names: tuple[str, ...], version: str) -> None:
    assert check(load(*names), version) == []
    assert check(load(*reversed(names)), version) == []


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "hub: {image: {name: quay.io/me/hub, tag: '1'}}",
        "hub: {networkPolicy: {egressAllowRules: {privateIPs: false}}}",
        "proxy: {chp: {networkPolicy: {egressAllowRules: {privateIPs: false}}}}",
        "hub: {networkPolicy: {enabled: false}}",
        "hub: {baseUrl: /lab/}",
        "nameOverride: lab",
        "hub: {loadRoles: {user: {scopes: [self, 'list:groups']}}}",
        "hub: {loadRoles: {user: {description: people}}}",
        "hub: {services: {other: {url: 'http://elsewhere:80'}}}",
        "hub: {services: {cull: {command: [python3, -m, cull]}}}",
        "hub: {services: {tornado-service: {apiToken: " + "a" * 64 + "}}}",
        "hub: {image: {name: quay.io/me/hub, tag: 2026-05-26}}",
        "hub: {image: {name: quay.io/me/hub, tag: !pinned 4.4}}",
        "hub: {services: {tornado-service: {environment: {CLOSES: 22:15, SINCE: 2026-05-26}}}}",
        "hub: {services: {tornado-service: {environment: {LIMIT: !!str 1e3, HUGE: 1e400}}}}",
        "hub:\t{labels: {team: a}}\t# tabs\n---\nproxy: {}",
        "hub: {extraConfig: {x: 'c.JupyterHub.load_roles = c.JupyterHub.load_roles + []'}}",
        "hub: {extraPodSpec: {terminationGracePeriodSeconds: 60}}",
        "hub: {readinessProbe: {initialDelaySeconds: 5}}",
        "hub: {labels: {team: a}}",
        "hub: {extraPodSpec: {hostAliases: [{ip: 127.0.0.1, hostnames: [hub]}]}}",
        "hub: {extraPodSpec: {hostAliases: [{ip: '::1', hostnames: [hub]}]}}",
        "hub: {extraPodSpec: {hostAliases: [{ip: '::1', hostnames: [hub, other]}]}}",
        "hub: {config: {JupyterHub: {hub_bind_url: 'http://[::]:8081'}}}",
        "hub: {config: {JupyterHub: {hub_bind_url: 'http://0.0.0.0:8081'}}}",
        "hub: {config: {JupyterHub: {hub_bind_url: 'http://:8081'}}, services: {tornado-service:"
        " {environment: {JUPYTERHUB_API_URL: 'http://[::1]:8081/hub/api'}}}}",
        "hub: {services: {tornado-service: {admin: true}}}",
        "hub: {loadRoles: {more: {scopes: ['admin:users'], services: [tornado-service]}}}",
        "hub: {db: {type: postgres}, extraVolumeMounts: [{mountPath: /srv/jupyterhub, name: a}]}",
        "hub: {db: {type: postgres}, services: {tornado-service: {command: [python3, -m,"
        " tornado_service, --TornadoService.apps=activity, '--Activity.database_url=x://']}}}",
    ],
)
def test_a_site_that_is_right(text: str) -> None:
    for names in (INGRESS, OPEN):
        assert check_with(text, names) == []


def test_another_namespace_is_not_the_proxys() -> None:
    peer = "{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: monitoring}}}"
    text = f"hub: {{networkPolicy: {{ingress: [{{ports: [{{port: 8181}}], from: [{peer}]}}]}}}}"
    files = [*load("service.yaml", "image.yaml"), ("config.yaml", yaml.safe_load(text))]
    (finding,) = check(files)
    assert "blocks all access to port 8181" in finding.consequence


def test_a_rule_by_label_and_range_is_understood() -> None:
    text = """
    hub:
      networkPolicy:
        ingress:
          - ports: [{port: 8100, endPort: 8200}]
            from:
              - podSelector: {matchLabels: {hub.jupyter.org/network-access-hub: "true"}}
          - ports: [{port: http}, {port: 53, protocol: UDP}]
            from:
              - podSelector:
                  matchExpressions:
                    - {key: app.kubernetes.io/component, operator: In, values: [hub]}
                    - {key: nothing, operator: DoesNotExist}
                    - {key: release, operator: NotIn, values: [other]}
    """
    files = [*load("service.yaml", "image.yaml"), ("config.yaml", yaml.safe_load(text))]
    assert check(files) == []


def expected_findings(mistake: Path) -> dict[str, str]:
    """The comments at the top of a mistake."""
    return dict(re.findall(r"^# (\w+): (.+)$", mistake.read_text(), re.MULTILINE))


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda file: file.stem)
def test_a_mistake_is_found(mistake: Path) -> None:
    about = expected_findings(mistake)
    names = tuple(f"{name}.yaml" for name in about["after"].split())
    found = check_with(mistake.read_text(), names, about["hub"])
    lines = [str(finding) for finding in found if finding.key == about["found"]]
    (line, *_) = [line for line in lines if about["says"] in line] or [f"not among {lines}"]
    assert re.fullmatch(rf"[^ ]+: {re.escape(about['found'])}: .+ Write .+", line)


@pytest.mark.parametrize("text", ["1e3", "0012345", "1_000", "0o17", "yes", "y", "1.50", "+1"])
def test_advice_repeats_what_is_no_text_as_it_was_written(text: str) -> None:
    service = f"tornado-service: {{environment: {{A: {text}}}, command: [python3, -m, x, {text}]}}"
    found = check_with(f"hub: {{image: {{tag: {text}}}, services: {{{service}}}}}")
    advice = f'it in quotes: "{text}"'
    assert [finding.key.rpartition(".")[2] for finding in found if finding.fix == advice] == [
        "command",
        "A",
        "tag",
    ]


def test_a_key_that_stands_twice_is_a_finding() -> None:
    found = check_with("hub: {labels: {a: b}}\nhub: {labels: {c: d}}")
    (finding,) = [finding for finding in found if finding.key == "hub"]
    assert finding.consequence.startswith("line 2 sets this key a second time")


@pytest.mark.parametrize(("field", "size"), [("binaryData", 300_000), ("stringData", 225_000)])
def test_files_too_large_for_helm(field: str, size: int) -> None:
    text = f"hub: {{extraFiles: {{any: {{mountPath: /any, {field}: {'A' * size}}}}}}}"
    (finding,) = check_with(text, ("service.yaml", "ingress.yaml", "extra-files.yaml"))
    assert (finding.key, finding.consequence[:30]) == (
        "hub.extraFiles",
        "225,000 bytes are too many: He",
    )


def test_two_images_that_are_not_the_placeholder() -> None:
    one, two = ({"hub": {"image": {"name": name, "tag": "1"}}} for name in "ab")
    found = check([*load(*INGRESS), ("1.yaml", one), ("2.yaml", two)])
    assert [(finding.file, finding.key) for finding in found] == [("2.yaml", "hub.image.name")]


def test_the_configuration_that_everyone_copies() -> None:
    """The one of the chart's documentation: no access, no label, the hub not allowed."""
    text = f"""
    hub:
      image: {{name: me/hub, tag: latest}}
      services:
        fastapi:
          url: http://hub:8181
          command: [uvicorn, app]
          oauth_redirect_uri: https://lab.example.org/services/fastapi/oauth_callback
      networkPolicy:
        ingress:
          - ports: [{{port: 8181}}]
            from: [{{podSelector: {{matchLabels: {{hub.jupyter.org/network-access-hub: "true"}}}}}}]
      service:
        extraPorts: [{{port: 8181, targetPort: 8181, name: fastapi}}]
    proxy:
      chp:
        networkPolicy:
          egress: [{{to: [{HUB_PEER}], ports: [{{port: 8181}}]}}]
    """
    found = check([("config.yaml", yaml.safe_load(text))])
    assert sorted(finding.key for finding in found) == [
        "hub.image.tag",
        "hub.labels.hub.jupyter.org/network-access-hub",
        "hub.networkPolicy.ingress",
        "hub.services.fastapi",
        "hub.services.fastapi.oauth_redirect_uri",
    ]
    assert "the hub exits" in str(found)


def test_no_service_at_all() -> None:
    (finding,) = check([("config.yaml", {"hub": {}})])
    assert finding.key == "hub.services"
    (finding,) = check([], service="x")
    assert "called x" in finding.consequence


def test_one_service_alone() -> None:
    other = {"hub": {"services": {"other": {"url": "http://hub:9", "command": ["x"]}}}}
    files = [*load(*INGRESS), ("config.yaml", other)]
    assert check(files)
    assert check(files, service="tornado-service") == []


def places(values: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """Every key and list entry, at all depths."""
    entries = values.items() if isinstance(values, dict) else ()
    if isinstance(values, list):
        entries = enumerate(values)
    for key, value in entries:
        yield (*path, key)
        yield from places(value, (*path, key))


OTHERS: dict[str, Any] = {
    "fullnameOverride": "",
    "nameOverride": "",
    "hub": {
        "readinessProbe": {"initialDelaySeconds": 1},
        "loadRoles": {"user": {"scopes": ["self"]}},
        "extraEnv": {},
        "networkPolicy": {"allowedIngressPorts": [1], "egressAllowRules": {"privateIPs": False}},
    },
}


@pytest.mark.parametrize("junk", [None, 1, True, "x", [], [None], ["x"], {}, {"a": None}])
def test_junk_never_breaks_the_check(junk: Any) -> None:
    names = ("service.yaml", "ingress.yaml", "extra-files.yaml", "jupyterhub-6.yaml", "groups.yaml")
    ours = load(*names)
    whole = Values([*ours, ("config.yaml", OTHERS)]).tree
    for path in places(whole):
        tree = copy.deepcopy(whole)
        inner = tree
        for key in path[:-1]:
            inner = inner[key]
        inner[path[-1]] = junk
        check([("config.yaml", tree)], "6.1.1")
        check([*ours, ("config.yaml", tree)], "5.5")


def test_the_commands_exit_status(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = [f"-f{VALUES / name}" for name in INGRESS]
    assert stop(CheckApp, files) == 0
    config = tmp_path / "config.yaml"
    config.write_text("hub: {image: {name: a, tag: latest}}")
    assert stop(CheckApp, [*files, f"--values={config}"]) == 1
    assert capsys.readouterr().out.startswith(f"{config}: hub.image.tag: latest is whatever")
    assert stop(CheckApp, []) == 2
    assert stop(CheckApp, [*files, "-f", str(tmp_path / "nosuch.yaml")]) == 2
    assert stop(CheckApp, [*files, "--jupyterhub-version=new"]) == 2
    assert stop(ValuesApp, ["check", *files]) == 0


def test_a_version_is_numbers() -> None:
    with pytest.raises(TraitError):
        CheckApp(jupyterhub_version="latest")
