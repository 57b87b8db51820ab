from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jupyterhub
import pytest
import yaml
from jupyterhub import orm
from jupyterhub.app import JupyterHub
from traitlets import TraitError
from traitlets.config import Config

from tornado_service.values import ValuesApp, overlays
from tornado_service.values.app import CheckApp
from tornado_service.values.check import Check, parse_version
from tornado_service.values.document import Document
from tornado_service.values.helm import Values, ValuesError, hub_service, read
from tornado_service.values.overlays import OVERLAYS, Deployment
from tornado_service.values.site import Finding

VALUES = Path(__file__).parents[1] / "values"
SCOPE = "access:services!service=tornado-service"
MODES = ("allowed-ingress-ports.yaml", "ingress.yaml")
DELIVERIES = ("image.yaml", "extra-files.yaml")
INGRESS = ("service.yaml", "ingress.yaml", "image.yaml")
OPEN = ("service.yaml", "allowed-ingress-ports.yaml", "image.yaml")

Files = list[tuple[str, dict[str, Any]]]


class Reports:
    """What an app declares, as far as values are concerned."""

    name = "reports"
    service_scopes = frozenset({"list:users", "read:servers"})
    user_scopes = frozenset({"list:users"})


class Plain:
    """An app that declares nothing."""


def stop(app: Any, argv: list[str]) -> int:
    """Run a command to its end, for its exit status."""
    app.clear_instance()
    try:
        command = app(config=Config())
        command.initialize(argv)
        command.start()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    return 0


def load(*names: str) -> Files:
    return [(name, read(str(VALUES / name))) for name in names]


def check(files: Files, version: str = "5.5", **more: str) -> list[Finding]:
    return Check(Values(files), parse_version(version), **more).findings()


def check_with(text: str, names: tuple[str, ...] = INGRESS, version: str = "5.5") -> list[Finding]:
    """Our overlays, and after them a site's own file."""
    return check([*load(*names), ("config.yaml", yaml.safe_load(text))], version)


# --- the overlays ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", OVERLAYS)
def test_each_file_is_what_the_command_writes(name: str) -> None:
    assert (VALUES / name).read_text() == OVERLAYS[name](Deployment()).text()


def test_there_is_no_other_overlay() -> None:
    assert {file.name for file in VALUES.glob("*.yaml")} == set(OVERLAYS)


@pytest.mark.parametrize("name", OVERLAYS)
def test_the_text_holds_the_values_and_no_line_is_long(name: str) -> None:
    document = OVERLAYS[name](Deployment(name="x-1", port=9000, groups=("a b", "no", "1")))
    assert yaml.safe_load(document.text()) == document.values
    assert max(map(len, document.text().splitlines())) <= 100


def test_output_dir_has_every_file(tmp_path: Path) -> None:
    assert stop(ValuesApp, [f"--output-dir={tmp_path}/new"]) == 0
    for name in OVERLAYS:
        assert (tmp_path / "new" / name).read_text() == (VALUES / name).read_text()


def test_a_directory_that_cannot_be_made_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    assert stop(ValuesApp, [f"--output-dir={tmp_path}/file"]) == 2
    assert capsys.readouterr().err.strip().endswith("File exists")


def rendered(capsys: pytest.CaptureFixture[str], *argv: str) -> dict[str, Any]:
    assert stop(ValuesApp, list(argv)) == 0
    return yaml.safe_load(capsys.readouterr().out)


def test_one_document_holds_what_the_files_hold(capsys: pytest.CaptureFixture[str]) -> None:
    assert rendered(capsys) == Values(load(*INGRESS)).tree
    argv = ["--mode=allowed-ingress-ports", "--delivery=extra-files", "--jupyterhub=6"]
    names = ["service.yaml", "allowed-ingress-ports.yaml", "extra-files.yaml", "jupyterhub-6.yaml"]
    assert rendered(capsys, *argv) == Values(load(*names)).tree


def test_another_name_port_release_and_image(capsys: pytest.CaptureFixture[str]) -> None:
    values = rendered(
        capsys,
        "--name=usage",
        "--port=9100",
        "--release=r1",
        "--fullname-override=null",
        "--image=example.org:5000/me/hub:1.2",
        "--base-url=/lab",
        "--loopback-api",
    )
    hub = values["hub"]
    service = hub["services"]["usage"]
    assert service["url"] == "http://r1-jupyterhub-hub:9100"
    assert service["environment"]["JUPYTERHUB_API_URL"] == "http://127.0.0.1:8081/lab/hub/api"
    assert hub["image"] == {"name": "example.org:5000/me/hub", "tag": "1.2"}
    assert hub["extraPodSpec"]["hostAliases"][0]["hostnames"] == ["r1-jupyterhub-hub"]
    assert hub["service"]["extraPorts"] == [{"name": "usage", "port": 9100, "targetPort": 9100}]
    peer = hub["networkPolicy"]["ingress"][0]["from"][0]["podSelector"]["matchLabels"]
    assert peer == {"app.kubernetes.io/component": "proxy", "app.kubernetes.io/instance": "r1"}
    values["fullnameOverride"] = None
    values["hub"]["baseUrl"] = "/lab"
    assert check([("x.yaml", values)], release="r1") == []
    assert check([("x.yaml", values)]) == []


def test_a_parent_chart(capsys: pytest.CaptureFixture[str]) -> None:
    values = rendered(capsys, "--parent=jupyterhub")
    assert list(values) == ["jupyterhub"]
    assert check([("x.yaml", values)]) == []
    (finding,) = check([("x.yaml", values), ("y.yaml", {"hub": {"labels": {}}})])
    assert (finding.file, finding.key) == ("y.yaml", "hub")


def test_apps_bring_their_scopes(capsys: pytest.CaptureFixture[str]) -> None:
    values = rendered(capsys, f"--app={__name__}:Reports", f"--app={__name__}.Plain", "--image=x:1")
    hub = values["hub"]
    assert hub["loadRoles"] == {
        "tornado-service": {
            "scopes": ["list:users", "read:servers"],
            "services": ["tornado-service"],
        }
    }
    service = hub["services"]["tornado-service"]
    assert service["oauth_client_allowed_scopes"] == ["list:users"]
    assert service["command"] == [
        "python3",
        "-m",
        "tornado_service",
        f"--TornadoService.apps={__name__}:Reports",
        f"--TornadoService.apps={__name__}.Plain",
    ]
    assert check([("x.yaml", values)]) == []


@pytest.mark.parametrize("app", ["no.such:App", "sys:nothing", "plain"])
def test_an_app_that_is_not_there(app: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert stop(ValuesApp, [f"--app={app}"]) == 2
    assert capsys.readouterr().err.startswith(f"tornado-service values: --app={app}: ")


def test_groups_instead_of_everyone(capsys: pytest.CaptureFixture[str]) -> None:
    hub = rendered(capsys, "--group=a", "--group=b", "--jupyterhub=6")["hub"]
    assert hub["loadRoles"]["tornado-service-access"] == {"scopes": [SCOPE], "groups": ["a", "b"]}
    assert "config" not in hub


def test_the_lists_of_a_site_are_kept(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    site = """
    hub:
      service: {extraPorts: [{name: other, port: 9000}]}
      networkPolicy: {ingress: [{ports: [{port: 9000}]}], egress: [{ports: [{port: 5432}]}]}
      extraPodSpec: {hostAliases: [{ip: 10.0.0.1, hostnames: [db]}]}
    """
    config = tmp_path / "config.yaml"
    config.write_text(site)
    text = yaml.safe_load(site)
    assert stop(ValuesApp, [f"--site={config}"]) == 0
    ours = yaml.safe_load(capsys.readouterr().out)
    assert [each["port"] for each in ours["hub"]["service"]["extraPorts"]] == [8181, 9000]
    assert len(ours["hub"]["extraPodSpec"]["hostAliases"]) == 2
    assert check([("config.yaml", text), ("ours.yaml", ours)]) == []
    lost = [finding.key for finding in check([("ours.yaml", ours), ("config.yaml", text)])]
    assert "hub.service.extraPorts" in lost


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        (["--name=tornado_service"], "--name=tornado_service"),
        (["--name=" + "x" * 64], "at most 63"),
        (["--port=8081"], "the hub's own"),
        (["--port=80"], "1024"),
        (["--image=only-a-name"], "NAME:TAG"),
        (["--image=host:5000/name"], "NAME:TAG"),
        (["--mode=none"], "allowed-ingress-ports"),
        (["--fullname-override=null"], "--release"),
        (["--nosuch=1"], "--nosuch"),
        (["nosuch"], "nosuch"),
        (["--site=nosuch.yaml"], "nosuch.yaml"),
    ],
)
def test_a_wrong_option(
    argv: list[str],
    says: str,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert stop(ValuesApp, argv) == 2
    assert says in capsys.readouterr().err + caplog.text


def test_as_a_module() -> None:
    command = [sys.executable, "-m", "tornado_service.values"]
    assert subprocess.run(command, capture_output=True, check=True).stdout.startswith(b"# tornado")
    checked = subprocess.run(
        [*command, "check", *(f"-f{VALUES / name}" for name in OPEN)],
        capture_output=True,
        check=False,
    )
    assert (checked.returncode, checked.stdout) == (0, b"")


def test_a_document_of_many_kinds() -> None:
    document = Document("Title\n\nmore")
    document.put(("a", "b"), [], "empty")
    document.put(("a", "c"), ["1", {"d": {"e": None}}, "x: y"])
    document.note(("a", "c", 1, "d"), "inside")
    document.put(("a", "f"), "two\n\nlines\n")
    assert yaml.safe_load(document.text()) == document.values
    assert "  # empty\n  b: []\n" in document.text()
    assert "# inside" in document.text()


# --- how Helm merges ------------------------------------------------------------------------------


def test_maps_merge_lists_replace_null_deletes() -> None:
    values = Values(
        [
            ("1", {"hub": {"a": {"x": 1}, "list": [1, 2], "gone": {"y": 1}, "same": [1]}}),
            ("2", {"hub": {"a": {"y": 2}, "list": [2, 3], "gone": None, "same": [1, 2]}}),
        ]
    )
    assert values.tree["hub"]["a"] == {"x": 1, "y": 2}
    assert values.list("hub", "list") == [2, 3]
    assert values.get("hub", "gone", default="-") == "-"
    (lost,) = [each for each in values.replaced if each.path == ("hub", "list")]
    assert (lost.earlier, lost.later, lost.lost) == ("1", "2", (1,))
    assert not [each for each in values.replaced if each.path == ("hub", "same")]
    assert values.file_of(("hub", "a", "x")) == "1"
    assert values.file_of(("hub", "a", "y")) == "2"
    assert values.file_of(("hub", "a", "z")) == "1"
    assert values.file_of(("nowhere",)) == "2"


@pytest.mark.parametrize(
    ("full_name", "chart_name", "release", "name"),
    [
        ("", None, "", "hub"),
        ("", "x", "r", "hub"),
        ("lab", None, "r", "lab-hub"),
        (None, None, "r", "r-jupyterhub-hub"),
        (None, None, "my-jupyterhub", "my-jupyterhub-hub"),
        (None, "lab", "r", "r-lab-hub"),
        (None, None, "", ""),
    ],
)
def test_the_name_of_the_hubs_service(
    full_name: str | None, chart_name: str | None, release: str, name: str
) -> None:
    assert hub_service(full_name, chart_name, release) == name


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("hub: [", "line"),
        ("- a", "no map"),
        ("hub: {labels: {}}\nproxy: {}\nhub: {services: {}}", "line 3: hub stands twice"),
        ("hub: {}\n---\nproxy: {}", "line 2"),
        ("hub: !secret x", "line 1"),
        ("hub:\n\tx: 1", "line 2"),
    ],
)
def test_a_file_that_helm_would_not_take(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(text)
    with pytest.raises(ValuesError, match=says) as error:
        read(str(file))
    assert "\n" not in str(error.value)
    assert stop(CheckApp, [f"-f{file}"]) == 2


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValuesError, match="no text"):
        read(str(tmp_path / "x"))


def test_an_empty_file_and_merge_keys_are_fine(tmp_path: Path) -> None:
    (tmp_path / "a").touch()
    (tmp_path / "b").write_text("x: &x {a: 1, b: 1}\ny: {<<: *x, a: 2}")
    assert read(str(tmp_path / "a")) == {}
    assert read(str(tmp_path / "b"))["y"] == {"a": 2, "b": 1}


# --- the check: what is right ---------------------------------------------------------------------


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


@pytest.mark.parametrize(("names", "version"), combinations())
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
        "hub: {extraConfig: {x: 'c.JupyterHub.load_roles = c.JupyterHub.load_roles + []'}}",
        "hub: {extraPodSpec: {terminationGracePeriodSeconds: 60}}",
        "hub: {readinessProbe: {initialDelaySeconds: 5}}",
        "hub: {labels: {team: a}}",
    ],
)
def test_a_site_that_is_right(text: str) -> None:
    for names in (INGRESS, OPEN):
        assert check_with(text, names) == []


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


# --- the check: what is wrong ---------------------------------------------------------------------

NETPOL = "hub: {networkPolicy: {%s}}"
SERVICE = "hub: {services: {tornado-service: {%s}}}"
PROXY_PEER = "{podSelector: {matchLabels: {app.kubernetes.io/component: proxy}}}"
HUB_PEER = "{podSelector: {matchLabels: {app.kubernetes.io/component: hub}}}"

#: name: the site's file after ours, the overlays, the hub, the key found, words of the finding
MISTAKES: dict[str, tuple[str, tuple[str, ...], str, str, str]] = {
    "port of the url": (
        SERVICE % "url: 'http://hub:8282'",
        INGRESS,
        "5.5",
        "hub.service.extraPorts",
        "has no port 8282, only 8181",
    ),
    "port of the url, in the policy": (
        SERVICE % "url: 'http://hub:8282'",
        INGRESS,
        "5.5",
        "hub.networkPolicy.ingress",
        "they name 8181",
    ),
    "port of the url, in the open ports": (
        SERVICE % "url: 'http://hub:8282'",
        OPEN,
        "5.5",
        "hub.networkPolicy.allowedIngressPorts",
        "they name 8181",
    ),
    "port of the url, at the proxy": (
        SERVICE % "url: 'http://hub:8282'",
        INGRESS,
        "5.5",
        "proxy.chp.networkPolicy.egress",
        "they name 8181",
    ),
    "port of the Service": (
        "hub: {service: {extraPorts: [{name: a, port: 8182, targetPort: 8181}]}}",
        INGRESS,
        "5.5",
        "hub.service.extraPorts",
        "has no port 8181, only 8182",
    ),
    "port behind the Service": (
        "hub: {service: {extraPorts: [{name: a, port: 8181, targetPort: 8182}]}}",
        INGRESS,
        "5.5",
        "hub.service.extraPorts",
        "leads to 8182",
    ),
    "a named port behind the Service": (
        "hub: {service: {extraPorts: [{name: a, port: 8181, targetPort: http}]}}",
        INGRESS,
        "5.5",
        "hub.service.extraPorts",
        "leads to http",
    ),
    "UDP": (
        "hub: {service: {extraPorts: [{name: a, port: 8181, protocol: UDP}]}}",
        INGRESS,
        "5.5",
        "hub.service.extraPorts",
        "UDP",
    ),
    "no port": (
        "hub: {service: {extraPorts: []}}",
        INGRESS,
        "5.5",
        "hub.service.extraPorts",
        "has no port 8181",
    ),
    "port in the policy": (
        NETPOL % f"ingress: [{{ports: [{{port: 8182}}], from: [{PROXY_PEER}, {HUB_PEER}]}}]",
        INGRESS,
        "5.5",
        "hub.networkPolicy.ingress",
        "they name 8182",
    ),
    "port in the open ports": (
        NETPOL % "allowedIngressPorts: [8182]",
        OPEN,
        "5.5",
        "hub.networkPolicy.allowedIngressPorts",
        "they name 8182",
    ),
    "port at the proxy": (
        f"proxy: {{chp: {{networkPolicy: {{egress: [{{to: [{HUB_PEER}], ports: [{{port: 1}}]}}]}}}}}}",
        INGRESS,
        "5.5",
        "proxy.chp.networkPolicy.egress",
        "they name 1",
    ),
    "the proxy is missing": (
        NETPOL % f"ingress: [{{ports: [{{port: 8181}}], from: [{HUB_PEER}]}}]",
        INGRESS,
        "5.5",
        "hub.networkPolicy.ingress",
        "no rule admits the proxy to port 8181",
    ),
    "the hub is missing": (
        NETPOL % f"ingress: [{{ports: [{{port: 8181}}], from: [{PROXY_PEER}]}}]",
        INGRESS,
        "5.5",
        "hub.networkPolicy.ingress",
        "no rule admits the hub's own pod to port 8181",
    ),
    "no mode": (
        "{}",
        ("service.yaml", "image.yaml"),
        "5.5",
        "hub.networkPolicy.ingress",
        "admits nobody to port 8181",
    ),
    "both modes": (
        "{}",
        (*INGRESS, "allowed-ingress-ports.yaml"),
        "5.5",
        "hub.networkPolicy.ingress",
        "void",
    ),
    "an ipBlock for the proxy": (
        "proxy: {chp: {networkPolicy: {egress: [{to: [{ipBlock: {cidr: 0.0.0.0/0}}]}]}}}",
        INGRESS,
        "5.5",
        "proxy.chp.networkPolicy.egress",
        "no rule lets the proxy out to port 8181",
    ),
    "a proxy that is closed": (
        "proxy: {chp: {networkPolicy: {egress: [], egressAllowRules: {privateIPs: false}}}}",
        INGRESS,
        "5.5",
        "proxy.chp.networkPolicy.egress",
        "since its egressAllowRules.privateIPs is off",
    ),
    "a hub that is closed": (
        NETPOL % "egress: [], egressAllowRules: {privateIPs: false}",
        INGRESS,
        "5.5",
        "hub.networkPolicy.egress",
        "egressAllowRules.privateIPs is off",
    ),
    "no label": (
        "hub: {labels: null}",
        INGRESS,
        "5.5",
        "hub.labels.hub.jupyter.org/network-access-hub",
        "sign-in ends in 500",
    ),
    "ports.extraPorts": (
        "hub: {service: {ports: {extraPorts: [{name: a, port: 8181}]}}}",
        INGRESS,
        "5.5",
        "hub.service.ports.extraPorts",
        "Helm refuses",
    ),
    "a list replaced: extraPorts": (
        "hub: {service: {extraPorts: [{name: a, port: 1234}]}}",
        INGRESS,
        "5.5",
        "hub.service.extraPorts",
        "replaces that of service.yaml",
    ),
    "a list replaced: hostAliases": (
        "hub: {extraPodSpec: {hostAliases: [{ip: 10.0.0.1, hostnames: [db]}]}}",
        INGRESS,
        "5.5",
        "hub.extraPodSpec.hostAliases",
        "replaces that of service.yaml",
    ),
    "a list replaced: ingress": (
        NETPOL % "ingress: []",
        INGRESS,
        "5.5",
        "hub.networkPolicy.ingress",
        "replaces that of ingress.yaml",
    ),
    "a list replaced: egress": (
        NETPOL % "egress: [{ports: [{port: 5432}]}]",
        INGRESS,
        "5.5",
        "hub.networkPolicy.egress",
        "replaces that of service.yaml",
    ),
    "a list replaced: allowedIngressPorts": (
        NETPOL % "allowedIngressPorts: [http]",
        OPEN,
        "5.5",
        "hub.networkPolicy.allowedIngressPorts",
        "replaces that of allowed-ingress-ports.yaml",
    ),
    "a list replaced: the proxy's egress": (
        "proxy: {chp: {networkPolicy: {egress: null}}}",
        INGRESS,
        "5.5",
        "proxy.chp.networkPolicy.egress",
        "replaces that of service.yaml",
    ),
    "a list replaced: extra_user_scopes": (
        "hub: {config: {JupyterHub: {extra_user_scopes: ['list:users']}}}",
        (*INGRESS, "jupyterhub-6.yaml"),
        "6.1.1",
        "hub.config.JupyterHub.extra_user_scopes",
        "replaces that of jupyterhub-6.yaml",
    ),
    "both deliveries": (
        "{}",
        (*INGRESS, "extra-files.yaml"),
        "5.5",
        "hub.services.tornado-service.command",
        "replaces that of image.yaml",
    ),
    "timeout on 5": (
        SERVICE % "timeout: 60",
        INGRESS,
        "5.5",
        "hub.services.tornado-service.timeout",
        "No such service field: timeout",
    ),
    "extra_user_scopes on 5": (
        "{}",
        (*INGRESS, "jupyterhub-6.yaml"),
        "5.5",
        "hub.config.JupyterHub.extra_user_scopes",
        "a 5.x hub ignores it",
    ),
    "a field that does not exist": (
        SERVICE % "enviroment: {}",
        INGRESS,
        "5.5",
        "hub.services.tornado-service.enviroment",
        "No such service field: enviroment",
    ),
    "user without self": (
        f"hub: {{loadRoles: {{user: {{scopes: ['{SCOPE}']}}}}}}",
        INGRESS,
        "5.5",
        "hub.loadRoles.user.scopes",
        "nobody can start a server",
    ),
    "user without self, under another key": (
        "hub: {loadRoles: {people: {name: user, scopes: []}}}",
        INGRESS,
        "5.5",
        "hub.loadRoles.people.scopes",
        "nobody can start a server",
    ),
    "user without self, in code": (
        """hub: {extraConfig: {x: 'c.JupyterHub.load_roles.append({"name": "user"})'}}""",
        INGRESS,
        "5.5",
        "hub.extraConfig.x",
        "nobody can start a server",
    ),
    "a role deleted": (
        "hub: {loadRoles: {x: null}}",
        INGRESS,
        "5.5",
        "hub.loadRoles.x",
        "'NoneType' object has no attribute 'setdefault'",
    ),
    "a service deleted": (
        "hub: {services: {x: null}}",
        INGRESS,
        "5.5",
        "hub.services.x",
        "Helm cannot render",
    ),
    "code deleted": (
        "hub: {extraConfig: {x: null}}",
        INGRESS,
        "5.5",
        "hub.extraConfig.x",
        "the hub crashes",
    ),
    "hub.config services": (
        "hub: {config: {JupyterHub: {services: [{name: x}]}}}",
        INGRESS,
        "5.5",
        "hub.config.JupyterHub.services",
        "drops it",
    ),
    "hub.config load_roles": (
        "hub: {config: {JupyterHub: {load_roles: [{name: x}]}}}",
        INGRESS,
        "5.5",
        "hub.config.JupyterHub.load_roles",
        "replaces the chart's own roles",
    ),
    "roles replaced in code": (
        "hub: {extraConfig: {x: 'c.JupyterHub.load_roles = []'}}",
        INGRESS,
        "5.5",
        "hub.extraConfig.x",
        "the idle culler",
    ),
    "services replaced in code": (
        "hub: {extraConfig: {x: 'c.JupyterHub.services = []'}}",
        INGRESS,
        "5.5",
        "hub.extraConfig.x",
        "hub.services",
    ),
    "manage_roles": (
        "hub: {config: {Mine: {manage_roles: true}}}",
        (*INGRESS, "groups.yaml"),
        "5.5",
        "hub.loadRoles.tornado-service-access",
        "the hub crashes",
    ),
    "a token too short": (
        SERVICE % "apiToken: short",
        INGRESS,
        "5.5",
        "hub.services.tornado-service.apiToken",
        "5 characters are too few",
    ),
    "a token too long": (
        SERVICE % f"apiToken: {'a' * 65}",
        INGRESS,
        "5.5",
        "hub.services.tornado-service.apiToken",
        "65 characters are too many",
    ),
    "a token of 64 on 5.5.3": (
        SERVICE % f"api_token: {'a' * 64}",
        INGRESS,
        "5.5.3",
        "hub.services.tornado-service.api_token",
        "64 characters are too many",
    ),
    "the chart's token on 6.1.0": (
        "{}",
        INGRESS,
        "6.1.0",
        "hub.services.tornado-service.apiToken",
        "64 characters",
    ),
    "a token that is no text": (
        SERVICE % "apiToken: 1234567890",
        INGRESS,
        "5.5",
        "hub.services.tornado-service.apiToken",
        "no text",
    ),
    "an old hub": ("{}", INGRESS, "5.4.5", "--jupyterhub-version", "does not run"),
    "readiness delay": (
        "hub: {readinessProbe: {initialDelaySeconds: 60}}",
        INGRESS,
        "5.5",
        "hub.readinessProbe.initialDelaySeconds",
        "for 60 s",
    ),
    "readiness delay on 6": (
        "hub: {readinessProbe: {initialDelaySeconds: 60}, extraPodSpec: {hostAliases: []}}",
        (*INGRESS, "jupyterhub-6.yaml"),
        "6.1.1",
        "hub.readinessProbe.initialDelaySeconds",
        "exits",
    ),
    "readiness period": (
        "hub: {readinessProbe: {periodSeconds: 30}}",
        INGRESS,
        "5.5",
        "hub.readinessProbe.periodSeconds",
        "for 30 s",
    ),
    "oauth_redirect_uri": (
        SERVICE % "oauth_redirect_uri: 'https://lab.example.org/services/x/oauth_callback'",
        INGRESS,
        "5.5",
        "hub.services.tornado-service.oauth_redirect_uri",
        "Mismatching redirect URI",
    ),
    "url on 127.0.0.1": (
        SERVICE % "url: 'http://127.0.0.1:8181'",
        INGRESS,
        "5.5",
        "hub.services.tornado-service.url",
        "the proxy's own pod",
    ),
    "url on localhost": (
        SERVICE % "url: 'http://localhost:8181'",
        INGRESS,
        "5.5",
        "hub.services.tornado-service.url",
        "the proxy's own pod",
    ),
    "url at another name": (
        "fullnameOverride: lab",
        INGRESS,
        "5.5",
        "hub.services.tornado-service.url",
        "not called hub but lab-hub",
    ),
    "url at another name, release not known": (
        "fullnameOverride: null",
        INGRESS,
        "5.5",
        "hub.services.tornado-service.url",
        "RELEASE-hub",
    ),
    "url without a port": (
        SERVICE % "url: 'http://hub'",
        INGRESS,
        "5.5",
        "hub.services.tornado-service.url",
        "without a port",
    ),
    "url with a port that is none": (
        SERVICE % "url: 'http://hub:http'",
        INGRESS,
        "5.5",
        "hub.services.tornado-service.url",
        "without a port",
    ),
    "url with a port for root": (
        SERVICE % "url: 'http://hub:443'",
        INGRESS,
        "5.5",
        "hub.services.tornado-service.url",
        "for root only",
    ),
    "url with the hub's port": (
        SERVICE % "url: 'http://hub:8081'",
        INGRESS,
        "5.5",
        "hub.services.tornado-service.url",
        "the hub's own",
    ),
    "url without a scheme": (
        SERVICE % "url: 'hub:8181'",
        INGRESS,
        "5.5",
        "hub.services.tornado-service.url",
        "http:// or https://",
    ),
    "no url": (
        SERVICE % "url: null",
        INGRESS,
        "5.5",
        "hub.services.tornado-service.url",
        "there is no /services/tornado-service/",
    ),
    "no command": (
        "{}",
        ("service.yaml", "ingress.yaml"),
        "5.5",
        "hub.services.tornado-service.command",
        "never starts it",
    ),
    "a number in the command": (
        SERVICE % "command: [python3, -m, tornado_service, --port, 8181]",
        INGRESS,
        "5.5",
        "hub.services.tornado-service.command",
        "8181 is no text",
    ),
    "a command of one word": (
        SERVICE % "command: python3 -m tornado_service",
        INGRESS,
        "5.5",
        "hub.services.tornado-service.command",
        "[python3, -m, tornado_service]",
    ),
    "a number in the environment": (
        SERVICE % "environment: {DEBUG: true}",
        INGRESS,
        "5.5",
        "hub.services.tornado-service.environment.DEBUG",
        'in quotes: "true"',
    ),
    "hub.extraEnv": (
        "hub: {extraEnv: {TORNADO_SERVICE_COOKIE_SECRET: x}}",
        INGRESS,
        "5.5",
        "hub.extraEnv.TORNADO_SERVICE_COOKIE_SECRET",
        "nothing of it reaches a service",
    ),
    "the API's address with baseUrl": (
        "hub: {baseUrl: /lab/, services: {tornado-service: {environment:"
        " {JUPYTERHUB_API_URL: 'http://127.0.0.1:8081/hub/api'}}}}",
        INGRESS,
        "5.5",
        "hub.services.tornado-service.environment.JUPYTERHUB_API_URL",
        "http://127.0.0.1:8081/lab/hub/api",
    ),
    "user": (
        SERVICE % "user: jovyan",
        INGRESS,
        "5.5",
        "hub.services.tornado-service.user",
        "may not change user",
    ),
    "the name of the port": (
        "hub: {service: {extraPorts: [{name: tornado_service, port: 8181}]}}",
        INGRESS,
        "5.5",
        "hub.service.extraPorts",
        "Kubernetes refuses the name 'tornado_service'",
    ),
    "a long name of the port": (
        f"hub: {{service: {{extraPorts: [{{name: {'x' * 64}, port: 8181}}]}}}}",
        INGRESS,
        "5.5",
        "hub.service.extraPorts",
        "Kubernetes refuses the name",
    ),
    "no name of the port": (
        "hub: {service: {extraPorts: [{port: 8181}]}}",
        INGRESS,
        "5.5",
        "hub.service.extraPorts",
        "Kubernetes refuses the name None",
    ),
    "two ports of one name": (
        "hub: {service: {extraPorts: [{name: a, port: 8181}, {name: a, port: 8282}]}}",
        INGRESS,
        "5.5",
        "hub.service.extraPorts",
        "a second port called a",
    ),
    "one port twice": (
        "hub: {service: {extraPorts: [{name: a, port: 8181}, {name: b, port: 8181}]}}",
        INGRESS,
        "5.5",
        "hub.service.extraPorts",
        "a second port 8181",
    ),
    "an alias elsewhere": (
        "hub: {extraPodSpec: {hostAliases: [{ip: 10.0.0.1, hostnames: [hub]}]}}",
        INGRESS,
        "5.5",
        "hub.extraPodSpec.hostAliases",
        "leads to 10.0.0.1",
    ),
    "the name of the service": (
        "hub: {services: {tornado_service: {url: 'http://hub:8181', command: [x]}}}",
        INGRESS,
        "5.5",
        "hub.services.tornado_service",
        "tornado-service",
    ),
    "a name with a slash": (
        "hub: {services: {a/b: {url: 'http://hub:8181', command: [x]}}}",
        INGRESS,
        "5.5",
        "hub.services.a/b",
        "Kubernetes refuses the Secret",
    ),
    "services as a list": (
        "hub: {services: [{name: x}]}",
        INGRESS,
        "5.5",
        "hub.services",
        "this is a map",
    ),
    "nobody": (
        "hub: {extraConfig: {~tornado-service-access: ''}}",
        INGRESS,
        "5.5",
        "hub.services.tornado-service",
        "nobody but admins may open it",
    ),
    "everyone, not only some": (
        "hub: {extraConfig: {~tornado-service-access: ''}}",
        (*INGRESS, "jupyterhub-6.yaml", "groups.yaml"),
        "6.1.1",
        "hub.loadRoles.tornado-service-access",
        "lets everyone in",
    ),
    "extra_user_scopes ignored": (
        "hub: {loadRoles: {user: {scopes: [self]}},"
        " config: {JupyterHub: {extra_user_scopes: ['list:users']}}}",
        INGRESS,
        "6.1.1",
        "hub.config.JupyterHub.extra_user_scopes",
        "the hub ignores it",
    ),
    "latest": (
        "hub: {image: {name: quay.io/me/hub, tag: latest}}",
        INGRESS,
        "5.5",
        "hub.image.tag",
        "latest",
    ),
    "a tag that is no text": (
        "hub: {image: {name: quay.io/me/hub, tag: 4.4}}",
        INGRESS,
        "5.5",
        "hub.image.tag",
        '"4.4"',
    ),
    "no tag": (
        "hub: {image: {name: quay.io/me/hub, tag: null}}",
        INGRESS,
        "5.5",
        "hub.image.tag",
        "the chart's own tag",
    ),
    "the stock image": (
        "hub: {image: {name: quay.io/jupyterhub/k8s-hub, tag: 4.4.0}}",
        INGRESS,
        "5.5",
        "hub.image.name",
        "No module named tornado_service",
    ),
    "no file": (
        "hub: {extraFiles: {tornado_service: {mountPath: /elsewhere.pyz}}}",
        ("service.yaml", "ingress.yaml", "extra-files.yaml"),
        "5.5",
        "hub.extraFiles",
        "no entry has the mountPath",
    ),
    "a file as text": (
        "hub: {extraFiles: {tornado_service: {stringData: PK}}}",
        ("service.yaml", "ingress.yaml", "extra-files.yaml"),
        "5.5",
        "hub.extraFiles.tornado_service.stringData",
        "binaryData",
    ),
    "a large file": (
        f"hub: {{extraFiles: {{tornado_service: {{binaryData: {'A' * 300_000}}}}}}}",
        ("service.yaml", "ingress.yaml", "extra-files.yaml"),
        "5.5",
        "hub.extraFiles",
        "225,000 bytes are too many",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_found(mistake: str) -> None:
    text, names, version, key, words = MISTAKES[mistake]
    found = check_with(text, names, version)
    matching = [finding for finding in found if finding.key == key and words in str(finding)]
    assert matching, "\n".join(map(str, found))
    assert "\n" not in str(matching[0])
    assert str(matching[0]).startswith(f"{matching[0].file}: {key}: ")
    assert " Write " in str(matching[0])


def test_two_images_that_are_not_the_placeholder() -> None:
    one, two = ({"hub": {"image": {"name": name, "tag": "1"}}} for name in "ab")
    found = check([*load(*INGRESS), ("1.yaml", one), ("2.yaml", two)])
    assert [(each.file, each.key) for each in found] == [("2.yaml", "hub.image.name")]


def test_the_page_that_everyone_copies() -> None:
    """The one of the chart's documentation: no access, no label, the hub not admitted."""
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
    assert "called x" in finding.what


def test_one_service_alone() -> None:
    other = {"hub": {"services": {"other": {"url": "http://hub:9", "command": ["x"]}}}}
    files = [*load(*INGRESS), ("config.yaml", other)]
    assert check(files)
    assert check(files, service="tornado-service") == []


@pytest.mark.parametrize("junk", [None, 1, "x", [], [None], {"a": None}])
@pytest.mark.parametrize(
    "path",
    [
        "hub",
        "hub.services",
        "hub.services.tornado-service",
        "hub.services.tornado-service.environment",
        "hub.services.tornado-service.command",
        "hub.services.tornado-service.url",
        "hub.service",
        "hub.service.extraPorts",
        "hub.labels",
        "hub.loadRoles",
        "hub.loadRoles.user",
        "hub.loadRoles.user.scopes",
        "hub.extraConfig",
        "hub.extraPodSpec.hostAliases",
        "hub.networkPolicy",
        "hub.networkPolicy.ingress",
        "hub.networkPolicy.allowedIngressPorts",
        "hub.config",
        "hub.config.JupyterHub",
        "hub.image",
        "hub.image.name",
        "hub.extraFiles",
        "hub.readinessProbe",
        "proxy",
        "proxy.chp.networkPolicy.egress",
        "nameOverride",
        "fullnameOverride",
        "jupyterhub",
    ],
)
def test_junk_never_breaks_the_check(path: str, junk: Any) -> None:
    tree: dict[str, Any] = {}
    *parents, last = path.split(".")
    inner = tree
    for key in parents:
        inner = inner.setdefault(key, {})
    inner[last] = junk
    check([*load(*INGRESS), ("config.yaml", tree)])


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


# --- the code that grants access ------------------------------------------------------------------


def grant(site: Callable[[Any], None], *, times: int = 1) -> Config:
    """The chart's lists, what a site's configuration does, and then ours."""
    c = Config()
    c.JupyterHub.load_roles = [{"name": "jupyterhub-idle-culler", "scopes": ["list:users"]}]
    site(c)
    code = overlays.service(Deployment()).values["hub"]["extraConfig"]["~tornado-service-access"]
    for _ in range(times):
        exec(code, {"c": c})
    return c


async def scopes_of(c: Config, role: str = "user") -> list[str]:
    """What the hub makes of it."""
    c.JupyterHub.db_url = "sqlite://"
    hub = JupyterHub(config=c)
    hub.init_db()
    hub.authenticator = hub.authenticator_class(parent=hub)
    await hub.init_role_creation()
    scopes = list(orm.Role.find(hub.db, role).scopes)
    hub.db.close()
    hub.db.get_bind().dispose()
    return sorted(scopes)


def nothing(c: Any) -> None:
    pass


def defines_user(c: Any) -> None:
    c.JupyterHub.load_roles.append({"name": "user", "scopes": ["self", "list:groups"]})


def describes_user(c: Any) -> None:
    c.JupyterHub.load_roles.append({"name": "user", "description": "people"})


def replaces_all(c: Any) -> None:
    c.JupyterHub.load_roles = [{"name": "user", "scopes": ["self", "list:groups", SCOPE]}]


def adds_scopes(c: Any) -> None:
    c.JupyterHub.extra_user_scopes.update({"list:groups"})


def sets_scopes(c: Any) -> None:
    c.JupyterHub.extra_user_scopes = ["list:groups", SCOPE]


IS_6 = jupyterhub.version_info[0] >= 6
only_6 = pytest.mark.skipif(not IS_6, reason="JupyterHub 6")


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize(
    ("site", "expected"),
    [
        (nothing, {"self", SCOPE}),
        (defines_user, {"self", "list:groups", SCOPE}),
        (describes_user, {"self", SCOPE}),
        (replaces_all, {"self", "list:groups", SCOPE}),
        pytest.param(adds_scopes, {"self", "list:groups", SCOPE}, marks=only_6),
        pytest.param(sets_scopes, {"self", "list:groups", SCOPE}, marks=only_6),
    ],
)
async def test_everyone_keeps_what_they_had(
    site: Callable[[Any], None], expected: set[str], times: int
) -> None:
    assert await scopes_of(grant(site, times=times)) == sorted(expected)


@pytest.mark.parametrize("site", [nothing, pytest.param(sets_scopes, marks=only_6)])
async def test_a_role_of_its_own_admits_only_some(site: Callable[[Any], None]) -> None:
    def groups(c: Any) -> None:
        site(c)
        role = {"name": "tornado-service-access", "scopes": [SCOPE], "groups": ["staff"]}
        c.JupyterHub.load_roles.append(role)

    assert SCOPE not in await scopes_of(grant(groups))
    assert await scopes_of(grant(groups), "tornado-service-access") == [SCOPE]


def test_ours_runs_after_all_other_code() -> None:
    keys = ["zzz", "~", "Ä"[:0] + "z~", "99-roles", "tornado-service"]
    ours = next(iter(overlays.service(Deployment()).values["hub"]["extraConfig"]))
    assert max([*keys, ours]) == ours
